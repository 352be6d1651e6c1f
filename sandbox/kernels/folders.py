"""How much lies in a folder that somebody else may be writing to, without following links."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.kernels.processes import BLOCK

DEEPEST = 50  # levels; nobody needs more, and a deeper tree could hide from a walk
LONGEST = 3000  # bytes of a path; the system reads none above 4095, so those could hide as well


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
        if problem := too_far(path, level):
            return Contents(size_bytes=size, n_files=n_files, problem=problem)
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
        except OSError as error:
            closed = isinstance(error, PermissionError)
            problem = "a folder was closed to the supervisor" if closed else str(error.strerror)
            return Contents(size_bytes=size, n_files=n_files, problem=problem)
    return Contents(size_bytes=size, n_files=n_files)


def tidy(folder: Path) -> list[str]:
    """Remove what is neither a file nor a folder from a folder that nobody writes to any more.

    A link that a notebook left would lead whoever opens or copies it to a file of the machine.
    Folders that are too deep to watch go as well.
    """
    removed = []
    waiting = [(folder, 0)] if folder.is_dir() else []
    while waiting:
        path, level = waiting.pop()
        if too_far(str(path), level):
            remove(path)
            removed.append(str(path.relative_to(folder)))
            continue
        path.chmod(0o700 | stat.S_IMODE(path.lstat().st_mode))  # it may have been closed
        for entry in sorted(path.iterdir()):
            mode = entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                waiting.append((entry, level + 1))
            elif not stat.S_ISREG(mode):
                entry.unlink()
                removed.append(str(entry.relative_to(folder)))
            elif mode & (stat.S_ISUID | stat.S_ISGID):
                entry.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))
    return removed


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it, as far as that can be done, following no links."""
    # Python's own gives up where folders are nested a thousand deep, and one of those would
    # otherwise stay in the way of every later run.
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    for words in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        with suppress(OSError):
            subprocess.run([*words, "--", str(folder)], capture_output=True, check=False)


def too_far(path: str, level: int) -> str | None:
    """Say why a folder lies too deep to be watched, if it does."""
    if level > DEEPEST:
        return f"folders are nested deeper than {DEEPEST} levels"
    if len(os.fsencode(path)) > LONGEST:
        return f"the path of a folder is longer than {LONGEST:,} bytes"
    return None
