"""A run's evidence on disk: written by its supervisor, brought up to date as it arrives.

Evidence that nobody works on any more is told as such by whoever looks: the lock on the run's
folder and the process that signed it say whether somebody does.
"""

from __future__ import annotations

import logging
from typing import Any

from sandbox.language import N_
from sandbox.runs import staging
from sandbox.runs.folder import ExecutionFolder, RunFolder, now, read
from sandbox.runs.record import Reason, lost
from sandbox.runs.states import Kind, Status
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from synthetic.tables.files import write_json

log = logging.getLogger(__name__)

FORMAT = 1
FIRST_FAILED = N_("the first execution did not succeed, so there is nothing to repeat")
LOST = N_("the supervisor ended without a word (killed, or the machine stopped)")


def ask(settings: Settings, run_id: str) -> None:
    """Note that a queued run is to be executed a second time, after its first execution."""
    folder = RunFolder.find(settings, run_id)
    write(folder, reproduced(Verdict.PENDING))


def is_asked(folder: RunFolder) -> bool:
    """Whether evidence was asked for and has not arrived."""
    return written(folder)["reproduced"]["verdict"] == Verdict.PENDING


def reproduced(verdict: Verdict, reason: Reason | None = None, **told: Any) -> dict[str, Any]:
    """Give what is known of the repeat."""
    return {
        "verdict": str(verdict),
        "reason": reason.to_record() if reason else None,
        "at": now(),
        "claims": None,
        "cells": [],
        "tolerance": None,
        "settings": None,
        **told,
    }


def write(folder: RunFolder, told: dict[str, Any]) -> None:
    """Write what is known of the repeat; only the run's supervisor, or who holds its lock, may."""
    write_json(folder.evidence_file, {"format": FORMAT, "run": folder.id, "reproduced": told})


def written(folder: RunFolder) -> dict[str, Any]:
    """Read the evidence as it stands in the folder."""
    if folder.evidence_file.is_file():
        return {"reproduced": read(folder.evidence_file)["reproduced"]}
    return {"reproduced": {**reproduced(Verdict.NOT_RUN), "at": None}}


def evidence(settings: Settings, folder: RunFolder) -> dict[str, Any]:
    """Give a run's evidence, after the run itself was looked after."""
    status = folder.status()
    is_coming = status is Status.SUCCEEDED or not status.is_final
    if not is_asked(folder) or (is_coming and folder.supervisor() is not None):
        return written(folder)
    with folder.locked() as held:
        if held and is_asked(folder) and folder.status().is_final:
            _close(folder)
            if folder.report.is_file():
                draw_report(settings, folder)
    return written(folder)


def give_up(folder: RunFolder) -> None:
    """Say that there is nothing to repeat."""
    reason = Reason(kind=Kind.COULD_NOT_START, message=FIRST_FAILED)
    write(folder, reproduced(Verdict.NOT_RUN, reason))


def _close(folder: RunFolder) -> None:
    """Close evidence whose supervisor is gone."""
    if folder.status() is not Status.SUCCEEDED:
        give_up(folder)
        return
    _close_execution(folder.repeat)
    reason = Reason(kind=Kind.SUPERVISOR_LOST, message=LOST)
    write(folder, reproduced(Verdict.FAILED, reason))


def _close_execution(place: ExecutionFolder) -> None:
    record = place.record()
    if record is not None and not Status(record["status"]).is_final:
        write_json(place.record_file, lost(record, at=now()))
    staging.clear(place.staged)


def draw_report(settings: Settings, folder: RunFolder) -> None:
    """Make the report; a run ended as it ended, and a report that cannot be drawn changes nothing."""
    try:
        from sandbox.runs import report

        report.render(folder.path, settings=settings)
    except Exception:
        log.exception("the report could not be made")
