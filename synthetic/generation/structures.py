"""The row structures that specs configure: pools of households, units, and matchings.

A structure says which rows there are, area by area, and what is known of a row before any column is
drawn. It knows no dataset, table or column by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from synthetic.generation.apportion import (
    controlled,
    largest_remainder,
    rounded,
    systematic,
    two_way,
)
from synthetic.generation.compositions import MARITAL, POSITIONS, RELATIONS, SEXES
from synthetic.generation.draws import Words, below, stream, words
from synthetic.generation.fields import Fields, Given
from synthetic.generation.models import Arrays
from synthetic.generation.permutation import permute
from synthetic.generation.quotas import Shape, households, quotas
from synthetic.generation.values import Domain, Values
from synthetic.spec.margins import Margin

Ints = npt.NDArray[np.int64]
_SEXES, _RELATIONS, _MARITAL = Domain(SEXES), Domain(RELATIONS), Domain(MARITAL)
_CELL_BLOCK = 1 << 20  # households whose cell is drawn at a time


@dataclass(frozen=True)
class Recipe:
    """Which replica: how large, of where, which draw, margins exact or sampled."""

    scale: Fraction
    area: str | None
    seed: int
    margins: str  # "exact" or "sampled"

    @property
    def exact(self) -> bool:
        """Whether quota tables are met to the last unit."""
        return self.margins == "exact"


@dataclass(frozen=True, eq=False)
class Cells:
    """Consecutive rows that share area and place (and other categories): where each begins.

    Rows that belong to the country as a whole have no areas.
    """

    start: Ints  # shape (cells + 1,)
    area: Ints  # position in `areas`, rising
    place: Ints
    areas: tuple[str, ...]
    places: tuple[str, ...]
    axes: Mapping[str, Values] = field(default_factory=dict)  # one value a cell

    @property
    def n(self) -> int:
        """How many rows the country has."""
        return int(self.start[-1])

    def of(self, numbers: Ints) -> Ints:
        """The cell of each row number."""
        return np.searchsorted(self.start, numbers, side="right") - 1

    @cached_property
    def area_start(self) -> Ints:
        """Where each area's rows begin, and after the last, where they end."""
        first = np.searchsorted(self.area, np.arange(len(self.areas)), side="left")
        return self.start[np.append(first, len(self.area))]

    def range(self, area: str | None) -> tuple[int, int]:
        """The row numbers of one area, none where no row lies there, or of the country."""
        if area is None or not self.areas:
            return 0, self.n
        if area not in self.areas:
            return 0, 0
        at = self.areas.index(area)
        return int(self.area_start[at]), int(self.area_start[at + 1])

    def fields(self, numbers: Ints, cell: Ints) -> dict[str, Given]:
        """Number, rank, area and place of these rows."""
        fields: dict[str, Given] = {"number": Values(numbers)}
        if self.areas:
            fields["rank"] = lambda: Values(numbers - self.area_start.take(self.area.take(cell)))
            fields["area"] = lambda: Values(self.area.take(cell), self.areas)
        if self.places:
            fields["place"] = lambda: Values(self.place.take(cell), self.places)
        return fields | {axis: partial(values.take, cell) for axis, values in self.axes.items()}


def _ordered_places(places: Margin, areas: tuple[str, ...]) -> list[tuple[int, int]]:
    """(area, place) positions, areas in the strata's order, places as published within."""
    at = {area: i for i, area in enumerate(areas)}
    pairs = [(at[area], i) for i, (area, _) in enumerate(places.cells)]
    return sorted(pairs)


