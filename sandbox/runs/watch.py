"""The watch over a running kernel: looks often, ends it when it goes too far, says why.

One thread, outside the kernel. Whatever wants to end an execution (a limit, a person, a signal)
only says so here; the first reason stays, and the watch does the killing. Reasons go into
records, in English whatever is spoken; `endings` tells them in the reader's language.
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
    Process,
    hidden,
    in_memory_disks,
    memory_bytes,
    tree,
)
from sandbox.language import N_
from sandbox.runs.record import Usage
from sandbox.runs.states import Kind

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
FOLDER_EVERY_S = 0.3
FREE_BYTES = 256 * MIB  # what must stay free on the disk that the work folder is on
SHORT = N_("the machine's disk has less than {n} MiB free; free some space and run again").format(
    n=FREE_BYTES // MIB
)
TOO_MUCH_CPU = N_("more than {n} s of processor time were used")
TOO_LONG = N_("the execution took longer than {n} s")
OWN_BYTES = 1024 * MIB  # output can pile up in the supervisor itself before it is counted


class Watch:
    """Measures one kernel's processes and folders against its limits."""

    def __init__(self, limits: Limits, *, on_tick: Callable[[], None]) -> None:
        self.limits = limits
        self.folders: tuple[Path, ...] = ()
        self.every_s = LOOK_EVERY_S  # a kernel that waits for its user needs fewer looks
        self.usage = Usage()
        self.verdict: tuple[Kind, str] | None = None
        self._on_tick = on_tick
        self._output_bytes = 0
        self._own_ticks: dict[tuple[int, int], int] = {}
        self._ticks_before = 0
        self._spare = 0  # processes that isolation itself consists of
        self._next_folder_look = 0.0
        self._own_at_start = memory_bytes(os.getpid())
        self._deadline = time.monotonic() + limits.wall_s
        self._pid = 0
        self._looking = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(
        self,
        pid: int,
        folders: tuple[Path, ...],
        end: Callable[[], None],
        *,
        has_waited: bool = False,
    ) -> None:
        """Begin to watch the tree below this process and these folders; `end` kills it.

        What a kernel did before that only waited is not counted.
        """
        self.folders = folders
        processes = tree(pid)
        self._spare = max(0, len(processes) - 1)
        if has_waited:
            self._ticks_before = self._ticks(processes)
        self._thread = threading.Thread(
            target=self._run, args=(pid, end), name="kernel-watch", daemon=True
        )
        self._pid = pid
        self._thread.start()

    def look_now(self) -> None:
        """Look once more while the kernel is there; what took less than a look is seen as well."""
        try:
            with self._looking:
                if self.verdict is None:
                    self._look(self._pid)
        except Exception:
            # Nothing that the notebook did may hide behind a bad look, nor fail by it.
            log.exception("the last look at the kernel failed")

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

    def forget_output(self) -> None:
        """Count anew: in a session each request may send as much as a whole run."""
        self._output_bytes = 0

    def count_output(self, size_bytes: int) -> None:
        """Count what the kernel sends."""
        self._output_bytes += size_bytes
        if self._output_bytes > self.limits.output_bytes:
            self.ask(
                Kind.OUTPUT_SIZE,
                N_("the cells sent more than {limit} of output").format(
                    limit=size(self.limits.output_bytes)
                ),
            )

    def _run(self, pid: int, end: Callable[[], None]) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                with self._looking:
                    if self.verdict is None:
                        self._look(pid)
                if self.verdict is not None:
                    end()
                self._on_tick()
            except Exception:
                # The watch must outlive one bad look, or the kernel would run unwatched.
                log.exception("a look at the kernel failed")
            took = time.monotonic() - began
            self._stopped.wait(max(self.every_s, 2 * took))

    def _look(self, pid: int) -> None:
        limits = self.limits
        processes = tree(pid)
        pids = [process.pid for process in processes]
        n_processes = len(pids) - self._spare
        ticks = self._ticks(processes) - self._ticks_before
        self.usage = self.usage.seen(
            processes=n_processes, cpu_s=ticks / TICKS_PER_S, output_bytes=self._output_bytes
        )
        if n_processes > limits.processes:
            # Said before their memory is read, which takes long when they are many.
            self.ask(
                Kind.PROCESSES,
                N_("more than {n} processes ran at the same time").format(n=limits.processes),
            )
            return
        unnamed = hidden(pids, device=self.folders[0].stat().st_dev)
        memory = sum(map(memory_bytes, pids)) + unnamed.memory_bytes
        self.usage = self.usage.seen(peak_memory_bytes=memory)
        if memory > limits.memory_bytes:
            self.ask(
                Kind.MEMORY,
                N_("the kernel used {used} of memory; the limit is {limit}").format(
                    used=size(memory), limit=size(limits.memory_bytes)
                ),
            )
        elif self.usage.cpu_s > limits.cpu_s:
            self.ask(Kind.CPU, TOO_MUCH_CPU.format(n=limits.cpu_s))
        elif time.monotonic() > self._deadline:
            self.ask(Kind.TIME, TOO_LONG.format(n=limits.wall_s))
        elif memory_bytes(os.getpid()) - self._own_at_start > OWN_BYTES:
            self.ask(Kind.OUTPUT_SIZE, N_("the cells sent output faster than it can be written"))
        elif time.monotonic() >= self._next_folder_look:
            self._look_at_folders(unnamed.disk_bytes)
            if in_memory_disks(pids, ("/tmp", "/dev/shm")) > limits.files:
                # Each takes a kilobyte of the machine's own memory, empty as it may be.
                self.ask(
                    Kind.DISK,
                    N_("more than {n} files were written to /tmp").format(n=limits.files),
                )
            self._next_folder_look = time.monotonic() + FOLDER_EVERY_S

    def _ticks(self, processes: list[Process]) -> int:
        for process in processes:
            self._own_ticks[process.pid, process.start] = process.own_ticks
        return max(sum(self._own_ticks.values()), sum(process.ticks for process in processes))

    def _look_at_folders(self, removed_bytes: int) -> None:
        limits = self.limits
        found = [contents(folder, stop_at=limits.files) for folder in self.folders]
        used = sum(one.size_bytes for one in found) + removed_bytes
        self.usage = self.usage.seen(disk_bytes=used)
        problems = [one.problem for one in found if one.problem]
        if used > limits.disk_bytes:
            self.ask(
                Kind.DISK,
                N_("the work folder grew to {used}; the limit is {limit}").format(
                    used=size(used), limit=size(limits.disk_bytes)
                ),
            )
        elif sum(one.n_files for one in found) > limits.files:
            self.ask(Kind.DISK, N_("more than {n} files were written").format(n=limits.files))
        elif problems:
            self.ask(
                Kind.DISK,
                N_("the work folder cannot be watched: {problem}").format(problem=problems[0]),
            )
        elif is_short(self.folders[0]):
            self.ask(Kind.DISK_FULL, SHORT)


def is_short(folder: Path) -> bool:
    """Whether the disk that a folder is on has too little space left to run anything."""
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize < FREE_BYTES


def size(n_bytes: int) -> str:
    """Write a number of bytes for people."""
    return f"{n_bytes / MIB:,.0f} MiB"
