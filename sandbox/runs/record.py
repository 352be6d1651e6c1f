"""What the supervisor saw of an execution, as it is written down.

The results and conclusions in it are the notebook's own claims; everything else was seen from
outside the kernel.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import sandbox
from sandbox.language import N_
from sandbox.runs.states import CellState, Kind, Status, end_of
from sandbox.runs.texts import fit

FORMAT = 1
DISTRIBUTION = "vietnam-data-sandbox"
RESULT = "application/vnd.sandbox.result+json"
CONCLUSION = "application/vnd.sandbox.conclusion+json"
LONGEST = 4000  # characters of one text that a notebook claims
MOST = 1000  # claims of one notebook
LARGEST = 2**63  # whole numbers from here on become text; few readers of JSON hold them


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why an execution ended, in one word and in a sentence; `cell` counts from 0."""

    kind: Kind
    message: str
    cell: int | None = None

    def to_record(self) -> dict[str, Any]:
        """Give the reason for a record."""
        return {"kind": str(self.kind), "message": self.message, "cell": self.cell}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One code cell and what became of it."""

    index: int
    id: str
    state: CellState = CellState.NOT_RUN
    seconds: float | None = None

    def to_record(self) -> dict[str, Any]:
        """Give the cell for a record."""
        return {
            "index": self.index,
            "id": self.id,
            "state": str(self.state),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class Usage:
    """The most that was seen in use."""

    peak_memory_bytes: int = 0
    cpu_s: float = 0.0
    disk_bytes: int = 0
    processes: int = 0
    output_bytes: int = 0

    def seen(self, **now: float) -> Usage:
        """Raise each figure to what is seen now, if that is more."""
        return replace(
            self, **{name: max(value, getattr(self, name)) for name, value in now.items()}
        )

    def to_record(self) -> dict[str, Any]:
        """Give the usage for a record."""
        return {
            "peak_memory_bytes": self.peak_memory_bytes,
            "cpu_s": round(self.cpu_s, 2),
            "disk_bytes": self.disk_bytes,
            "processes": self.processes,
            "output_bytes": self.output_bytes,
        }


def lost(record: Mapping[str, Any], *, at: str) -> dict[str, Any]:
    """Close the record of an execution whose supervisor is gone."""
    cells = [
        {**cell, "state": str(CellState.INTERRUPTED)}
        if cell["state"] == CellState.RUNNING
        else cell
        for cell in record["cells"]
    ]
    running = [cell["index"] for cell in record["cells"] if cell["state"] == CellState.RUNNING]
    reason = Reason(
        kind=Kind.SUPERVISOR_LOST,
        message=N_("the supervisor ended without a word (killed, or the machine stopped)"),
        cell=running[0] if running else None,
    )
    return {
        **record,
        "status": str(end_of(reason.kind)),
        "reason": reason.to_record(),
        "ended_at": at,
        "seconds": seconds_between(record["started_at"], at),
        "cells": cells,
    }


def reason_of(status: Status, record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give the reason of a run's end; one that was lost before its first record has one too."""
    if status is Status.LOST and not record:
        words = N_(
            "the supervisor ended before the notebook began (killed, or the machine stopped)"
        )
        return Reason(kind=Kind.SUPERVISOR_LOST, message=words).to_record()
    return (record or {}).get("reason")


def seconds_between(start: str, end: str) -> float:
    """Give the seconds between two times of a record."""
    took = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(0.0, round(took.total_seconds(), 3))  # the machine's clock can go backwards


def claims(notebook: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Collect the results and conclusions that an executed notebook declares."""
    results: list[dict[str, Any]] = []
    conclusions: list[dict[str, Any]] = []
    for index, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            said = data.get(RESULT)
            if isinstance(said, Mapping) and len(results) < MOST:
                results.append(
                    {
                        "name": _words(said.get("name")),
                        "value": _plain(said.get("value")),
                        "unit": _words(said.get("unit"), optional=True),
                        "n": _whole(said.get("n")),
                        "cell": index,
                    }
                )
            said = data.get(CONCLUSION)
            if isinstance(said, Mapping) and len(conclusions) < MOST:
                conclusions.append(
                    {
                        "statement": _words(said.get("statement")),
                        "holds": said.get("holds") is True,
                        "cell": index,
                    }
                )
    return results, conclusions


def environment() -> dict[str, Any]:
    """Say with which Python and which packages an execution works."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages(),
        "lock_sha256": lock_sha256(),
    }


def runner() -> dict[str, Any]:
    """Say whose machine this is: the author's own, unless an installation says more."""
    return {
        "kind": "author",
        "host_os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processors": _processors(),
    }


@cache
def packages() -> dict[str, str]:
    """Give the versions of what this program asks for, and its own."""
    try:
        asked = metadata.requires(DISTRIBUTION) or []
        found = {DISTRIBUTION: metadata.version(DISTRIBUTION)}
    except metadata.PackageNotFoundError:
        return {}
    for requirement in asked:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def lock_sha256() -> str:
    """Hash the lock of this environment."""
    return hashlib.sha256(lock()[1]).hexdigest()


@cache
def lock() -> tuple[str, bytes]:
    """Give the lock file of a repository, or the list of everything that is installed; its name."""
    path = Path(sandbox.__path__[0]).parent / "uv.lock"
    if path.is_file():
        return path.name, path.read_bytes()
    installed = sorted(
        {f"{one.metadata['Name']}=={one.version}".lower() for one in metadata.distributions()}
    )
    return "installed.txt", "\n".join(installed).encode()


def _processors() -> int:
    import os

    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _plain(value: Any) -> Any:
    """Keep a scalar; anything else, and a number without an end, becomes text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= LARGEST:
        return str(value)[:LONGEST]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return fit(value, longest=LONGEST)
    return fit(json.dumps(value, ensure_ascii=False, default=str), longest=LONGEST)


def _text(value: Any) -> str:
    return str(_plain(value))


def _words(value: Any, *, optional: bool = False) -> str | dict[str, str] | None:
    """Keep a text, or the same in both languages."""
    if value is None and optional:
        return None
    if isinstance(value, Mapping) and set(value) == {"vi", "en"}:
        return {language: _text(value[language]) for language in ("vi", "en")}
    return _text(value)


def _whole(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and abs(value) < LARGEST else None
