"""What a tree of processes uses, read from /proc.

Memory is the proportional share (PSS), since resident sizes count what forks share again and
again. A process can close its own details to an ordinary user; then its resident size, which
nobody can close, stands in for its share, and errs on the safe side.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BLOCK = 512  # bytes, the unit of st_blocks


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    own_ticks: int  # processor time of its own
    ticks: int  # with that of its ended children
    start: int  # ticks since the machine started; with the pid it names a process for good
    has_ended: bool  # and is only there until its parent asks for its end


def table() -> dict[int, Process]:
    """Read the machine's process table."""
    found = {}
    with os.scandir(PROC) as entries:
        for entry in entries:
            if entry.name.isdigit() and (process := read(int(entry.name))) is not None:
                found[process.pid] = process
    return found


def read(pid: int) -> Process | None:
    """Read one process, or None if it has ended."""
    try:
        line = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The name, in brackets, may hold anything; the fields begin after the last bracket.
    fields = line[line.rindex(b")") + 2 :].split()
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    own = user + system
    return Process(
        pid=pid,
        parent=int(fields[1]),
        own_ticks=own,
        ticks=own + child_user + child_system,
        start=int(fields[19]),
        has_ended=fields[0] in {b"Z", b"X"},
    )


def tree(root: int) -> list[Process]:
    """List a process and everything that descends from it."""
    everything = table()
    children: dict[int, list[Process]] = {}
    for process in everything.values():
        children.setdefault(process.parent, []).append(process)
    found = [everything[root]] if root in everything else []
    for process in found:  # grows while it is walked
        found += children.get(process.pid, [])
    return found


def memory_bytes(pid: int) -> int:
    """Give the memory that a process accounts for: its share, or its resident size."""
    with suppress(OSError):
        lines = (PROC / str(pid) / "smaps_rollup").read_bytes().splitlines()
        shares = [line.split() for line in lines if line.startswith((b"Pss:", b"SwapPss:"))]
        if shares:
            return sum(int(share[1]) * 1024 for share in shares)
    with suppress(OSError, IndexError, ValueError):
        return int((PROC / str(pid) / "statm").read_bytes().split()[1]) * PAGE
    return 0


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """What open handles hold that no folder shows."""

    memory_bytes: int  # files that lie in memory only
    disk_bytes: int  # files that were removed while open


def hidden(pids: Iterable[int], *, device: int) -> Hidden:
    """Measure what these processes hold open without a name; `device` is the work folder's."""
    memory: dict[tuple[int, int], int] = {}
    disk: dict[tuple[int, int], int] = {}
    for pid in pids:
        folder = PROC / str(pid) / "fd"
        with suppress(OSError):
            for handle in folder.iterdir():
                with suppress(OSError):
                    facts = handle.stat()
                    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink:
                        continue
                    key = (facts.st_dev, facts.st_ino)
                    if facts.st_dev == device:
                        disk[key] = facts.st_blocks * BLOCK
                    elif str(handle.readlink()).startswith("/memfd:"):
                        memory[key] = facts.st_blocks * BLOCK
    return Hidden(memory_bytes=sum(memory.values()), disk_bytes=sum(disk.values()))


def in_memory_disks(pids: Iterable[int], folders: Iterable[str]) -> int:
    """Count the files in these folders of a sandbox, which lie in memory that no process owns."""
    outside = PROC.joinpath("self", "root").stat()
    for pid in pids:
        root = PROC / str(pid) / "root"
        with suppress(OSError):  # it ended, or closed itself: the next one sees the same folders
            if not os.path.samestat(root.stat(), outside):
                found = [os.statvfs(f"{root}{folder}") for folder in folders]
                return sum(one.f_files - one.f_ffree for one in found)
    return 0


def started(pid: int) -> int | None:
    """Give the start time of a process in ticks; None if there is none, or it has ended."""
    process = read(pid)
    return None if process is None or process.has_ended else process.start


def kill_tree(root: int) -> None:
    """Kill a process and its descendants, as long as new ones appear."""
    for _ in range(20):
        pids = [process.pid for process in tree(root)]
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP if len(pids) > 1 else signal.SIGKILL)
        for pid in reversed(pids):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if len(pids) <= 1:
            return
