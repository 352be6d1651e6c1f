"""A submission tried on a small replica before it is frozen, so that a typo costs seconds.

It is executed as a run is, in an isolated kernel with short limits, and nothing of it is kept but
what it shows. Where a machine is busy with another trial, the run is the trial.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sandbox.catalog import Inputs
from sandbox.kernels import Limits
from sandbox.kernels.folders import remove
from sandbox.lab.wording import number
from sandbox.language import N_, _, language, speaking
from sandbox.preflight import small, tried
from sandbox.preflight.finding import Finding
from sandbox.runs import attachments, contents
from sandbox.runs.folder import RunFolder
from sandbox.runs.notebook import is_unchanged_template
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.submission import Offer
from sandbox.runs.supervisor import Job
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, write_atomically, write_json

log = logging.getLogger(__name__)

LONGEST_S = 20
LIMITS = Limits(wall_s=LONGEST_S, cpu_s=2 * LONGEST_S)
# Ends that say nothing of the notebook: it took long, or this machine could not begin.
SILENT = {Kind.TIME, Kind.CPU, Kind.COULD_NOT_START, Kind.CANCELLED, Kind.SUPERVISOR_LOST}


class Verdict(StrEnum):
    """What a trial showed."""

    PASSED = "passed"  # every cell ran to its end
    FAILED = "failed"  # and so would the run
    UNSURE = "unsure"  # it failed, perhaps only for want of rows
    UNFINISHED = "unfinished"  # no fault within its time
    NOT_RUN = "not run"


TITLES = {
    Verdict.PASSED: N_("tried on a small replica: every cell ran to its end ({seconds} s)"),
    Verdict.FAILED: N_("tried on a small replica: it fails, and so would the run"),
    Verdict.UNSURE: N_("tried on a small replica: it fails there, perhaps for want of rows"),
    Verdict.UNFINISHED: N_("tried on a small replica: no fault within {seconds} s"),
    Verdict.NOT_RUN: N_("not tried: what it reads is itself small, or no smaller replica fits"),
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of a trial."""

    verdict: Verdict
    seconds: float = 0.0
    scale: str | None = None  # of the small replica
    findings: tuple[Finding, ...] = ()
    asked: bool = False  # by somebody, beyond what is usual

    def to_record(self) -> dict[str, Any]:
        """Give it for a submission."""
        return {
            "verdict": str(self.verdict),
            "seconds": self.seconds,
            "scale": self.scale,
            "asked": self.asked,
        }


def told(record: Mapping[str, Any] | None) -> str:
    """Say what came of a trial, from its record; nothing of one that was not needed."""
    verdict = Verdict((record or {}).get("verdict", Verdict.NOT_RUN))
    if record is None or (verdict is Verdict.NOT_RUN and not record.get("asked")):
        return ""
    return _(TITLES[verdict]).format(seconds=number(record["seconds"], language=language()))


NONE = Trial(verdict=Verdict.NOT_RUN)


def attempt(settings: Settings, offer: Offer, *, asked: bool | None = None) -> Trial:
    """Try a submission: as asked, or else where the setting wants it and it saves time."""
    wanted = is_usual(settings, offer) if asked is None else asked
    made = replace(NONE, asked=bool(asked))
    if not wanted or offer.inputs is None or not offer.inputs.replicas:
        return made
    with small.turn(settings, waits=bool(asked)) as is_ours:
        for inputs in small.small(settings, offer.inputs) if is_ours else ():
            made = replace(_try(settings, offer, inputs), asked=bool(asked))
            if made.verdict is not Verdict.UNSURE:
                break  # else more rows may help
        return made


def is_usual(settings: Settings, offer: Offer) -> bool:
    """Whether a submission is tried unless it is asked for otherwise."""
    is_known = is_unchanged_template(offer.notebook)  # those are tried before they are shipped
    return settings.trial and not is_known and small.is_worth(offer.inputs)


def _try(settings: Settings, offer: Offer, inputs: Inputs) -> Trial:
    began = time.monotonic()
    folder = RunFolder(make_folder(settings.trials / "runs") / f"trial-{secrets.token_hex(4)}")
    try:
        reason, executed = _executed(settings, offer, inputs, folder)
    finally:
        remove(folder.path)
    return Trial(
        seconds=round(time.monotonic() - began, 3),
        scale=inputs.replicas[0].recipe.scale,
        **_shown(offer, reason, executed),
    )


def _executed(
    settings: Settings, offer: Offer, inputs: Inputs, folder: RunFolder
) -> tuple[Reason, Any]:
    """Execute it; give its end and the notebook with its outputs."""
    _freeze(offer, inputs, folder)
    folder.first.make()
    job = Job(settings, folder, folder.first, lambda *_: None, inputs=inputs)
    with speaking("en"):
        reason = job.run()
    executed = folder.executed
    return reason, json.loads(executed.read_bytes()) if executed.is_file() else {"cells": []}


def _freeze(offer: Offer, inputs: Inputs, folder: RunFolder) -> None:
    """Write what an execution reads of a submission."""
    place = make_folder(folder.submission_file.parent)
    write_atomically(folder.notebook, offer.notebook.data)
    for one in offer.attachments:
        second = make_folder(place / attachments.FOLDER) / one.name
        second.hardlink_to(one.path)
    write_json(
        folder.submission_file,
        {
            "notebook_name": offer.notebook.name,
            "notebook_sha256": hashlib.sha256(offer.notebook.data).hexdigest(),
            "parameters": offer.parameters,
            "inputs": inputs.to_record(),
            "attachments": [contents.to_record(one) for one in offer.attachments],
            "limits": LIMITS.to_record(),
        },
    )


def _shown(offer: Offer, reason: Reason, executed: Any) -> dict[str, Any]:
    if reason.kind is Kind.COMPLETED:
        return {"verdict": Verdict.PASSED}
    if reason.kind in SILENT:
        is_long = reason.kind in {Kind.TIME, Kind.CPU}
        return {"verdict": Verdict.UNFINISHED if is_long else Verdict.NOT_RUN}
    finding = tried.judged(offer, reason, executed)
    verdict = Verdict.FAILED if finding.is_error else Verdict.UNSURE
    return {"verdict": verdict, "findings": (finding,)}
