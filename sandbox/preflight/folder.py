"""The notebook's folder: what lies in it, and which of its files travel with a submission."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.lab import files
from sandbox.preflight import calls, cells
from sandbox.preflight.attached import wanted
from sandbox.runs.notebook import Notebook


def beside(path: str | Path) -> frozenset[str]:
    """Name what lies in the folder of a notebook; nothing for a template's name."""
    with suppress(OSError, ValueError):
        if Path(path).is_file():
            return frozenset(one.name for one in Path(path).resolve().parent.iterdir())
    return frozenset()


def named_beside(notebook: Notebook, names: Sequence[str] | frozenset[str]) -> list[str]:
    """Name the files beside a notebook that travel: its cells name them, or their tables."""
    return wanted(calls.code(cells.read(notebook)), names)


def gather(path: str | Path, notebook: Notebook, given: Sequence[str | Path] = ()) -> list[Path]:
    """Give the files that travel: those that are given, and those beside the notebook it names.

    A file that is given comes before the one of the same name beside the notebook.
    """
    explicit = [Path(one).resolve() for one in given]
    taken = {files.same(one.name) for one in explicit}
    folder = Path(path).resolve().parent
    found = [folder / name for name in named_beside(notebook, beside(path))]
    return [*explicit, *(one for one in found if files.same(one.name) not in taken)]
