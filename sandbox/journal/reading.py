"""The log as it stands on the disk, read while nobody writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.journal.line import HEAD, LOG, Line, folder
from sandbox.journal.locking import locked
from synthetic.tables.files import storage_error


@dataclass(frozen=True)
class Log:
    """The bytes of the log and of its head."""

    texts: tuple[bytes, ...]  # each line without its end
    rest: bytes  # what stands after the last end of a line
    head: bytes | None


def read(home: Path) -> Log:
    """Read log and head at one moment; without a log it is empty."""
    path, head = folder(home) / LOG, folder(home) / HEAD
    if not path.is_file():
        return Log((), b"", head.read_bytes() if head.is_file() else None)
    try:
        with locked(path):
            *texts, rest = path.read_bytes().split(b"\n")
            return Log(tuple(texts), rest, head.read_bytes().rstrip() if head.is_file() else None)
    except OSError as error:  # also where the lock was not to be had
        raise storage_error("read", path, error) from error


def lines(home: Path, run: str) -> list[dict[str, Any]]:
    """Give what the log says of one run, in order; what is no line is passed over."""
    found = (Line.read(text) for text in read(home).texts)
    return [dict(line.facts) for line in found if line and line.facts["run"] == run]
