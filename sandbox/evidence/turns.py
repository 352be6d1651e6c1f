"""Whose turn it is: first executions of everybody come before anybody's evidence.

One execution for evidence at a time on this machine, and none is begun while a first execution
waits or every processor has one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.errors import SandboxError
from sandbox.runs import registry
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from sandbox.settings import Settings
from synthetic.errors import SyntheticError
from synthetic.tables.files import storage_error

LOOK_S = 0.5


@contextmanager
def turn(settings: Settings, run_id: str, given_up: Callable[[], bool]) -> Iterator[None]:
    """Wait for the turn of a run's evidence and hold it; `given_up` ends the wait."""
    path = settings.runs / "evidence.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error("lock", path, error) from error
    try:
        while not given_up() and not (is_held(handle) and is_calm(settings, run_id)):
            time.sleep(LOOK_S)
        yield
    finally:
        os.close(handle)


def is_held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # again, if it is ours, does nothing
    except BlockingIOError:
        return False
    return True


def is_calm(settings: Settings, run_id: str) -> bool:
    """Whether no first execution waits, and a processor is free of them."""
    going = [
        status
        for name in registry.names(settings) - {run_id}
        if (status := _status(settings, name)) in {Status.QUEUED, Status.RUNNING}
    ]
    return Status.QUEUED not in going and len(going) < (os.cpu_count() or 1)


def _status(settings: Settings, name: str) -> Status | None:
    """Give a run's state, looked after; one whose files are damaged waits for nothing."""
    try:
        return registry.look_after(RunFolder.find(settings, name))
    except (SandboxError, SyntheticError, OSError):
        return None
