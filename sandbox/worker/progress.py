"""How far a run is: its place in the queue and the expected wait, then cells, time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from sandbox.language import _
from sandbox.look import formats, spoken
from sandbox.runs import workers
from sandbox.runs.folder import RunFolder, now
from sandbox.runs.record import seconds_between
from sandbox.runs.registry import look_after
from sandbox.runs.report.words import STATUSES
from sandbox.runs.states import CellState, Status
from sandbox.settings import Settings
from sandbox.worker.queue import Queue
from sandbox.worker.status import wait_s


def progress(settings: Settings, run_id: str) -> dict[str, Any]:
    """Say where a run stands: `cell` of `n_cells` is at work, or was the last to end."""
    folder = RunFolder.find(settings, run_id)
    status = look_after(folder)
    record = folder.record() or {}
    states = [cell["state"] for cell in record.get("cells", [])]
    n_ended = sum(state not in {CellState.RUNNING, CellState.NOT_RUN} for state in states)
    facts = {
        "status": str(status),
        "title": spoken(STATUSES[str(status)]),
        "is_final": status.is_final,
        "cell": states.index(CellState.RUNNING) + 1 if CellState.RUNNING in states else n_ended,
        "n_ended": n_ended,
        "n_cells": len(states),
        "seconds": _seconds(record),
        "memory_bytes": (record.get("usage") or {}).get("peak_memory_bytes") or None,
        **(_place(settings, run_id) if status is Status.QUEUED else NO_PLACE),
    }
    return {**facts, "text": _text(status, facts)}


NO_PLACE = {"position": None, "n_waiting": None, "wait_s": None, "has_worker": None}


def positions(settings: Settings) -> dict[str, int]:
    """Give the place in the queue of each run that waits, from 1."""
    return {one.run: place for place, one in enumerate(_queue(settings).look().first, 1)}


@cache
def _queue(settings: Settings) -> Queue:
    return Queue(settings)


def _place(settings: Settings, run_id: str) -> dict[str, Any]:
    look = _queue(settings).look()
    waiting = [one.run for one in look.first]
    n_slots = sum(len(one.slots) for one in workers.living(settings))
    position = waiting.index(run_id) + 1 if run_id in waiting else None  # else it begins just now
    return {
        "position": position,
        "n_waiting": len(waiting),
        "wait_s": wait_s(look, position, n_slots) if position else None,
        "has_worker": n_slots > 0,
    }


def _seconds(record: Mapping[str, Any]) -> float | None:
    if record.get("seconds") is not None:
        return float(record["seconds"])
    with suppress(KeyError, ValueError):
        return float(round(seconds_between(record["started_at"], now())))
    return None


def _text(status: Status, facts: Mapping[str, Any]) -> str:
    if status is Status.QUEUED:
        return _waiting(facts)
    if status is Status.RUNNING and not facts["n_cells"]:
        return _("Getting ready: data and kernel.")
    parts = [_("Cell {cell} of {n_cells}").format(**facts)]
    if facts["seconds"] is not None:
        parts.append(formats.seconds(facts["seconds"]))
    if facts["memory_bytes"]:
        memory = formats.size(facts["memory_bytes"])
        parts.append(_("{size} of memory").format(size=memory))
    return " · ".join(parts)


def _waiting(facts: Mapping[str, Any]) -> str:
    """Tell the place in the queue and the wait, as far as they are known."""
    if facts["position"] is None:
        return _("Waiting for its turn.")
    place = _("Waiting for its turn: number {position} of {n_waiting}.").format(**facts)
    if not facts["has_worker"]:
        hint = _("No worker is running; start one with: {command}")
        return f"{place} {hint.format(command='sandbox worker start')}"
    if facts["wait_s"] is None:
        return place
    if facts["wait_s"] < 1:
        return f"{place} " + _("It begins in a moment.")
    wait = formats.seconds(round(facts["wait_s"]))
    return f"{place} " + _("It begins in about {wait}.").format(wait=wait)
