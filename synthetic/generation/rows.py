"""Rows that an expression is computed over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, Self

from synthetic.generation.values import Ints, Values

_SMALL = 2048  # rows that are quickly computed: to find out which are needed takes longer
_FEW = 4  # rows that are less than this part of the whole are worth computing by themselves


class Rows(Protocol):
    """Columns by name, some of them not computed yet."""

    @property
    def n(self) -> int:
        """How many rows there are."""

    def column(self, name: str) -> Values:
        """The values of a column."""

    def waits(self, names: Collection[str]) -> bool:
        """Whether one of these columns is not there yet and may never be asked for in every row."""

    def part(self, at: Ints) -> Self:
        """Some of the rows, whose columns are computed for them alone."""


@dataclass(frozen=True)
class Held:
    """Rows whose columns are all at hand."""

    column: Callable[[str], Values]
    n: int

    def waits(self, names: Collection[str]) -> bool:
        """None of them."""
        del names
        return False

    def part(self, at: Ints) -> Held:
        """Some of the rows."""
        return Held(lambda name: self.column(name).take(at), len(at))


def is_few(n: int, whole: int) -> bool:
    """Whether rows are so few that they are better computed alone than with all the others."""
    return n * _FEW < whole and whole > _SMALL
