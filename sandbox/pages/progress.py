"""How far a run is, as a stream of events until it ends and all its evidence is there."""

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
from sandbox.pages.faults import UNREADABLE
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from sandbox.worker.progress import progress
from synthetic.errors import SyntheticError

LOOK_S = 0.4  # between two looks at a run's files
QUIET_S = 15  # after which a line without meaning shows that we are still there


def drawn_at(folder: RunFolder) -> int:
    """Say when a run's report was drawn last, as a number that only grows; 0 if there is none."""
    return folder.report.stat().st_mtime_ns if folder.report.is_file() else 0


def _known(settings: Settings, run_id: str) -> dict[str, Any]:
    """Say where a run and its report stand, and whether anything is still to come."""
    folder = RunFolder.find(settings, run_id)
    known, is_asked = progress(settings, run_id), evidenced.is_asked(folder)
    if not is_asked:
        evidenced.evidence(settings, folder)  # draws a report that nobody draws any more
    is_over = known["is_final"] and not is_asked and not evidenced.is_behind(folder)
    return {**known, "report_at": str(drawn_at(folder)), "is_over": is_over}


async def events(request: Request) -> Response:
    """Stream a run's progress; the stream ends with its evidence, or with these pages."""
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
            known = await run_in_threadpool(_known, settings, run_id)
        except (SandboxError, SyntheticError, *UNREADABLE):
            yield "event: gone\ndata: {}\n\n"  # the page, loaded again, says what is wrong
            return
        said = json.dumps(known, ensure_ascii=False)
        if said != told:
            yield f"event: progress\ndata: {said}\n\n"
            told, quiet_s = said, 0.0
        if known["is_over"]:
            return
        quiet_s += LOOK_S
        if quiet_s >= QUIET_S:
            yield ": still here\n\n"
            quiet_s = 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_S)
