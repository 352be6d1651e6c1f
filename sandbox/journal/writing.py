"""Add a line to the log: by many processes at once, and whatever way one of them ends.

What is written is never changed. A process that dies in the middle of a line leaves a torn one;
who comes next ends it, and tells of it in a line of its own.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.journal.keys import Signer, signer
from sandbox.journal.line import HEAD, HEALED, LOG, LONGEST, Line, Place, folder
from sandbox.journal.locking import locked
from synthetic.tables.files import make_folder

log = logging.getLogger(__name__)

TAIL_BYTES = 16_384  # more than two lines
HEAD_BYTES = 320  # a new head covers the one before


def append(home: Path, event: str, run: str, **facts: str | int | None) -> int | None:
    """Write down what happened to a run, and give the line's number.

    Never raises: a run does not end because of its log. What could not be written is told in this
    program's own messages, and `sandbox log verify` finds that it is missing.
    """
    told = {key: _short(value) for key, value in facts.items() if value is not None}
    try:
        make_folder(folder(home))
        key = signer(home)
        with locked(folder(home) / LOG) as handle:
            return _write(folder(home) / HEAD, handle, key, {**told, "event": event, "run": run})
    except Exception:
        log.exception("the log has no line of run %s: %s", run, event)
        return None


def _write(head: Path, handle: int, key: Signer, facts: Mapping[str, Any]) -> int:
    tail = _tail(handle)
    place = _last(tail, head)
    torn = tail.rpartition(b"\n")[2]
    if torn:
        _add(handle, b"\n")  # whole but for its end, or torn: either way the next begins afresh
    if torn and Line.read(torn) is None:
        log.warning("a line of the log was torn; it stays as it is, and a new one tells of it")
        about = {"torn_bytes": len(torn), "torn_sha256": hashlib.sha256(torn).hexdigest()}
        place = _seal(handle, key, place, {**about, "event": HEALED, "run": facts["run"]})
    place = _seal(handle, key, place, facts)
    os.fdatasync(handle)  # before the head, or a power cut could make the log the shorter of them
    _sign(head, key, place)
    return place.seq


def _seal(handle: int, key: Signer, place: Place, facts: Mapping[str, Any]) -> Place:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = Line.make(key, place, {**facts, "at": at})
    _add(handle, line.to_bytes())
    return line.place


def _last(tail: bytes, head: Path) -> Place:
    """Find where the log stands: by its own last line, or by the head where that knows more."""
    whole = (line for text in reversed(tail.split(b"\n")) if (line := Line.read(text)))
    last = next((line.place for line in whole), Place())
    told = Place.read(head.read_bytes().rstrip()) if head.is_file() else None
    return told if told is not None and told.seq > last.seq else last


def _tail(handle: int) -> bytes:
    """Read the end of the log: its last lines, the first of them perhaps in part."""
    start = max(0, os.fstat(handle).st_size - TAIL_BYTES)
    return os.pread(handle, TAIL_BYTES, start)


def _add(handle: int, data: bytes) -> None:
    written = os.write(handle, data)
    if written < len(data):
        raise OSError(f"only {written} of {len(data)} bytes could be written; is the disk full?")


def _sign(head: Path, key: Signer, place: Place) -> None:
    # In place and in one piece: a new file would have to reach the disk before the old one goes.
    handle = os.open(head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(handle, place.head(key).ljust(HEAD_BYTES) + b"\n", 0)
    finally:
        os.close(handle)


def _short(value: str | int) -> str | int:
    return value[:LONGEST] if isinstance(value, str) else value
