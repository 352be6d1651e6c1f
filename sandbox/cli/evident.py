"""A run's evidence on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.evidence.redrawn import is_steady, n_executed
from sandbox.language import N_, _, either
from sandbox.retold import retold
from sandbox.runs import endings
from sandbox.runs.evidenced import PARTS
from sandbox.runs.verdicts import Verdict, title

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


def verdicts(evidence: Mapping[str, Any]) -> list[str]:
    """Write one line for each part that was asked for, or one that says that nothing was."""
    asked = [part for part in PARTS if not _is_left_out(evidence[part])]
    return [_line(part, evidence[part]) for part in asked or PARTS[:1]]


def marks(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Write which conclusions flip on fresh draws, and which hold on the null draw as well."""
    for one in evidence["redrawn"]["conclusions"]:
        if not is_steady(one):
            words = _("holds on {n} of {of} fresh draws: {statement}")
            yield words.format(n=one["holds"], of=one["of"], statement=either(one["statement"]))
    for one in evidence["null"]["conclusions"]:
        if one["submitted"] and one["on_null"]:
            words = _("does not depend on how columns relate: {statement}")
            yield words.format(statement=either(one["statement"]))
    for one in evidence["null"].get("together", ()):
        words = _("stay together on the null draw: {columns} ({table})")
        yield words.format(table=one["table"], columns=", ".join(one["columns"]))
    if n_executed(evidence["redrawn"]):
        yield _(
            "Fresh draws show what chance the replica's generator leaves, and nothing of Viet Nam."
        )


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


def _is_left_out(told: Mapping[str, Any]) -> bool:
    return told["verdict"] == Verdict.NOT_RUN and told["reason"] is None


def _line(part: str, told: Mapping[str, Any]) -> str:
    """Write a part's verdict, and why it shows nothing where it does not."""
    line = title(told["verdict"], part).format(**_figures(part, told))
    if told["verdict"] == Verdict.FAILED:
        line += f" ({endings.told(told['reason'])})"
    elif told["verdict"] == Verdict.NOT_RUN and told["reason"]:
        line += f" ({retold(told['reason']['message'])})"
    return line


def _figures(part: str, told: Mapping[str, Any]) -> dict[str, int]:
    """Count what the line of a part names."""
    if part == "redrawn":
        conclusions = told["conclusions"]
        return {
            "draws": told["draws"],
            "executed": n_executed(told),
            "n": sum(not is_steady(one) for one in conclusions),
            "of": len(conclusions),
        }
    if part == "null":
        holding = [one for one in told["conclusions"] if one["submitted"]]
        return {"n": sum(one["on_null"] is True for one in holding), "of": len(holding)}
    return {}