class Pool:
    """Households drawn from frozen compositions: which template each group of a recipe takes."""

    def __init__(
        self, name: str, fit: Arrays, inputs: Mapping[str, Margin], recipe: Recipe
    ) -> None:
        self.recipe, self.fit = recipe, fit
        strata = inputs["strata"]
        self.areas = Domain(strata.categories["area"])
        self.residences = Domain(strata.categories["residence"])
        self.slots = stream(recipe.seed, "pool", name, "slot")
        self.places_drawn = stream(recipe.seed, "pool", name, "place")
        starts = stream(recipe.seed, "pool", name, "start")
        counts = self._template_counts(inputs, words(starts, np.arange(len(fit["weights"]) * 256)))
        self.stratum_size = counts.sum(axis=1)
        templates = np.arange(counts.shape[1], dtype=np.uint16)
        self.template_of_slot = np.concatenate([np.repeat(templates, row) for row in counts])
        self.slot_start = np.concatenate([[0], np.cumsum(self.stratum_size)])
        self._lay_out(inputs)

    def _template_counts(self, inputs: Mapping[str, Margin], starts: Words) -> Ints:
        """Whole households by stratum and template; each stratum holds its quota exactly."""
        size, sex = self.fit["size"].astype(np.int64), self.fit["sex"].astype(np.int64)
        females = (sex * (np.arange(POSITIONS) < size[:, None])).sum(axis=1)
        shape = (size - females) * (POSITIONS + 1) + females
        edges = np.flatnonzero(np.diff(shape)) + 1  # templates are sorted by shape
        runs = list(zip([0, *edges], [*edges, len(shape)], strict=True))
        wanted = quotas(inputs["strata"], inputs["sex"], (SEXES[0], SEXES[1]), self.recipe.scale)
        weights = self.fit["weights"].astype(np.int64)
        homes = np.zeros((len(weights), len(runs)), dtype=np.int64)  # by stratum and shape
        for s, stratum in enumerate(wanted):
            by_shape: dict[Shape, int] = {
                divmod(int(shape[a]), POSITIONS + 1): int(weights[s, a:b].sum()) for a, b in runs
            }
            homes[s] = list(households(by_shape, wanted[stratum]).values())
        begin = (starts.reshape(len(weights), 256) >> np.uint64(8)).astype(np.int64)
        table = [
            systematic(homes[:, r], weights[:, a:b], begin[:, r]) for r, (a, b) in enumerate(runs)
        ]
        return np.concatenate(table, axis=1)

    def _lay_out(self, inputs: Mapping[str, Margin]) -> None:
        """Give each (place, residence) its households, and number them all."""
        pairs = _ordered_places(inputs["places"], self.areas)
        n_residences = len(self.residences)
        counts = np.zeros((len(pairs), n_residences), dtype=np.int64)
        area = np.array([a for a, _ in pairs])
        place_weights = self.fit["place_weights"]
        for s in range(len(self.stratum_size)):
            a, r = divmod(s, n_residences)
            rows = np.flatnonzero(area == a)
            weights = [int(place_weights[pairs[i][1], r]) for i in rows]
            counts[rows, r] = largest_remainder(int(self.stratum_size[s]), weights)
        if not self.recipe.exact:
            counts = self._sampled(counts)
        stratum = area[:, None] * n_residences + np.arange(n_residences)
        before = np.zeros_like(counts)
        for s in range(len(self.stratum_size)):
            inside = stratum == s
            before[inside] = np.cumsum(counts[inside]) - counts[inside]
        self.stratum = stratum.reshape(-1)
        self.before = before.reshape(-1)  # households of the same stratum in earlier cells
        place = np.repeat([p for _, p in pairs], n_residences)
        self.cells = Cells(
            np.concatenate([[0], np.cumsum(counts.reshape(-1))]),
            np.repeat(area, n_residences),
            place,
            self.areas,
            Domain(code for _, code in inputs["places"].cells),
        )

    def _sampled(self, counts: Ints) -> Ints:
        """Draw each household's cell anew, so that draws differ in where people live too."""
        drawn = np.zeros(counts.size, dtype=np.int64)
        edges = np.cumsum(counts.reshape(-1))
        total = int(edges[-1])
        for start in range(0, total, _CELL_BLOCK):
            word = words(self.places_drawn, np.arange(start, min(start + _CELL_BLOCK, total)))
            cell = np.searchsorted(edges, below(word, total), side="right")
            drawn += np.bincount(cell, minlength=counts.size)
        return drawn.reshape(counts.shape)

    def groups(self, numbers: Ints) -> tuple[Fields, Ints]:
        """Fields of these groups, and the template that each follows."""
        cell = self.cells.of(numbers)
        stratum = self.stratum[cell]
        size = self.stratum_size[stratum]
        if self.recipe.exact:
            index = numbers - self.cells.start[cell] + self.before[cell]
            slot = permute(self.slots, stratum, index, size)
        else:
            slot = below(words(self.slots, numbers), size)
        template = self.template_of_slot[self.slot_start[stratum] + slot].astype(np.int64)
        size_of = self.fit["size"]
        fields = self.cells.fields(numbers, cell) | {
            "residence": lambda: Values(stratum % len(self.residences), self.residences),
            "size": lambda: Values(size_of.take(template).astype(np.int64)),
        }
        return Fields(fields), template

    def members(self, fields: Fields, template: Ints, at: Ints, position: Ints) -> Fields:
        """Fields of members: of group `at` of these, at this position."""
        place = template.take(at) * POSITIONS + position

        def look(name: str, domain: Domain | None = None) -> Callable[[], Values]:
            table = self.fit[name].reshape(-1)
            return lambda: Values(table.take(place).astype(np.int64), domain)

        return Fields(
            {
                **fields.take(at),
                "position": Values(position),
                "age": look("age"),
                "sex": look("sex", _SEXES),
                "relation": look("relation", _RELATIONS),
                "marital": look("marital", _MARITAL),
                "line": look("line"),
            }
        )


