"""What a submitted notebook changed: beside the template it came from, and its last version.

Cell by cell, by type, source and tags: ids and outputs say nothing of what a notebook does. What
it declares of itself (titles, what it reads) is compared as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sandbox.errors import SandboxError
from sandbox.evidence.aligned import Cell, Pair, difference, pairs
from sandbox.runs import notebook as notebooks
from sandbox.runs import registry
from sandbox.runs.evidenced import told
from sandbox.runs.folder import RunFolder
from sandbox.runs.notebook import Notebook
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings, templates_folder
from synthetic.errors import SyntheticError

MOST_CELLS = 1000  # told of one comparison
MOST_RUNS = 2000  # earlier ones that are looked at for the last version
COPY = re.compile(r"-\d+$")  # what the workspace adds to the name of a second copy
UNREADABLE = (SandboxError, SyntheticError, OSError, KeyError, ValueError, TypeError)


def changed(settings: Settings, folder: RunFolder) -> dict[str, Any]:
    """Compare a run's notebook with its template, and with the last version before it."""
    submission = folder.submission()
    found = notebooks.parse(submission["notebook_name"], folder.notebook.read_bytes())
    template, previous = _template(submission), _previous(settings, folder.id, submission)
    of_template = None if template is None else {"name": template.name, **_whole(template, found)}
    of_previous = None if previous is None else {"run": previous[0], **_whole(previous[1], found)}
    others = {"template": template, "previous": previous and previous[1]}
    cells = [
        cell
        for against, other in others.items()
        if other is not None
        for cell in islice(_cells(against, other, found), MOST_CELLS)
    ]
    if of_template is None:
        verdict = Verdict.NO_TEMPLATE
    else:
        verdict = Verdict.UNCHANGED if of_template["same"] else Verdict.CHANGED
    return told("changed", verdict, template=of_template, previous=of_previous, cells=cells)


def _template(submission: dict[str, Any]) -> Notebook | None:
    """Find the shipped template that a notebook is or was, by its content or by its name."""
    match = submission["template"]
    name = match["name"] if match else COPY.sub("", submission["notebook_name"])
    path = templates_folder() / f"{name}.ipynb"
    return notebooks.read(path) if path.is_file() else None


def _previous(
    settings: Settings, run_id: str, submission: dict[str, Any]
) -> tuple[str, Notebook] | None:
    """Find the newest earlier run of the same notebook, or of the same template, by this author."""
    earlier = sorted((name for name in registry.names(settings) if name < run_id), reverse=True)
    for name in islice(earlier, MOST_RUNS):
        try:
            folder = RunFolder.find(settings, name)
            other = folder.submission()
            if other["author"] == submission["author"] and _is_kin(other, submission):
                return name, notebooks.parse(other["notebook_name"], folder.notebook.read_bytes())
        except UNREADABLE:
            continue  # its own page tells what is wrong with it
    return None


def _is_kin(one: dict[str, Any], other: dict[str, Any]) -> bool:
    names = [COPY.sub("", each["notebook_name"]) for each in (one, other)]
    lineages = [(each["template"] or {}).get("name") for each in (one, other)]
    return names[0] == names[1] or (lineages[0] == lineages[1] is not None)


def _whole(before: Notebook, after: Notebook) -> dict[str, Any]:
    """Say whether two notebooks do the same, and which of their declarations differ."""
    one, other = before.described, after.described
    return {
        "same": before.essence == after.essence,
        "declared": sorted(str(key) for key in {*one, *other} if one.get(key) != other.get(key)),
    }


def _cells(against: str, before: Notebook, after: Notebook) -> Iterator[dict[str, Any]]:
    """Tell of each cell what became of it; places count from 0."""
    one, other = (
        [
            Cell(
                str(cell.get("cell_type")),
                notebooks.text(cell),
                tuple(map(str, notebooks.tags(cell))),
            )
            for cell in each.cells
        ]
        for each in (before, after)
    )
    for pair in pairs(one, other):
        was = Cell("", "") if pair.before is None else one[pair.before]
        now = Cell("", "") if pair.after is None else other[pair.after]
        lines, cut = ([], False) if was == now else difference(was, now)
        yield {
            "against": against,
            "kind": _kind(pair, is_same=was == now),
            "type": now.type or was.type,
            "before": pair.before,
            "after": pair.after,
            "diff": lines,
            "cut": cut,
        }


def _kind(pair: Pair, *, is_same: bool) -> str:
    if pair.before is None:
        return "added"
    if pair.after is None:
        return "removed"
    return "unchanged" if is_same else "changed"
