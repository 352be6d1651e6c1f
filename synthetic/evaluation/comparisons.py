"""What a replica is held against: published tables, and the rows that are counted beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from synthetic.errors import SpecError
from synthetic.spec.expressions import Literal, names, parse
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Bilingual, CompareSpec, TableSpec

Amount = TypeVar("Amount", int, Fraction)


@dataclass(frozen=True)
class Comparison:
    """A published table, and the expression that gives each of its axes in a replica's table."""

    margin: Margin
    by: Mapping[str, str]  # axis -> expression
    quota: bool = False
    floor: int = 0  # rows that every published cell keeps at any scale
    given: tuple[str, ...] = ()  # axes that the margin is conditional on
    area: str | None = None  # the column by which the table is cut into areas
    because: Bilingual | None = None  # why the rows may lie further from it than a sample would
    contradicts: str | None = None  # the margin that the rows follow instead
    only: Mapping[str, str] = field(
        default_factory=dict
    )  # other axis -> its category, the rest out

    @property
    def by_area(self) -> bool:
        """Whether the axis `area` is the row's own area, and not where a key or a road leads."""
        return "area" in self.by and self.by["area"] == self.area


def comparisons(
    table: TableSpec, margins: Mapping[str, Margin], *, one_area: bool = False
) -> list[Comparison]:
    """What a table is held against: its `compare` entries, and each column that follows a margin.

    In a replica of one area an entry by the areas of something else says nothing: the rows of one
    province come from their own neighbours, not from the country's.

    Units that keep a floor are held against the numbers that they were made by, too: no `compare`
    can say so of rows that a published figure below one still has. A hidden column is not in the
    files and cannot be compared.
    """
    found = [_declared(entry, table, margins) for entry in table.compare]
    if one_area:
        found = [entry for entry in found if entry.by_area or "area" not in entry.by]
    found += _floored(table, margins)
    named = {(c.margin.name, tuple(c.by.values())) for c in found}
    for name, column in table.columns.items():
        if column.follows is None or column.hidden:
            continue
        margin = margins[column.follows]
        own = next(axis for axis in margin.axes if axis not in column.given)
        by = {axis: column.given.get(axis, name) for axis in margin.axes} | {own: name}
        if any(table.columns[c].hidden for c in by.values()) or own not in by:
            continue
        if (margin.name, tuple(by.values())) not in named:
            found.append(Comparison(margin, by, given=tuple(column.given), area=table.area))
    return found


def _declared(entry: CompareSpec, table: TableSpec, margins: Mapping[str, Margin]) -> Comparison:
    """A `compare` entry; an axis that is a literal keeps the margin's cells of that category."""
    trees = {axis: parse(expression) for axis, expression in entry.by.items()}
    only = {axis: str(tree.value) for axis, tree in trees.items() if isinstance(tree, Literal)}
    margin = margins[entry.margin].over(*entry.by)
    for axis, category in only.items():
        margin = margin.only(axis, category)
    return Comparison(
        margin,
        {axis: expression for axis, expression in entry.by.items() if axis not in only},
        entry.quota,
        area=table.area,
        because=entry.because,
        contradicts=entry.contradicts,
        only=only,
    )


def _floored(table: TableSpec, margins: Mapping[str, Margin]) -> list[Comparison]:
    """The numbers that units with a floor were made by, where a column tells each of the axes."""
    units = table.rows.units
    if units is None or not units.floor or units.spread is not None:
        return []
    margin = margins[units.per]
    taken = {c.take: name for name, c in table.columns.items() if c.take and not c.hidden}
    if not set(margin.axes) <= set(taken):
        return []
    by = {axis: taken[axis] for axis in margin.axes}
    return [Comparison(margin, by, quota=True, floor=units.floor, area=table.area)]


def columns_of(comparison: Comparison) -> tuple[str, ...]:
    """The columns that a comparison looks at."""
    paths = [path for text in comparison.by.values() for path in names(parse(text))]
    return tuple(dict.fromkeys(path[0] for path in paths))


def expected(
    comparison: Comparison, counts: Mapping[Cell, int], areas: set[str] | None
) -> dict[Cell, Fraction]:
    """What a replica should show, in any unit: the margin's cells that it can show at all.

    A margin that is conditional on other columns says nothing of how common these are: there the
    replica's own counts are shared out.
    """
    cells = restricted(comparison, areas)
    if not comparison.given:
        return cells
    at = [comparison.margin.axes.index(axis) for axis in comparison.given]
    published: dict[Cell, Fraction] = {}
    found: dict[Cell, int] = {}
    for cell, value in cells.items():
        key = tuple(cell[i] for i in at)
        published[key] = published.get(key, Fraction(0)) + value
        found[key] = found.get(key, 0) + counts.get(cell, 0)
    return {
        cell: value * found[key] / published[key] if published[key] else Fraction(0)
        for cell, value in cells.items()
        for key in [tuple(cell[i] for i in at)]
    }


def collapse(cells: Mapping[Cell, Amount], at: int) -> dict[Cell, Amount]:
    """Add cells up to one of their axes."""
    found: dict[Cell, Amount] = {}
    for cell, value in cells.items():
        key = (cell[at],)
        found[key] = found[key] + value if key in found else value
    return found


def check_cells(counts: Mapping[Cell, int], cells: Mapping[Cell, Fraction], margin: Margin) -> None:
    """Refuse rows in cells that the published table does not have."""
    strange = set(counts) - set(cells)
    if strange:
        raise SpecError(
            f"the replica has {min(strange)} and {margin.table} has not; mend the margin "
            f"{margin.name!r} or its axes"
        )


def restricted(comparison: Comparison, areas: set[str] | None) -> dict[Cell, Fraction]:
    """The cells of a margin that rows of these areas can be in."""
    cells = comparison.margin.cells
    if areas is None or not comparison.by_area:
        return dict(cells)
    at = comparison.margin.axes.index("area")
    return {cell: value for cell, value in cells.items() if cell[at] in areas}
