"""The row structures that specs configure: pools of households, units, and matchings.

A structure says which rows there are, area by area, and what is known of a row before any column is
drawn. It knows no dataset, table or column by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

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
from synthetic.generation.models import Arrays
from synthetic.generation.permutation import permute
from synthetic.generation.quotas import Shape, households, quotas
from synthetic.generation.values import Values
from synthetic.spec.margins import Margin

Ints = npt.NDArray[np.int64]
_CELL_BLOCK = 1 << 20  # households whose cell is drawn at a time
Fields = dict[str, Values]


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

    def fields(self, numbers: Ints, cell: Ints) -> Fields:
        """Number, rank, area and place of these rows."""
        fields = {"number": Values(numbers)}
        if self.areas:
            area = self.area[cell]
            fields["rank"] = Values(numbers - self.area_start[area])
            fields["area"] = Values(area, self.areas)
        if self.places:
            fields["place"] = Values(self.place[cell], self.places)
        return fields | {axis: values.take(cell) for axis, values in self.axes.items()}


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
        self.areas = strata.categories["area"]
        self.residences = strata.categories["residence"]
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
        rows = []
        for s, stratum in enumerate(wanted):
            weights = self.fit["weights"][s].astype(np.int64)
            by_shape: dict[Shape, int] = {
                divmod(int(shape[a]), POSITIONS + 1): int(weights[a:b].sum()) for a, b in runs
            }
            homes = households(by_shape, wanted[stratum])
            row = np.zeros(len(shape), dtype=np.int64)
            for r, ((a, b), n) in enumerate(zip(runs, homes.values(), strict=True)):
                row[a:b] = systematic(n, weights[a:b], int(starts[s * 256 + r] >> np.uint64(8)))
            rows.append(row)
        return np.stack(rows)

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
            tuple(code for _, code in inputs["places"].cells),
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
        fields = self.cells.fields(numbers, cell)
        fields["residence"] = Values(stratum % len(self.residences), self.residences)
        fields["size"] = Values(self.fit["size"][template].astype(np.int64))
        return fields, template

    def members(self, fields: Fields, template: Ints, at: Ints, position: Ints) -> Fields:
        """Fields of members: of group `at` of these, at this position."""
        place = template[at] * POSITIONS + position

        def look(name: str) -> Ints:
            return self.fit[name].reshape(-1)[place].astype(np.int64)

        return {
            **{name: fields[name].take(at) for name in fields},
            "position": Values(position),
            "age": Values(look("age")),
            "sex": Values(look("sex"), SEXES),
            "relation": Values(look("relation"), RELATIONS),
            "marital": Values(look("marital"), MARITAL),
            "line": Values(look("line")),
        }


def _by_area(margin: Margin, spread: Margin | None) -> tuple[tuple[str, ...], Margin]:
    """The margin over (area, its other axes), and these axes; shared among areas by `spread`."""
    others = tuple(axis for axis in margin.axes if axis != "area")
    if spread is None:
        return others, margin.over("area", *others)
    cells = {
        (*area, *cell): value * share / spread.total
        for area, share in spread.cells.items()
        for cell, value in margin.over(*others).cells.items()
    }
    return others, replace(margin, axes=("area", *others), cells=cells)


def _combinations(margin: Margin, axes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The combinations of categories that some cell has, each axis in its published order."""
    at = {axis: {c: i for i, c in enumerate(margin.categories[axis])} for axis in axes}
    return sorted(
        margin.over(*axes).cells,
        key=lambda cell: [at[axis][c] for axis, c in zip(axes, cell, strict=True)],
    )


def _coded(margin: Margin, axes: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> Fields:
    """One value for each axis and cell."""
    found = {}
    for i, axis in enumerate(axes):
        place = {category: j for j, category in enumerate(margin.categories[axis])}
        found[axis] = Values(
            np.array([place[cell[i]] for cell in cells], dtype=np.int64), margin.categories[axis]
        )
    return found


def _whole(
    margin: Margin,
    areas: Sequence[str],
    combinations: Sequence[tuple[str, ...]],
    scale: Fraction,
) -> list[list[int]]:
    """A margin's numbers x scale as whole numbers, by area and combination."""
    country = rounded(margin.total * scale)
    table = [[margin.cells.get((a, *c), Fraction(0)) * scale for c in combinations] for a in areas]
    totals = controlled(country, [sum(row, Fraction(0)) for row in table])
    return two_way(totals, table) if len(combinations) > 1 else [[total] for total in totals]


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
        areas = tuple(sorted(by_area.categories["area"]))
        combinations = _combinations(by_area, axes)
        numbers = _whole(by_area, areas, combinations, recipe.scale)
        beside = places.axes[2:]  # axes on which an area's places depend
        sited = places.over("area", "place")
        pairs = _ordered_places(sited, areas)
        codes = [code for _, code in sited.cells]
        starts = stream(recipe.seed, "units", name)
        held: list[tuple[int, int, int]] = []  # area, combination, place
        counts: list[int] = []
        for a, row in enumerate(numbers):
            here = [i for b, i in pairs if b == a]
            by_kind: dict[tuple[str, ...], tuple[list[Fraction], Ints]] = {}
            for c, combination in enumerate(combinations):
                kind = tuple(combination[axes.index(axis)] for axis in beside)
                if kind not in by_kind:
                    shares = [
                        places.cells.get((areas[a], codes[i], *kind), Fraction(0)) for i in here
                    ]
                    even = largest_remainder(_SHARES, shares) if axes and any(shares) else []
                    by_kind[kind] = shares, np.array(even)
                shares, even_shares = by_kind[kind]
                published = by_area.cells.get((areas[a], *combination), 0) > 0
                total = max(row[c], floor * published)
                if not axes:
                    shared = largest_remainder(total, shares)
                elif total:
                    # Few units of a kind would always fall to the largest place otherwise.
                    start = words(starts, np.array([a * len(combinations) + c]))[0]
                    shared = systematic(total, even_shares, int(start >> np.uint64(32))).tolist()
                else:
                    continue
                kept = [(i, n) for i, n in zip(here, shared, strict=True) if n or not axes]
                held += [(a, c, i) for i, _ in kept]
                counts += [n for _, n in kept]
        self.cells = Cells(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.array([a for a, _, _ in held], dtype=np.int64),
            np.array([i for _, _, i in held], dtype=np.int64),
            areas,
            tuple(codes),
            _coded(by_area, axes, [combinations[c] for _, c, _ in held]),
        )


def _by_first_axis(margin: Margin, cells: Sequence[tuple[str, ...]], scale: Fraction) -> list[int]:
    """A margin's cells x scale as whole numbers: totals along both its sides are rounded, too."""
    heads = list(dict.fromkeys(cell[:1] for cell in cells))
    tails = list(dict.fromkeys(cell[1:] for cell in cells))
    table = [[margin.cells.get(h + t, Fraction(0)) * scale for t in tails] for h in heads]
    totals = controlled(rounded(margin.total * scale), [sum(row, Fraction(0)) for row in table])
    found = two_way(totals, table) if len(tails) > 1 else [[total] for total in totals]
    return [found[heads.index(cell[:1])][tails.index(cell[1:])] for cell in cells]


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
            areas = tuple(sorted(by_area.categories["area"]))
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
