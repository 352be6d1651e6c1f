"""Which folders of the machine a Python needs to run: the interpreter, its packages, ours.

An editable install points to a repository; only the two package folders of it are given, since a
repository holds much else.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import sandbox
import synthetic

SYSTEM = Path("/usr")


@cache
def folders() -> tuple[Path, ...]:
    """List the folders to bind, read-only and at their own paths, parents before children."""
    wanted = [Path(sys.base_prefix), Path(sys.prefix)]
    wanted += [Path(entry) for entry in sys.path if entry.endswith(("-packages", "-packages/"))]
    wanted += [Path(next(iter(package.__path__))) for package in (sandbox, synthetic)]
    kept: list[Path] = []
    # Folders and the places that they are links to: both names are used by what runs inside.
    for folder in sorted({*wanted, *(path.resolve() for path in wanted)}, key=depth):
        if folder.is_dir() and not any(folder.is_relative_to(one) for one in (SYSTEM, *kept)):
            kept.append(folder)
    return tuple(kept)


@cache
def hops() -> tuple[tuple[Path, Path], ...]:
    """List the links on the way to the interpreter that no such folder holds, and their targets.

    The folders that they lie in are not given: `~/.local/bin/python3` would open all of `~/.local`.
    """
    given = (SYSTEM, *folders())
    return tuple(
        (link, link.readlink())
        for link in links(Path(sys.executable))
        if not any(link.is_relative_to(one) or one.is_relative_to(link) for one in given)
    )


def holding(path: Path) -> Path | None:
    """Name the folder, among those that every notebook can read, that holds this path."""
    real = path.resolve()
    return next((one for one in (SYSTEM, *folders()) if real.is_relative_to(one)), None)


def links(path: Path) -> list[Path]:
    """Follow a path and list the links on its way, of folders and of the file itself."""
    found: list[Path] = []
    while len(found) < 40:
        link = next((way for way in (*reversed(path.parents), path) if way.is_symlink()), None)
        if link is None:
            break
        found.append(link)
        path = Path(os.path.normpath(link.parent / link.readlink())) / path.relative_to(link)
    return found


def depth(path: Path) -> tuple[int, str]:
    """Order paths so that a folder comes before what it holds."""
    return len(path.parts), str(path)
