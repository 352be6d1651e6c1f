"""The states of a run and who may move it: one table."""

from __future__ import annotations

from enum import StrEnum

from sandbox.errors import StateError
from sandbox.language import N_, _


class Status(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in {Status.QUEUED, Status.RUNNING}


class Kind(StrEnum):
    """Why an execution ended."""

    COMPLETED = "completed"
    CELL_ERROR = "cell error"
    MEMORY = "memory"
    TIME = "time"
    CPU = "CPU"
    PROCESSES = "processes"
    OUTPUT_SIZE = "output size"
    DISK = "disk"
    DISK_FULL = "disk full"
    KERNEL_DIED = "kernel died"
    EXIT_CALLED = "exit called"
    CANCELLED = "cancelled"
    SUPERVISOR_LOST = "supervisor lost"
    COULD_NOT_START = "could not start"


class CellState(StrEnum):
    """What became of a cell; `running` only while the execution goes on."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"


NEXT = {
    Status.QUEUED: {Status.RUNNING, Status.CANCELLED},
    Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.LOST},
    Status.LOST: {Status.QUEUED},
    Status.SUCCEEDED: set(),
    Status.FAILED: set(),
    Status.CANCELLED: set(),
}

TITLES = {  # what people read; records keep the words above
    Status.QUEUED: N_("queued"),
    Status.RUNNING: N_("running"),
    Status.SUCCEEDED: N_("succeeded"),
    Status.FAILED: N_("failed"),
    Status.CANCELLED: N_("cancelled"),
    Status.LOST: N_("lost"),
}

CELL_TITLES = {
    CellState.RUNNING: N_("running"),
    CellState.SUCCEEDED: N_("succeeded"),
    CellState.FAILED: N_("failed"),
    CellState.INTERRUPTED: N_("interrupted"),
    CellState.NOT_RUN: N_("not run"),
}

ENDS = {
    Kind.COMPLETED: Status.SUCCEEDED,
    Kind.CANCELLED: Status.CANCELLED,
    Kind.SUPERVISOR_LOST: Status.LOST,
}


def title(status: Status) -> str:
    """Write a state in the reader's language."""
    return _(TITLES[status])


def cell_title(state: CellState) -> str:
    """Write what became of a cell in the reader's language."""
    return _(CELL_TITLES[state])


def can_move(present: Status, wanted: Status) -> bool:
    """Whether a run may go from one state to the other."""
    return wanted in NEXT[present]


def check_can_move(run: str, present: Status, wanted: Status) -> None:
    """Refuse a step that the table does not hold."""
    if not can_move(present, wanted):
        leads = ", ".join(title(one) for one in sorted(NEXT[present])) or _("nowhere")
        raise StateError(
            _("run {run} is {present} and cannot become {wanted}; it leads to: {leads}").format(
                run=run, present=title(present), wanted=title(wanted), leads=leads
            )
        )


def end_of(kind: Kind) -> Status:
    """Give the state that an end of this kind leads to."""
    return ENDS.get(kind, Status.FAILED)
