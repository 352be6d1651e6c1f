"""A lock between processes that nobody waits for without end."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 10.0
LOOK_S = 0.002


@contextmanager
def locked(path: Path, wait_s: float = WAIT_S) -> Iterator[int]:
    """Hold the lock of a file, made if it is not there, and give its handle.

    Raises
    ------
    TimeoutError
        If another process keeps it for longer, as one does that was stopped with Ctrl-Z.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while not _is_held(handle):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is locked by another process")
            time.sleep(LOOK_S)
        yield handle
    finally:
        os.close(handle)


def _is_held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
