"""The end of a run that somebody waits for, whoever executes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox import runs
from sandbox.errors import SandboxError, StateError, TakenError
from sandbox.runs import workers
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason, reason_of
from sandbox.runs.states import CellState, Kind, Status
from sandbox.runs.supervisor import BY_HAND, Outcome
from sandbox.settings import Settings
from sandbox.worker.progress import progress

if TYPE_CHECKING:
    from sandbox.runs.conduct import OnCell

LOOK_S = 0.2

Tell = Callable[[dict[str, Any]], None]


def outcome(
    settings: Settings, run_id: str, on_cell: OnCell | None = None, *, tell: Tell | None = None
) -> Outcome:
    """Give a run's end: a worker of this home executes it, or this process where there is none.

    `on_cell` is called as cells begin and end; `tell` instead, with all that is known of its
    progress, while others execute it. Ctrl-C cancels the run.
    """
    cells = _Cells(None if tell else on_cell)
    try:
        while not (known := progress(settings, run_id))["is_final"]:
            if known["status"] == Status.QUEUED and not workers.living(settings):
                with suppress(TakenError, StateError):  # somebody else has it after all
                    return runs.execute(settings, run_id, on_cell)
            if tell is not None:
                tell(known)
            cells.look(RunFolder.find(settings, run_id))
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        with suppress(SandboxError):  # it ended by itself meanwhile
            runs.cancel(settings, run_id)
        reason = Reason(kind=Kind.CANCELLED, message=BY_HAND)
        return Outcome(run=run_id, status=Status.CANCELLED, reason=reason)
    cells.look(RunFolder.find(settings, run_id))
    return ended(RunFolder.find(settings, run_id))


def ended(folder: RunFolder) -> Outcome:
    """Give the end of a run as its folder has it."""
    status = folder.status()
    known = reason_of(status, folder.record()) or {
        "kind": Kind.CANCELLED,  # while it waited, so there is no record of it
        "message": "",
        "cell": None,
    }
    reason = Reason(kind=Kind(known["kind"]), message=known["message"], cell=known["cell"])
    return Outcome(run=folder.id, status=status, reason=reason)


class _Cells:
    """Tells of cells that begin and end, as a run's record shows them."""

    def __init__(self, on_cell: OnCell | None) -> None:
        self._on_cell = on_cell
        self._told: dict[int, str] = {}

    def look(self, folder: RunFolder) -> None:
        if self._on_cell is None:
            return
        cells = (folder.record() or {}).get("cells", [])
        for position, cell in enumerate(cells, 1):
            state = cell["state"]
            if state != self._told.get(position, CellState.NOT_RUN):
                self._told[position] = state
                self._on_cell(position, len(cells), state)
