"""How a run ended, in the reader's language; records keep the reason in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.language import N_, _
from sandbox.retold import retold
from sandbox.runs.states import Kind

TITLES = {
    Kind.COMPLETED: N_("completed"),
    Kind.CELL_ERROR: N_("cell error"),
    Kind.MEMORY: N_("memory"),
    Kind.TIME: N_("time"),
    Kind.CPU: N_("CPU"),
    Kind.PROCESSES: N_("processes"),
    Kind.OUTPUT_SIZE: N_("output size"),
    Kind.DISK: N_("disk"),
    Kind.DISK_FULL: N_("disk full"),
    Kind.KERNEL_DIED: N_("kernel died"),
    Kind.EXIT_CALLED: N_("exit called"),
    Kind.CANCELLED: N_("cancelled"),
    Kind.SUPERVISOR_LOST: N_("supervisor lost"),
    Kind.COULD_NOT_START: N_("could not start"),
}


def title(kind: str) -> str:
    """Write the kind of an end; one that is not known stays as it is."""
    return _(TITLES[Kind(kind)]) if kind in TITLES else kind


def told(reason: Mapping[str, Any]) -> str:
    """Write a reason: its kind and its message; of a run that was stopped, only who stopped it."""
    message = retold(str(reason["message"]))
    if reason["kind"] == Kind.CANCELLED:
        return message
    return f"{title(str(reason['kind']))}: {message}"
