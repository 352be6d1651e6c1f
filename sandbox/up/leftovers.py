"""What was started on behalf of one `up`: found by a mark in its environment, and ended."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

from sandbox.kernels.processes import kill_tree

log = logging.getLogger(__name__)

MARK = "SANDBOX_UP"  # in the environment of everything that one `up` starts
WAIT_S = 5


def end(mark: str) -> int:
    """Kill whatever is still there after a moment; give how many processes that took."""
    deadline = time.monotonic() + WAIT_S
    while (left := list(_marked(mark))) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left:
        log.warning("process %d (%s) was still there and is killed", process.pid, process.name())
        kill_tree(process.pid)
    return len(left)


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error, OSError):
            # Kernels have no environment of ours; they end with the server that they belong to.
            if process.environ().get(MARK) == mark:
                yield process
