"""Draws that were made before, as they were noted: to find them again takes no look at a spec."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from synthetic.tables.files import write_json
from synthetic.tables.manifest import Manifest


def once(folder: Path, name: str, make: Callable[[], list[Manifest]]) -> list[Manifest]:
    """Give the draws that are noted under this name, or make and note them.

    What has lost a file, or a part of one, is removed and made anew.
    """
    note = folder / f"{name}.json"
    found = _noted(folder, note)
    if found and all(map(_is_whole, found)):
        return found
    for one in found:
        shutil.rmtree(one.folder, ignore_errors=True)
    made = make()
    told = [{"at": str(one.folder.relative_to(folder)), "data": dict(one.data)} for one in made]
    write_json(note, told)
    return made


def _noted(folder: Path, note: Path) -> list[Manifest]:
    try:
        return [Manifest(folder / one["at"], one["data"]) for one in json.loads(note.read_bytes())]
    except (OSError, ValueError, TypeError, KeyError):
        return []  # nothing yet, or nothing that can be read


def _is_whole(drawn: Manifest) -> bool:
    """Whether every file is there, as long as it should be; its hash is checked before it is read."""
    try:
        return all(
            (drawn.folder / file["path"]).stat().st_size == file["bytes"]
            for table in drawn.tables
            for file in table["files"]
        )
    except OSError:
        return False
