"""The columns that a run's connection noted as read, cell by cell.

The file lies where the notebook can write, so nothing in it is believed but its own words: it is
small, of the expected shape, and names columns that there are, or it is not read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.lab.reads import NAME

LARGEST_BYTES = 2_000_000
Read = Mapping[str, frozenset[str]]  # table, as dataset.table -> columns


def reported(work: Path) -> dict[int, Read] | None:
    """Give what each cell read, by the count of its execution; None if that is not known whole."""
    content = _content(work / NAME)
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, dict) or content.get("is_lost") is not False:
        return None
    return {
        int(count): {str(table): _names(columns) for table, columns in read.items()}
        for count, read in cells.items()
        if count.isdecimal() and len(count) < 10 and isinstance(read, dict)
    }


def _content(path: Path) -> Any:
    try:
        # A link or a pipe that a notebook left there is not followed and not waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        return None if len(data) > LARGEST_BYTES else json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None


def _names(columns: Any) -> frozenset[str]:
    return frozenset(map(str, columns)) if isinstance(columns, list) else frozenset()
