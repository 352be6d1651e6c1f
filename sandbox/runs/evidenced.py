"""A run's evidence on disk: what was asked for, what is there, what is still to come.

Whoever holds the lock on the run's folder writes it, part by part, as it arrives. Parts that are
pending wait for whoever works next; only the end of the first execution, or somebody who cancels,
makes an end of them here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.language import N_
from sandbox.runs import staging
from sandbox.runs.folder import ExecutionFolder, RunFolder, now, read
from sandbox.runs.record import Reason, lost
from sandbox.runs.states import Kind, Status
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from synthetic.errors import StorageError
from synthetic.tables.files import json_bytes, write_atomically, write_json

log = logging.getLogger(__name__)

FORMAT = 2  # 1 knew the repeat alone
FIRST_FAILED = N_("the first execution did not succeed, so there is nothing to repeat")
CANCELLED = N_("stopped by sandbox run cancel")
NO_REPLICAS = N_("the notebook reads no replica, so there is nothing to draw again")
EMPTY: Mapping[str, Mapping[str, Any]] = {
    "reproduced": {"claims": None, "cells": [], "tolerance": None, "settings": None},
    "null": {"conclusions": [], "together": []},
    "redrawn": {"draws": 0, "executions": [], "results": [], "conclusions": []},
    "fidelity": {"could_read": [], "read": None, "warnings": []},
    "changed": {"template": None, "previous": None, "cells": []},
}
PARTS = tuple(EMPTY)

Evidence = dict[str, Any]  # the whole of evidence.json, in its present format


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which further executions a submission is to have."""

    reproduced: bool = True
    null: bool = True
    draws: int = 5


def ask(settings: Settings, run_id: str, asked: Asked | None = None) -> None:
    """Note which evidence a run is to have after its first execution; what there was is forgotten."""
    folder = RunFolder.find(settings, run_id)
    asked = asked or Asked(draws=settings.draws)
    folder.cancel_file.unlink(missing_ok=True)
    write(folder, asked_for(asked, folder.submission()["inputs"]))


def asked_for(asked: Asked, inputs: Sequence[Mapping[str, Any]]) -> Evidence:
    """Give the evidence of a run that has none yet; without a replica nothing is drawn again."""
    wanted = {
        "reproduced": asked.reproduced,
        "null": asked.null and bool(inputs),
        "redrawn": asked.draws > 0 and bool(inputs),
        "fidelity": True,  # told together with the first step
        "changed": True,
    }
    parts = {
        part: told(part, Verdict.PENDING if wanted[part] else Verdict.NOT_RUN) for part in PARTS
    }
    if not inputs:
        none = Reason(kind=Kind.COULD_NOT_START, message=NO_REPLICAS)
        parts |= {part: told(part, Verdict.NOT_RUN, none) for part in ("null", "redrawn")}
        asked = Asked(reproduced=asked.reproduced, null=False, draws=0)
    return {"asked": asdict(asked), **parts}


def told(part: str, verdict: Verdict, reason: Reason | None = None, **facts: Any) -> dict[str, Any]:
    """Give what is known of one part."""
    return {
        "verdict": str(verdict),
        "reason": reason.to_record() if reason else None,
        "at": now(),
        **EMPTY[part],
        **facts,
    }


def write(folder: RunFolder, evidence: Evidence) -> None:
    """Write the evidence; only who holds the run's lock may, or who made its folder."""
    data = json_bytes(to_record(folder.id, evidence))
    verdicts = {part: evidence[part]["verdict"] for part in PARTS}
    # Before the file itself: who dies between the two leaves a step that is done again.
    folder.log("evidence", evidence=hashlib.sha256(data).hexdigest(), **verdicts)
    write_atomically(folder.evidence_file, data)


def to_record(run_id: str, evidence: Evidence) -> dict[str, Any]:
    """Give the evidence as its file has it."""
    return {**evidence, "format": FORMAT, "run": run_id}


def written(folder: RunFolder) -> Evidence:
    """Read the evidence as it stands in the folder, also that of an earlier version."""
    found = read(folder.evidence_file) if folder.evidence_file.is_file() else {}
    nothing = {part: {**told(part, Verdict.NOT_RUN), "at": None} for part in PARTS}
    repeated = found.get("reproduced", nothing["reproduced"])
    asked = Asked(reproduced=repeated["verdict"] != Verdict.NOT_RUN, null=False, draws=0)
    return {"asked": asdict(asked), **nothing, **found}


def is_pending(evidence: Evidence) -> bool:
    """Whether a part is still to come."""
    return any(evidence[part]["verdict"] == Verdict.PENDING for part in PARTS)


def is_asked(folder: RunFolder) -> bool:
    """Whether evidence was asked for and has not arrived."""
    return is_pending(written(folder))


def evidence(settings: Settings, folder: RunFolder) -> Evidence:
    """Give a run's evidence, after the run itself was looked after."""
    if is_asked(folder):
        with folder.locked() as held:
            if held and settle(folder) and folder.report.is_file():
                draw_report(settings, folder)
    elif is_behind(folder):
        _catch_up(settings, folder)
    return written(folder)


def is_behind(folder: RunFolder) -> bool:
    """Whether there is evidence that the report does not have yet."""
    try:
        return folder.report.stat().st_mtime_ns < folder.evidence_file.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _catch_up(settings: Settings, folder: RunFolder) -> None:
    """Draw the report that nobody is drawing: who wrote the last evidence died before it."""
    with suppress(StorageError), folder.locked() as held:  # who may only read leaves it as it is
        if held and is_behind(folder):
            folder.sweep()
            draw_report(settings, folder)


def settle(folder: RunFolder) -> bool:
    """Make an end of what is pending if nothing can come any more; the lock must be held."""
    status = folder.status()
    if not (status.is_final and is_asked(folder)):
        return False
    if status is not Status.SUCCEEDED:
        reason = Reason(kind=Kind.COULD_NOT_START, message=FIRST_FAILED)
        close(folder, Verdict.NOT_RUN, reason)
        return True
    if folder.cancel_file.exists():
        close(folder, Verdict.FAILED, Reason(kind=Kind.CANCELLED, message=CANCELLED))
        return True
    return False


def close(folder: RunFolder, verdict: Verdict, reason: Reason) -> None:
    """End what is pending, with what has arrived of it."""
    evidence = written(folder)
    for part in PARTS:
        if evidence[part]["verdict"] == Verdict.PENDING:
            ended = {"verdict": str(verdict), "reason": reason.to_record(), "at": now()}
            evidence[part] = {**evidence[part], **ended}
    for place in folder.further():
        close_execution(place)
    write(folder, evidence)


def close_execution(place: ExecutionFolder) -> None:
    """Say of an execution that says it is running, and whose supervisor is gone, that it is lost."""
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
