"""How often a step of evidence was begun: one that takes its supervisor with it is given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.evidence.work import Ended
from sandbox.runs.folder import RunFolder
from synthetic.tables.files import write_json

FILE = "tries.json"  # in the run's folder: {"step": name, "n": how often it was begun}


@contextmanager
def counted(folder: RunFolder, step: str) -> Iterator[int]:
    """Begin a step and give which try it is, from 1; whoever is killed in it has tried it.

    A step that ends is tried no more, and one that was told to end has tried nothing in vain.
    """
    before = _before(folder, step)
    path = folder.path / FILE
    write_json(path, {"step": step, "n": before + 1})
    try:
        yield before + 1
    except Ended as ended:
        if ended.is_asked:
            write_json(path, {"step": step, "n": before})
        raise
    path.unlink(missing_ok=True)


def _before(folder: RunFolder, step: str) -> int:
    try:
        told = json.loads((folder.path / FILE).read_text())
        return int(told["n"]) if told["step"] == step else 0
    except (OSError, ValueError, TypeError, KeyError):
        return 0  # none, or torn by whoever is not us: it begins anew
