"""What was computed of the groups that are being worked on, kept for the tables below them.

A pupil's row hangs on a person's, a result on the pupil's. Tables of one dataset are computed range
by range; while a range is worked on, the frame of each table that others hang on is kept, so that a
column is computed once for all of them. Rows are the same with it and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from synthetic.generation.structures import Cells
from synthetic.generation.values import Ints

T = TypeVar("T")


class _Numbered(Protocol):
    cells: Cells


class Recent:
    """Frames of one range of groups or units."""

    def __init__(self) -> None:
        self._at_work: tuple[Cells, int, int] | None = None
        self._wanted: set[int] = set()
        self._kept: dict[int, Any] = {}

    def want(self, table: _Numbered) -> None:
        """Keep what is computed of this table: others hang on it."""
        self._wanted.add(id(table))

    @contextmanager
    def working_on(self, cells: Cells, start: int, end: int) -> Iterator[None]:
        """Keep what is computed of this range until it is left."""
        self._at_work = cells, start, end
        try:
            yield
        finally:
            self._at_work = None
            self._kept.clear()

    def of(self, table: _Numbered, numbers: Ints, make: Callable[[Ints], T]) -> T:
        """What `make` gives for these groups of a table, or gave before."""
        if id(table) not in self._wanted or not self._covers(table.cells, numbers):
            return make(numbers)
        if id(table) not in self._kept:
            self._kept[id(table)] = make(numbers)
        found: T = self._kept[id(table)]
        return found

    def _covers(self, cells: Cells, numbers: Ints) -> bool:
        if self._at_work is None or self._at_work[0] is not cells or not len(numbers):
            return False
        _, start, end = self._at_work
        if len(numbers) != end - start or numbers[0] != start or numbers[-1] != end - 1:
            return False
        return bool((numbers[1:] - numbers[:-1] == 1).all())
