"""What was started on behalf of one `up`: found by a mark in its environment, and ended."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

from sandbox import runs
from sandbox.errors import SandboxError
from sandbox.kernels.processes import kill_tree
from sandbox.runs.background import SUPERVISOR
from sandbox.settings import Settings

log = logging.getLogger(__name__)

MARK = "SANDBOX_UP"  # in the environment of everything that one `up` starts
WAIT_S = 5


def cancel_runs(settings: Settings, mark: str) -> list[str]:
    """Cancel the runs that were submitted through these servers; name them."""
    cancelled = []
    for process in _marked(mark):
        with suppress(psutil.Error):
            command = process.cmdline()
            if SUPERVISOR in command:
                run_id = command[command.index(SUPERVISOR) + 1]
                try:
                    runs.cancel(settings, run_id)
                    cancelled.append(run_id)
                except SandboxError as error:  # it ended by itself meanwhile
                    log.info("%s", error)
    return cancelled


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
