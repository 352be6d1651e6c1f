"""A run's evidence on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.language import N_, _
from sandbox.retold import retold
from sandbox.runs import endings, verdicts
from sandbox.runs.verdicts import Verdict

MOST = 5  # cells that are told
CAUSES = {
    "unseeded random": N_("unseeded random"),
    "clock": N_("clock"),
    "time zone": N_("time zone"),
    "memory address": N_("memory address"),
    "set order": N_("set order"),
    "host": N_("host"),
    "path": N_("path"),
    "locale": N_("locale"),
    "thread sums": N_("thread sums"),
    "unknown": N_("unknown"),
}


def verdict(evidence: Mapping[str, Any]) -> str:
    """Write in one line what the repeat shows, and why it shows nothing where it does not."""
    told = evidence["reproduced"]
    line = verdicts.title(told["verdict"])
    if told["verdict"] == Verdict.FAILED:
        line += f" ({endings.told(told['reason'])})"
    elif told["verdict"] == Verdict.NOT_RUN and told["reason"]:
        line += f" ({retold(told['reason']['message'])})"
    return line


def differences(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Write where the executions differ: the cell, the likely cause, both values."""
    cells = evidence["reproduced"]["cells"]
    differing = [cell for cell in cells if cell["verdict"] == Verdict.DIFFERS]
    for cell in differing[:MOST]:
        cause = _(CAUSES.get(cell["cause"], CAUSES["unknown"]))
        line = _("cell {n}: likely cause: {cause}").format(n=cell["index"] + 1, cause=cause)
        for one in cell["differences"][:1]:
            line += f"; {one['first']!r} / {one['repeat']!r}"
        yield line
    if len(differing) > MOST:
        yield _("{n} more cells differ; the report has them").format(n=len(differing) - MOST)
