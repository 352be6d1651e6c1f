"""All that is checked before a run, in one call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.preflight import (
    calls,
    cells,
    chance,
    declared,
    files,
    leaks,
    network,
    order,
    packages,
    queries,
    sql,
)
from sandbox.preflight.finding import Finding, Severity, in_order
from sandbox.preflight.refused import PreflightError
from sandbox.runs.notebook import Notebook, is_code, text

# Faults of lines that may never run.
CONDITIONAL = {network.CODE, files.ABSOLUTE, files.UNDECLARED, packages.CODE, packages.LOCAL}


def check(notebook: Notebook, *, beside: Collection[str] = ()) -> list[Finding]:
    """Find what would make a run of a notebook fail, or its results hard to trust.

    Nothing of the notebook is executed or imported. `beside` are the names in its folder.
    """
    read = cells.read(notebook)
    perhaps = {(cell.number, line) for cell in read for line in cell.perhaps}
    return in_order(_softened(one, perhaps) for one in _all(notebook, read, beside))


def passed(notebook: Notebook, *, beside: Collection[str] = ()) -> list[dict[str, Any]]:
    """Give the warnings that travel with a submission.

    Raises
    ------
    PreflightError
        If something would stop it.
    """
    found = check(notebook, beside=beside)
    errors = [one for one in found if one.is_error]
    if errors:
        raise PreflightError(errors)
    return [one.to_record() for one in found]


def beside(path: str | Path) -> frozenset[str]:
    """Name what lies in the folder of a notebook; nothing for a template's name."""
    with suppress(OSError, ValueError):
        if Path(path).is_file():
            return frozenset(one.name for one in Path(path).resolve().parent.iterdir())
    return frozenset()


def _all(
    notebook: Notebook, read: Sequence[cells.Cell], beside: Collection[str]
) -> Iterator[Finding]:
    code = calls.code(read)
    asked = queries.queries(code)
    written = files.written(code, queries.copied(asked))
    yield from cells.problems(read)
    yield from declared.check(notebook, read)
    yield from order.check(read)
    yield from order.counts(list(_counts(notebook)))
    yield from network.check(code)
    yield from packages.check(code, beside)
    yield from files.check(code, written, beside)
    yield from sql.check(asked, written, beside)
    yield from chance.check(code)
    yield from leaks.check(notebook, read)


def _softened(finding: Finding, perhaps: Collection[tuple[int, int]]) -> Finding:
    """Make a warning of what would fail only if a condition holds."""
    if finding.code in CONDITIONAL and (finding.cell, finding.line) in perhaps:
        return replace(finding, severity=Severity.WARNING)
    return finding


def _counts(notebook: Notebook) -> Iterator[tuple[int, int]]:
    """Give the number that each saved cell was run as, with the cell's own."""
    for number, cell in enumerate(notebook.cells, start=1):
        count = cell.get("execution_count")
        if is_code(cell) and isinstance(count, int) and text(cell).strip():
            yield number, count
