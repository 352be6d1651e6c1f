"""A margin: numbers by category, as fractions, whatever they were read or computed from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from synthetic.errors import SpecError

Cell = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Margin:
    """Numbers by category: one cell per combination of the categories of its axes."""

    name: str
    table: str  # the published table that it was read from
    unit: str
    axes: tuple[str, ...]
    cells: Mapping[Cell, Fraction]
    published: bool = True  # False where unpublished cells were filled in (`complete`)

    @cached_property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The categories of each axis, in the order in which they are published."""
        found: dict[str, dict[str, None]] = {axis: {} for axis in self.axes}
        for cell in self.cells:
            for axis, category in zip(self.axes, cell, strict=True):
                found[axis][category] = None
        return {axis: tuple(order) for axis, order in found.items()}

    @cached_property
    def total(self) -> Fraction:
        """The sum of all cells."""
        return sum(self.cells.values(), Fraction(0))

    @cached_property
    def digest(self) -> str:
        """A hash of the numbers and their order, not of the names of margin or axes."""
        text = "\n".join("\x1f".join((*cell, str(value))) for cell, value in self.cells.items())
        return hashlib.sha256(text.encode()).hexdigest()

    def over(self, *axes: str) -> Margin:
        """Add up to these axes, in this order."""
        at = [self.at(axis) for axis in axes]
        cells: dict[Cell, Fraction] = {}
        for cell, value in self.cells.items():
            key = tuple(cell[i] for i in at)
            cells[key] = cells.get(key, Fraction(0)) + value
        return replace(self, axes=axes, cells=cells)

    def scalar(self) -> Fraction:
        """The only number of a margin without axes."""
        if self.axes:
            raise SpecError(f"margin {self.name!r} has axes {self.axes}; one number is needed")
        return self.cells[()]

    def at(self, axis: str) -> int:
        """Where an axis stands, or an error that names the axes there are."""
        if axis not in self.axes:
            raise SpecError(
                f"margin {self.name!r} has no axis {axis!r}; it has {', '.join(self.axes)}"
            )
        return self.axes.index(axis)
