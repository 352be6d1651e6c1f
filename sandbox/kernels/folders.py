"""How much lies in a folder that somebody else may be writing to, without following links."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sandbox.kernels.processes import BLOCK

DEEPEST = 50  # levels; nobody needs more, and a deeper tree could hide from a walk


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A folder's size, and why it could not be measured whole."""

    size_bytes: int
    n_files: int  # files, folders, links: each takes an entry
    problem: str | None = None


def contents(folder: Path, *, stop_at: int) -> Contents:
    """Measure a folder; stop once it holds more than `stop_at` entries."""
    size = n_files = 0
    waiting = [(str(folder), 0)]
    while waiting:
        path, level = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    n_files += 1
                    if n_files > stop_at:
                        return Contents(size_bytes=size, n_files=n_files)
                    try:
                        size += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append((entry.path, level + 1))
                    except FileNotFoundError:
                        continue  # removed meanwhile
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed meanwhile, or exchanged for a file
        except PermissionError:
            return Contents(
                size_bytes=size, n_files=n_files, problem="a folder was closed to the supervisor"
            )
        if level > DEEPEST:
            return Contents(
                size_bytes=size,
                n_files=n_files,
                problem=f"folders are nested deeper than {DEEPEST} levels",
            )
    return Contents(size_bytes=size, n_files=n_files)


def tidy(folder: Path) -> list[str]:
    """Remove what is neither a file nor a folder from a folder that nobody writes to any more.

    A link that a notebook left would lead whoever opens or copies it to a file of the machine.
    """
    removed = []
    for path, folders, files in os.walk(folder, followlinks=False):
        for name in (*folders, *files):
            entry = Path(path, name)
            mode = entry.lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                if mode & (stat.S_ISUID | stat.S_ISGID):
                    entry.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))
                continue
            entry.unlink()
            removed.append(str(entry.relative_to(folder)))
    return removed
