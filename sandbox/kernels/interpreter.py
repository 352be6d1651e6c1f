"""Which folders of the machine a Python needs to run: the interpreter, its packages, ours.

An editable install points to a repository; only the two package folders of it are given, since a
repository holds much else.
"""

from __future__ import annotations

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
    wanted += [hop.parent.parent for hop in links(Path(sys.executable))]
    wanted += [Path(entry) for entry in sys.path if entry.endswith(("-packages", "-packages/"))]
    wanted += [Path(next(iter(package.__path__))) for package in (sandbox, synthetic)]
    kept: list[Path] = []
    # Folders and the places that they are links to: both names are used by what runs inside.
    for folder in sorted({*wanted, *(path.resolve() for path in wanted)}, key=depth):
        if folder.is_dir() and not any(folder.is_relative_to(one) for one in (SYSTEM, *kept)):
            kept.append(folder)
    return tuple(kept)


def links(path: Path) -> list[Path]:
    """Follow a link step by step; every step must exist inside too."""
    hops = [path]
    while hops[-1].is_symlink() and len(hops) < 40:
        hops.append(hops[-1].parent / hops[-1].readlink())
    return hops


def depth(path: Path) -> tuple[int, str]:
    """Order paths so that a folder comes before what it holds."""
    return len(path.parts), str(path)