def _by_area(margin: Margin, spread: Margin | None) -> tuple[tuple[str, ...], Margin]:
    """The margin over (area, its other axes), and these axes; shared among areas by `spread`."""
    others = tuple(axis for axis in margin.axes if axis != "area")
    if spread is None:
        return others, margin.over("area", *others)
    shares, whole = spread.whole[0], sum(spread.whole[0].values())
    numbers, divisor = margin.over(*others).whole
    spread_out = {
        (*area, *cell): value * share
        for area, share in shares.items()
        for cell, value in numbers.items()
    }
    return others, margin.of(("area", *others), spread_out, divisor * whole)


def _combinations(margin: Margin, axes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The combinations of categories that some cell has, each axis in its published order."""
    at = {axis: {c: i for i, c in enumerate(margin.categories[axis])} for axis in axes}
    return sorted(
        margin.over(*axes).cells,
        key=lambda cell: [at[axis][c] for axis, c in zip(axes, cell, strict=True)],
    )


def _coded(
    margin: Margin, axes: tuple[str, ...], cells: Sequence[tuple[str, ...]]
) -> dict[str, Values]:
    """One value for each axis and cell."""
    found = {}
    for i, axis in enumerate(axes):
        place = {category: j for j, category in enumerate(margin.categories[axis])}
        found[axis] = Values(
            np.array([place[cell[i]] for cell in cells], dtype=np.int64),
            Domain(margin.categories[axis]),
        )
    return found


def _whole(
    margin: Margin,
    areas: Sequence[str],
    combinations: Sequence[tuple[str, ...]],
    scale: Fraction,
) -> list[list[int]]:
    """A margin's numbers x scale as whole numbers, by area and combination."""
    rows = [[(area, *combination) for combination in combinations] for area in areas]
    return _in_rows(margin, rows, scale)


def _in_rows(
    margin: Margin, rows: Sequence[Sequence[tuple[str, ...]]], scale: Fraction
) -> list[list[int]]:
    """The cells of each row x scale as whole numbers: totals along both sides are rounded, too."""
    country = rounded(margin.total * scale)
    numbers, divisor = margin.whole
    divisor *= scale.denominator
    table = [[numbers.get(cell, 0) * scale.numerator for cell in row] for row in rows]
    totals = controlled(country, [sum(row) for row in table], divisor)
    if len(rows[0]) == 1:
        return [[total] for total in totals]
    return two_way(totals, table, divisor)


_SHARES = 1 << 20  # an area's places as whole numbers


class Units:
    """Rows per area, and axis, by a published number, shared among the area's places."""

    def __init__(
        self,
        per: Margin,
        places: Margin,
        recipe: Recipe,
        *,
        spread: Margin | None = None,
        floor: int = 0,
        name: str = "",
    ) -> None:
        axes, by_area = _by_area(per, spread)
        areas = Domain(sorted(by_area.categories["area"]))
        combinations = _combinations(by_area, axes)
        numbers = np.array(_whole(by_area, areas, combinations, recipe.scale), dtype=np.int64)
        if floor:
            there, _ = by_area.whole
            published = [[there.get((a, *c), 0) > 0 for c in combinations] for a in areas]
            numbers = np.maximum(numbers, floor * np.array(published, dtype=np.int64))
        sited = places.over("area", "place")
        sites = _Sites(places, areas, axes, combinations)
        starts = words(stream(recipe.seed, "units", name), np.arange(numbers.size))
        held = [
            sites.shared(a, numbers[a], starts.reshape(numbers.shape)[a] >> np.uint64(32))
            for a in range(len(areas))
        ]
        area = np.repeat(np.arange(len(areas)), [len(counts) for counts, _, _ in held])
        counts, combination, place = (np.concatenate(part) for part in zip(*held, strict=True))
        self.cells = Cells(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            area.astype(np.int64),
            place,
            areas,
            Domain(code for _, code in sited.cells),
            {axis: v.take(combination) for axis, v in _coded(by_area, axes, combinations).items()},
        )


class _Sites:
    """How the units of an area are shared among its places."""

    def __init__(
        self,
        places: Margin,
        areas: tuple[str, ...],
        axes: tuple[str, ...],
        combinations: Sequence[tuple[str, ...]],
    ) -> None:
        self.shares, self.areas, self.axes = places.whole[0], areas, axes
        beside = [axes.index(axis) for axis in places.axes[2:]]  # on which the places depend
        kinds = [tuple(combination[i] for i in beside) for combination in combinations]
        self.kinds = list(dict.fromkeys(kinds))
        self.kind = np.array([self.kinds.index(kind) for kind in kinds])  # of each combination
        self.codes = [code for _, code in places.over("area", "place").cells]
        self.here: list[list[int]] = [[] for _ in areas]
        for a, i in _ordered_places(places.over("area", "place"), areas):
            self.here[a].append(i)

    def shared(self, area: int, totals: Ints, starts: Words) -> tuple[Ints, Ints, Ints]:
        """Units of the cells of an area that have some, their combination and place."""
        here, name = self.here[area], self.areas[area]
        shares = [
            [self.shares.get((name, self.codes[i], *kind), 0) for i in here] for kind in self.kinds
        ]
        if not self.axes:
            counts = np.array(largest_remainder(int(totals[0]), shares[0]), dtype=np.int64)
            return counts, np.zeros(len(here), dtype=np.int64), np.array(here, dtype=np.int64)
        even = [largest_remainder(_SHARES, row) if any(row) else [0] * len(here) for row in shares]
        some = np.flatnonzero(totals)
        # Few units of a kind would always fall to the largest place otherwise.
        weights = np.array(even, dtype=np.int64)[self.kind[some]]
        table = systematic(totals[some], weights, starts[some].astype(np.int64))
        row, column = np.nonzero(table)
        return table[row, column], some[row], np.array(here, dtype=np.int64)[column]


def _by_first_axis(margin: Margin, cells: Sequence[tuple[str, ...]], scale: Fraction) -> list[int]:
    """A margin's cells x scale as whole numbers: totals along both its sides are rounded, too."""
    heads = {cell[:1]: i for i, cell in enumerate(dict.fromkeys(cell[:1] for cell in cells))}
    tails = {cell: i for i, cell in enumerate(dict.fromkeys(cell[1:] for cell in cells))}
    found = _in_rows(margin, [[head + tail for tail in tails] for head in heads], scale)
    return [found[heads[cell[:1]]][tails[cell[1:]]] for cell in cells]


class CellRows:
    """One row for each cell of a margin, with its number."""

    def __init__(
        self, margin: Margin, recipe: Recipe, *, spread: Margin | None, scaled: bool
    ) -> None:
        scale = recipe.scale if scaled else Fraction(1)
        areas: tuple[str, ...] = ()
        if spread is None and "area" not in margin.axes:
            axes, by_area = margin.axes, margin
            cells = _combinations(margin, axes)
            values = _by_first_axis(margin, cells, scale)
            at = [0] * len(cells)
        else:
            axes, by_area = _by_area(margin, spread)
            areas = Domain(sorted(by_area.categories["area"]))
            combinations = _combinations(by_area, axes)
            numbers = _whole(by_area, areas, combinations, scale)
            kept = [
                (a, combination, numbers[a][c])
                for a, area in enumerate(areas)
                for c, combination in enumerate(combinations)
                if (area, *combination) in by_area.cells
            ]
            at, cells = [a for a, _, _ in kept], [cell for _, cell, _ in kept]
            values = [value for _, _, value in kept]
        fields = _coded(by_area, axes, cells)
        fields["value"] = Values(np.array(values, dtype=np.int64))
        self.cells = Cells(
            np.arange(len(cells) + 1),
            np.array(at, dtype=np.int64),
            np.zeros(len(cells), dtype=np.int64),
            areas,
            (),
            fields,
        )
