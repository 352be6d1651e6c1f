"""JSON files of a run read without trust: what is missing or of a wrong type reads as empty.

A report must be made of any run, also of one that died while it wrote, so nothing here raises
over content; what could not be read is told by the caller.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sandbox.runs.report.characters import plain

LARGEST_BYTES = 200_000_000  # larger files are told of, not read


def load(path: Path) -> dict[str, Any] | None:
    """Read one JSON object, or nothing if the file is missing, too large or no object."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def sha256(path: Path) -> str | None:
    """Hash a file, or nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def mapping(value: object) -> dict[str, Any]:
    """Give an object's entries; anything else has none."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Give a list's items; anything else has none."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """Give those items of a list that are objects."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def text(value: object) -> str:
    """Give a value as text that shows all of itself; nothing is the empty text."""
    return "" if value is None else plain(str(value))


def number(value: object) -> float | None:
    """Give a number; a truth value or a text is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value] # narrowed above


def whole(value: object) -> int | None:
    """Give a whole number; a truth value is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
