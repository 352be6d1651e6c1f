"""All that is checked before a run, in one call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.preflight import (
    attached,
    bound,
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
from sandbox.preflight.attached import Looked
from sandbox.preflight.finding import Finding, Severity, in_order
from sandbox.runs.attachments import Attachment
from sandbox.runs.notebook import Notebook, is_code, text

# Faults of lines that may never run.
CONDITIONAL = {network.CODE, files.ABSOLUTE, files.UNDECLARED, packages.CODE, packages.LOCAL}
CAUGHT = {attached.CODE, bound.CODE, bound.COLUMN_CODE}
CONDITIONAL |= CAUGHT
Line = tuple[int, int]  # cell, line


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What goes with a notebook, as far as it is known where it is checked."""

    beside: Collection[str] = ()  # names in its folder
    attachments: Sequence[Attachment] | None = None  # None: those beside it that it names
    catalog: Mapping[str, Any] | None = None  # as its kernel will be told it

    @property
    def travels(self) -> list[str]:
        """Name the files that travel."""
        taken = self.attachments
        return sorted(self.beside) if taken is None else [one.name for one in taken]


def check(notebook: Notebook, *, beside: Collection[str] = ()) -> list[Finding]:
    """Find what would make a run of a notebook fail, or its results hard to trust.

    Nothing of the notebook is executed or imported. `beside` are the names in its folder.
    """
    return checked(notebook, Given(beside=beside)).findings


def checked(notebook: Notebook, given: Given) -> Looked:
    """Find the same with all that goes with the notebook, and tell what its attachments hold."""
    read = cells.read(notebook)
    code = calls.code(read)
    perhaps = {(cell.number, line) for cell in read for line in cell.perhaps}
    tried = {(cell.number, line + cell.above) for cell in read for line in cell.tried}
    looked = attached.look(code, given.attachments or ())
    found = (*_all(notebook, read, code, given), *looked.findings)
    findings = in_order(_softened(one, perhaps, tried) for one in found)
    return replace(looked, findings=findings)


def _all(
    notebook: Notebook, read: Sequence[cells.Cell], code: calls.Code, given: Given
) -> Iterator[Finding]:
    beside = given.beside
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
    yield from attached.check(code, given.travels)
    if given.attachments is not None:
        yield from attached.unused(code, given.travels)
    if given.catalog is not None:
        yield from bound.check(code, asked, given.catalog, given.travels)
    yield from chance.check(code)
    yield from leaks.check(notebook, read)


def _softened(finding: Finding, perhaps: Collection[Line], tried: Collection[Line]) -> Finding:
    """Make a warning of what would fail only if a condition holds, or what is caught."""
    place = finding.cell, finding.line
    if (finding.code in CONDITIONAL and place in perhaps) or (
        finding.code in CAUGHT and place in tried
    ):
        return replace(finding, severity=Severity.WARNING)
    return finding


def _counts(notebook: Notebook) -> Iterator[tuple[int, int]]:
    """Give the number that each saved cell was run as, with the cell's own."""
    for number, cell in enumerate(notebook.cells, start=1):
        count = cell.get("execution_count")
        if is_code(cell) and isinstance(count, int) and text(cell).strip():
            yield number, count
