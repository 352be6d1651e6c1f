"""A command with all its processes: seconds, CPU seconds, and the peak of its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.05


@dataclass(frozen=True)
class Watched:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float  # proportional set size of the whole tree: shared pages count once


def watch(command: Sequence[str]) -> Watched:
    """Run a command of this Python to its end, with the bytecode kept that an earlier run made."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started, before = time.monotonic(), _cpu_of_children()
    process = subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(_pss_mb(pid) for pid in _tree(process.pid)))
        time.sleep(_EVERY_S)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Watched(time.monotonic() - started, _cpu_of_children() - before, peak)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(root: int) -> set[int]:
    """A process and all below it."""
    above = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            above[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except (OSError, ValueError):  # gone meanwhile
            continue
    found = {root}
    while more := {pid for pid, parent in above.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
