"""The watch over a running kernel: looks often, ends it when it goes too far, says why.

One thread, outside the kernel. Whatever wants to end an execution (a limit, a person, a signal)
only says so here; the first reason stays, and the watch does the killing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.kernels import Limits
from sandbox.kernels.folders import contents
from sandbox.kernels.policy import MIB
from sandbox.kernels.processes import (
    TICKS_PER_S,
    hidden,
    in_memory_disks,
    memory_bytes,
    tree,
)
from sandbox.runs.record import Usage
from sandbox.runs.states import Kind

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
FOLDER_EVERY_S = 0.3
FREE_BYTES = 256 * MIB  # what must stay free on the disk that the work folder is on
SHORT = (
    f"the machine's disk has less than {FREE_BYTES // MIB} MiB free; free some space and run again"
)
OWN_BYTES = 1024 * MIB  # output can pile up in the supervisor itself before it is counted


class Watch:
    """Measures one kernel's processes and folders against its limits."""

    def __init__(self, limits: Limits, *, on_tick: Callable[[], None]) -> None:
        self.limits = limits
        self.folders: tuple[Path, ...] = ()
        self.usage = Usage()
        self.verdict: tuple[Kind, str] | None = None
        self._on_tick = on_tick
        self._output_bytes = 0
        self._own_ticks: dict[tuple[int, int], int] = {}
        self._spare = 0  # processes that isolation itself consists of
        self._next_folder_look = 0.0
        self._own_at_start = memory_bytes(os.getpid())
        self._deadline = time.monotonic() + limits.wall_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, pid: int, folders: tuple[Path, ...], end: Callable[[], None]) -> None:
        """Begin to watch the tree below this process and these folders; `end` kills it."""
        self.folders = folders
        self._spare = max(0, len(tree(pid)) - 1)
        self._thread = threading.Thread(
            target=self._run, args=(pid, end), name="kernel-watch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def look_back(self) -> None:
        """Stop watching, and measure once more what a kernel that has ended left behind."""
        self.stop()
        if self.verdict is None:
            self._look_at_folders(0)

    def ask(self, kind: Kind, message: str) -> None:
        """Ask for the end; safe in a signal handler, and only the first reason counts."""
        if self.verdict is None:
            self.verdict = (kind, message)

    def count_output(self, size_bytes: int) -> None:
        """Count what the kernel sends."""
        self._output_bytes += size_bytes
        if self._output_bytes > self.limits.output_bytes:
            self.ask(
                Kind.OUTPUT_SIZE,
                f"the cells sent more than {size(self.limits.output_bytes)} of output",
            )

    def _run(self, pid: int, end: Callable[[], None]) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                if self.verdict is None:
                    self._look(pid)
                if self.verdict is not None:
                    end()
                self._on_tick()
            except Exception:
                # The watch must outlive one bad look, or the kernel would run unwatched.
                log.exception("a look at the kernel failed")
            took = time.monotonic() - began
            self._stopped.wait(max(LOOK_EVERY_S, 2 * took))

    def _look(self, pid: int) -> None:
        limits = self.limits
        processes = tree(pid)
        pids = [process.pid for process in processes]
        n_processes = len(pids) - self._spare
        for process in processes:
            self._own_ticks[process.pid, process.start] = process.own_ticks
        ticks = max(sum(self._own_ticks.values()), sum(process.ticks for process in processes))
        self.usage = self.usage.seen(
            processes=n_processes, cpu_s=ticks / TICKS_PER_S, output_bytes=self._output_bytes
        )
        if n_processes > limits.processes:
            # Said before their memory is read, which takes long when they are many.
            self.ask(Kind.PROCESSES, f"more than {limits.processes} processes ran at the same time")
            return
        unnamed = hidden(pids, device=self.folders[0].stat().st_dev)
        memory = sum(map(memory_bytes, pids)) + unnamed.memory_bytes
        self.usage = self.usage.seen(peak_memory_bytes=memory)
        if memory > limits.memory_bytes:
            self.ask(
                Kind.MEMORY,
                f"the kernel used {size(memory)} of memory; the limit is "
                f"{size(limits.memory_bytes)}",
            )
        elif self.usage.cpu_s > limits.cpu_s:
            self.ask(Kind.CPU, f"more than {limits.cpu_s} s of processor time were used")
        elif time.monotonic() > self._deadline:
            self.ask(Kind.TIME, f"the execution took longer than {limits.wall_s} s")
        elif memory_bytes(os.getpid()) - self._own_at_start > OWN_BYTES:
            self.ask(Kind.OUTPUT_SIZE, "the cells sent output faster than it can be written")
        elif time.monotonic() >= self._next_folder_look:
            self._look_at_folders(unnamed.disk_bytes)
            if in_memory_disks(pids, ("/tmp", "/dev/shm")) > limits.files:
                # Each takes a kilobyte of the machine's own memory, empty as it may be.
                self.ask(Kind.DISK, f"more than {limits.files} files were written to /tmp")
            self._next_folder_look = time.monotonic() + FOLDER_EVERY_S

    def _look_at_folders(self, removed_bytes: int) -> None:
        limits = self.limits
        found = [contents(folder, stop_at=limits.files) for folder in self.folders]
        used = sum(one.size_bytes for one in found) + removed_bytes
        self.usage = self.usage.seen(disk_bytes=used)
        problems = [one.problem for one in found if one.problem]
        if used > limits.disk_bytes:
            self.ask(
                Kind.DISK,
                f"the work folder grew to {size(used)}; the limit is {size(limits.disk_bytes)}",
            )
        elif sum(one.n_files for one in found) > limits.files:
            self.ask(Kind.DISK, f"more than {limits.files} files were written")
        elif problems:
            self.ask(Kind.DISK, f"the work folder cannot be watched: {problems[0]}")
        elif is_short(self.folders[0]):
            self.ask(Kind.DISK_FULL, SHORT)


def is_short(folder: Path) -> bool:
    """Whether the disk that a folder is on has too little space left to run anything."""
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize < FREE_BYTES


def size(n_bytes: int) -> str:
    """Write a number of bytes for people."""
    return f"{n_bytes / MIB:,.0f} MiB"
