"""How far a run is: at this moment, and as a stream of events until it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sandbox.errors import SandboxError
from sandbox.language import _
from sandbox.look import spoken
from sandbox.pages.faults import UNREADABLE
from sandbox.runs.folder import RunFolder, now
from sandbox.runs.record import seconds_between
from sandbox.runs.registry import look_after
from sandbox.runs.report.quantities import seconds as in_words
from sandbox.runs.report.words import STATUSES
from sandbox.runs.states import CellState, Status
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

LOOK_S = 0.4  # between two looks at a run's files
QUIET_S = 15  # after which a line without meaning shows that we are still there


def progress(settings: Settings, run_id: str) -> dict[str, Any]:
    """Say where a run stands: `cell` of `n_cells` is at work, or was the last to end."""
    folder = RunFolder.find(settings, run_id)
    status = look_after(folder)
    record = folder.record() or {}
    states = [cell["state"] for cell in record.get("cells", [])]
    n_ended = sum(state not in {CellState.RUNNING, CellState.NOT_RUN} for state in states)
    cell = states.index(CellState.RUNNING) + 1 if CellState.RUNNING in states else n_ended
    seconds = _seconds(record)
    return {
        "status": str(status),
        "title": spoken(STATUSES[str(status)]),
        "is_final": status.is_final,
        "cell": cell,
        "n_ended": n_ended,
        "n_cells": len(states),
        "seconds": seconds,
        "text": _text(status, cell, len(states), seconds),
    }


def _seconds(record: dict[str, Any]) -> float | None:
    if record.get("seconds") is not None:
        return float(record["seconds"])
    with suppress(KeyError, ValueError):
        return float(round(seconds_between(record["started_at"], now())))
    return None


def _text(status: Status, cell: int, n_cells: int, seconds: float | None) -> str:
    took = spoken(in_words(seconds)) if seconds is not None else ""
    if status is Status.QUEUED:
        return _("Waiting for its turn.")
    if status is Status.RUNNING and not n_cells:
        return _("Getting ready: data and kernel.")
    return _("Cell {cell} of {n_cells} · {seconds}").format(
        cell=cell, n_cells=n_cells, seconds=took
    )


async def events(request: Request) -> Response:
    """Stream a run's progress; the stream ends with the run, or with these pages."""
    run_id = request.path_params["run"]
    return StreamingResponse(
        _stream(request.app.state.settings, run_id, request.app.state.stopping),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(settings: Settings, run_id: str, stopping: asyncio.Event) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    told, quiet_s = "", 0.0
    while not stopping.is_set():
        try:
            known = await run_in_threadpool(progress, settings, run_id)
        except (SandboxError, SyntheticError, *UNREADABLE):
            yield "event: gone\ndata: {}\n\n"  # the page, loaded again, says what is wrong
            return
        said = json.dumps(known, ensure_ascii=False)
        if said != told:
            yield f"event: progress\ndata: {said}\n\n"
            told, quiet_s = said, 0.0
        if known["is_final"]:
            return
        quiet_s += LOOK_S
        if quiet_s >= QUIET_S:
            yield ": still here\n\n"
            quiet_s = 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_S)
