"""A margin: numbers by category, as fractions, whatever they were read or computed from."""

from __future__ import annotations

import hashlib
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from synthetic.errors import SpecError
from synthetic.spec.whole import over_one

Cell = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Quotients(Mapping[Cell, Fraction]):
    """Whole numbers by category over one divisor: fractions only for those who ask for them."""

    numbers: Mapping[Cell, int]
    divisor: int

    @cached_property
    def _divided(self) -> dict[Cell, Fraction]:
        return {cell: Fraction(n, self.divisor) for cell, n in self.numbers.items()}

    def __getitem__(self, cell: Cell) -> Fraction:
        return self._divided[cell]

    def __contains__(self, cell: object) -> bool:
        return cell in self.numbers

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def items(self) -> ItemsView[Cell, Fraction]:
        """Cells with their fractions."""
        return self._divided.items()

    def values(self) -> ValuesView[Fraction]:
        """The fractions."""
        return self._divided.values()


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
    def whole(self) -> tuple[Mapping[Cell, int], int]:
        """The cells as whole numbers, and what each is divided by."""
        if isinstance(self.cells, Quotients):
            return self.cells.numbers, self.cells.divisor
        numbers, divisor = over_one(self.cells.values())
        return dict(zip(self.cells, numbers, strict=True)), divisor

    @cached_property
    def total(self) -> Fraction:
        """The sum of all cells."""
        numbers, divisor = self.whole
        return Fraction(sum(numbers.values()), divisor)

    @cached_property
    def digest(self) -> str:
        """A hash of the numbers and their order, not of the names of margin or axes."""
        text = "\n".join("\x1f".join((*cell, str(value))) for cell, value in self.cells.items())
        return hashlib.sha256(text.encode()).hexdigest()

    def of(self, axes: tuple[str, ...], numbers: Mapping[Cell, int], divisor: int) -> Margin:
        """The same with other cells: whole numbers over a divisor."""
        return replace(self, axes=axes, cells=Quotients(numbers, divisor))

    def over(self, *axes: str) -> Margin:
        """Add up to these axes, in this order."""
        if axes == self.axes:
            return self
        at = [self.at(axis) for axis in axes]
        numbers, divisor = self.whole
        sums: dict[Cell, int] = {}
        for cell, value in numbers.items():
            key = tuple([cell[i] for i in at])
            sums[key] = sums.get(key, 0) + value
        return self.of(axes, sums, divisor)

    def only(self, axis: str, category: str) -> Margin:
        """The cells of one category of an axis, without that axis."""
        at = self.at(axis)
        numbers, divisor = self.whole
        kept = {c[:at] + c[at + 1 :]: n for c, n in numbers.items() if c[at] == category}
        return self.of(self.axes[:at] + self.axes[at + 1 :], kept, divisor)

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
