"""The tables of a world: which rows each has, and any of them by its key.

Every row has a key, a whole number that no other row of its table has; the key alone leads to the
row, to the row above it and to its group or unit in the end. A group's or a unit's key is its
number in the country. A member's is its group's x 8 + its position, a child's its parent's x the
most children that a parent may have + its position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synthetic.errors import BuildError, SpecError
from synthetic.generation.columns import compile_column
from synthetic.generation.compositions import POSITIONS
from synthetic.generation.draws import Stream, below, stream, words
from synthetic.generation.fields import Fields, Given
from synthetic.generation.frames import (
    Column,
    Frame,
    Parent,
    Source,
    choose_members,
    compact,
    laid_out,
)
from synthetic.generation.permutation import permute
from synthetic.generation.rows import is_few
from synthetic.generation.structures import CellRows, Cells, Pool, Units
from synthetic.generation.values import Ints, Values, repeated
from synthetic.spec.expressions import Node, parse
from synthetic.spec.models import ChildRows, Count, MatchingRows

if TYPE_CHECKING:
    from synthetic.generation.world import World

_LARGEST_KEY = 2**62  # what an expression can hold
_NO_KEY = 2**63 - 1  # after every key


class Table(Protocol):
    """What every table can do."""

    cells: Cells
    bound: int  # every key is below it

    @property
    def sources(self) -> Mapping[str, Column]:
        """The functions that compute its columns."""

    def frame(self, start: int, end: int) -> Frame:
        """The rows of a range of groups or units, in the order of the replica."""

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        """All rows of these groups or units, in their order, and to which of them each belongs."""

    def at(self, keys: Ints) -> Frame:
        """Single rows by key, in any order."""

    def root(self, keys: Ints) -> Ints:
        """The number of the group or unit that each row belongs to."""

    def above(self, keys: Ints, table: Table) -> Ints | None:
        """The key of the row of another table that each row lies below, or is."""


def is_key(table: Table, column: str) -> bool:
    """Whether a column holds the rows' keys themselves, so that nothing need be computed."""
    numbered = isinstance(table, GroupTable | UnitTable | ChildTable)
    return numbered and table.sources[column].takes == "number"


class GroupTable:
    """One row for each household of a pool."""

    def __init__(self, world: World, dataset: str, name: str, pool: Pool) -> None:
        self.pool, self.cells, self.bound = pool, pool.cells, pool.cells.n
        self.name, self.as_of = name, world.specs[dataset].as_of
        self.recent = world.recent
        self.sources = world.sources(dataset, name)

    def groups(self, numbers: Ints) -> tuple[Frame, Ints]:
        """The frame of these groups, and their templates."""
        return self.recent.of(self, numbers, self._groups)

    def _groups(self, numbers: Ints) -> tuple[Frame, Ints]:
        fields, template = self.pool.groups(numbers)
        return Frame(len(numbers), numbers, fields, self.sources, self.as_of), template

    def frame(self, start: int, end: int) -> Frame:
        return self.at(np.arange(start, end))

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        return self.at(numbers), np.arange(len(numbers))

    def at(self, keys: Ints) -> Frame:
        return self.groups(keys)[0]

    def root(self, keys: Ints) -> Ints:
        return keys

    def above(self, keys: Ints, table: Table) -> Ints | None:
        return keys if table is self else None


class MemberTable:
    """One row for each member of each household of a pool."""

    def __init__(self, world: World, dataset: str, name: str, pool: Pool) -> None:
        self.pool, self.cells, self.bound = pool, pool.cells, pool.cells.n * POSITIONS
        self.as_of = world.specs[dataset].as_of
        self.groups = next(
            (t for t in world.tables.values() if isinstance(t, GroupTable) and t.pool is pool),
            None,
        )
        self.recent = world.recent
        if self.groups is not None:
            self.recent.want(self.groups)
        self.sources = world.sources(dataset, name)

    def _frame(self, numbers: Ints, at: Ints | None, position: Ints | None) -> Frame:
        """Members of these groups: all of them, or the one at each position."""
        if self.groups is not None:
            above, template = self.groups.groups(numbers)
            fields = above.fields
        else:
            above = None
            fields, template = self.pool.groups(numbers)
        if at is None or position is None:
            at, position = laid_out(fields["size"].ints)
        own = self.pool.members(fields, template, at, position)
        parents = {} if above is None else {"group": Parent.of(above, at)}
        key = numbers.take(at) * POSITIONS
        key += position
        return Frame(len(at), key, own, self.sources, self.as_of, parents)

    def frame(self, start: int, end: int) -> Frame:
        return self.whole(np.arange(start, end))

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        frame = self.whole(numbers)
        return frame, np.cumsum(frame.field("position").ints == 0) - 1

    def whole(self, numbers: Ints) -> Frame:
        """All members of these groups."""
        return self.recent.of(self, numbers, lambda groups: self._frame(groups, None, None))

    def at(self, keys: Ints) -> Frame:
        return self._frame(keys // POSITIONS, np.arange(len(keys)), keys % POSITIONS)

    def root(self, keys: Ints) -> Ints:
        return keys // POSITIONS

    def above(self, keys: Ints, table: Table) -> Ints | None:
        if table is self:
            return keys
        return keys // POSITIONS if table is self.groups else None

    def keys(self, group: Ints, position: Ints) -> Ints:
        """The keys of single members."""
        return group * POSITIONS + position

    def partner(self, draws: Stream, frame: Frame, ahead: Ints) -> Ints:
        """Meet each row of a frame with a group of its own area, by a keyed permutation.

        `ahead` moves a row's rank on, to meet another group.
        """
        area = frame.field("area")
        assert area.domain is not None
        place = {code: i for i, code in enumerate(self.cells.areas)}
        if not set(area.domain) <= set(place):
            raise SpecError("linked tables must share their areas")
        own = np.array([place[code] for code in area.domain])[area.ints]
        first = self.cells.area_start
        size = first[own + 1] - first[own]
        if len(size) and size.min() == 0:
            raise BuildError("an area has units but no household at this scale; take a larger one")
        # A step of whole rounds would meet the same group again.
        step = np.where(ahead % size == 0, ahead // size, ahead)
        rank = (frame.field("rank").ints + step) % size
        return first[own] + permute(draws, own, rank, size)

    def choose(self, group: Ints, where: Node, draws: Stream, width: int) -> Ints:
        """Positions of the first `width` members for whom a condition holds, -1 for none."""
        frame = self.whole(group)
        size = frame.field("size").ints
        position = frame.field("position").ints
        index = np.cumsum(position == 0) - 1
        start = below(words(draws, group), np.maximum(size[position == 0], 1))
        chosen = choose_members(frame.holds(where), index, position, start, POSITIONS)
        return chosen[:, :width]


class UnitTable:
    """One row for each unit, such as an enterprise, or for each cell of a margin."""

    def __init__(self, world: World, dataset: str, name: str, units: Units | CellRows) -> None:
        self.cells, self.as_of = units.cells, world.specs[dataset].as_of
        self.bound = self.cells.n
        self.recent = world.recent
        self.sources = world.sources(dataset, name)

    def at(self, keys: Ints) -> Frame:
        return self.recent.of(self, keys, self._at)

    def _at(self, keys: Ints) -> Frame:
        fields = Fields(self.cells.fields(keys, self.cells.of(keys)))
        return Frame(len(keys), keys, fields, self.sources, self.as_of)

    def frame(self, start: int, end: int) -> Frame:
        return self.at(np.arange(start, end))

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        return self.at(numbers), np.arange(len(numbers))

    def root(self, keys: Ints) -> Ints:
        return keys

    def above(self, keys: Ints, table: Table) -> Ints | None:
        return keys if table is self else None


class MatchingTable:
    """One row for each member who holds a place in a unit of the same area.

    The places of an area are its units' capacities laid end to end. Every group has `per_group`
    tickets; ticket t holds place P(t), P a keyed permutation of the area's tickets. Tickets beyond
    the last place hold none, and a place whose ticket belongs to nobody eligible stays empty: no
    unit ever has more members than its capacity, and nobody has two places.
    """

    def __init__(self, world: World, dataset: str, name: str, rows: MatchingRows) -> None:
        where = f"{dataset}.toml: tables.{name}.rows.matching"
        self.members = world.members(rows.members, where)
        units = world.tables.get(rows.units)
        if not isinstance(units, UnitTable):
            raise SpecError(f"{where}: units = {rows.units!r} must be an earlier table of units")
        self.units, self.rows = units, rows
        self.cells, self.as_of = self.members.cells, world.specs[dataset].as_of
        self.bound = self.members.bound
        self.where = parse(rows.where)
        self.draws = stream(world.recipe.seed, dataset, name, "matching")
        self.recent = world.recent
        self.recent.want(self.members)
        self.areas = self.cells.areas
        if self.areas != units.cells.areas:
            raise SpecError(f"{where}: members and units must share their areas")
        self.sources = world.sources(dataset, name)
        self._places = cache(self._count_places)
        # Keys and units that were last worked out: who asks whether a member holds a place will
        # ask which one next.
        self._last = np.array([_NO_KEY]), np.array([-1])

    def _count_places(self, area: int) -> Ints:
        """Running total of the places of an area's units."""
        first = self.units.cells.area_start
        frame = self.units.frame(int(first[area]), int(first[area + 1]))
        capacity = frame.column(self.rows.capacity).ints
        if capacity.size and capacity.min() < 0:
            raise BuildError(
                f"{self.rows.units}.{self.rows.capacity}: a capacity of {capacity.min()}; "
                "it must be zero or more"
            )
        return np.cumsum(capacity)

    def frame(self, start: int, end: int) -> Frame:
        return self.below(np.arange(start, end))[0]

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        return self.recent.of(self, numbers, self._below)

    def _below(self, numbers: Ints) -> tuple[Frame, Ints]:
        group, position, unit = self._held(numbers)
        members = self.members.whole(numbers)
        at = np.searchsorted(members.key, numbers[group] * POSITIONS + position)
        fields = Fields(members.fields.take(at))
        return self._frame(Parent.of(members, at), members.key[at], fields, unit), group

    def at(self, keys: Ints) -> Frame:
        held, units = self._last
        place = np.searchsorted(held, keys)
        if (held[place] != keys).any():
            self._held(compact(keys // POSITIONS)[0])
            held, units = self._last
            place = np.searchsorted(held, keys)
        members = self.members.at(keys)
        return self._frame(Parent.of(members, None), keys, members.fields, units[place])

    def root(self, keys: Ints) -> Ints:
        return keys // POSITIONS

    def above(self, keys: Ints, table: Table) -> Ints | None:
        return keys if table is self else self.members.above(keys, table)

    def held_by(self, members: Ints) -> Ints:
        """The key of each member's row, which is the member's own; -1 for one without a place."""
        self._held(compact(members // POSITIONS)[0])
        held, _ = self._last
        return np.where(held[np.searchsorted(held, members)] == members, members, -1)

    def _held(self, numbers: Ints) -> tuple[Ints, Ints, Ints]:
        """Group, position and unit of every member who holds a place, in their order."""
        k = self.rows.per_group
        chosen = self.members.choose(numbers, self.where, self.draws, k)
        area = self.cells.area[self.cells.of(numbers)]
        first = self.cells.area_start
        tickets = (first[area + 1] - first[area]) * k
        unit = np.full(chosen.shape, -1, dtype=np.int64)
        for turn in range(k):
            ticket = (numbers - first[area]) * k + turn
            unit[:, turn] = self._unit_of(area, permute(self.draws, area, ticket, tickets))
        group, column = np.nonzero((unit >= 0) & (chosen >= 0))
        order = np.argsort(group * POSITIONS + chosen[group, column], kind="stable")
        group, column = group[order], column[order]
        position, unit = chosen[group, column], unit[group, column]
        keys = numbers[group] * POSITIONS + position
        self._last = np.append(keys, _NO_KEY), np.append(unit, -1)
        return group, position, unit

    def _frame(self, member: Parent, keys: Ints, fields: Fields, unit: Ints) -> Frame:
        parents = {"member": member, "unit": Parent.of(self.units.at(unit), None)}
        return Frame(len(keys), keys, fields, self.sources, self.as_of, parents)

    def _unit_of(self, area: Ints, place: Ints) -> Ints:
        """The unit that has each place of an area, or -1 where the area has fewer places."""
        unit = np.full(len(place), -1, dtype=np.int64)
        for a in np.flatnonzero(np.bincount(area)):
            rows = np.flatnonzero(area == a)
            running = self._places(int(a))
            index = np.searchsorted(running, place[rows], side="right")
            inside = index < len(running)
            unit[rows[inside]] = self.units.cells.area_start[a] + index[inside]
        return unit


class ChildTable:
    """So many rows below each row of another table."""

    def __init__(self, world: World, dataset: str, name: str, rows: ChildRows) -> None:
        where = f"{dataset}.toml: tables.{name}.rows.children"
        if rows.of not in world.tables:
            raise SpecError(f"{where}: of = {rows.of!r} must be an earlier table")
        self.parents, self.rows = world.tables[rows.of], rows
        self.recent = world.recent
        self.recent.want(self.parents)
        self.cells, self.as_of = self.parents.cells, world.specs[dataset].as_of
        self.bound = self.parents.bound * rows.stride
        if self.bound > _LARGEST_KEY:
            raise BuildError(
                f"{where}: most = {rows.stride} gives too many possible rows; lower it"
            )
        self.where = None if rows.where is None else parse(rows.where)
        self.counted = self._counting(world, dataset, name)
        self.sources = world.sources(dataset, name)

    def _counting(self, world: World, dataset: str, name: str) -> Source:
        """The function that gives the number of children of a parent's frame."""
        count = self.rows.count
        if isinstance(count, int):
            one = np.array([count], dtype=np.int64)
            return lambda frame: Values(repeated(one, frame.n))
        if isinstance(count, str):
            tree = parse(count)
            return lambda frame: frame.evaluate(tree)
        if not isinstance(count, Count):
            raise TypeError(count)
        column, path = count.column(self.rows.because), (dataset, name, "count")
        seed, margins = world.recipe.seed, world.margins[dataset]
        drawn = compile_column(path, column, seed, margins, world.no_link)

        def compute(frame: Frame) -> Values:
            values = drawn(frame)
            if values.data is None or values.domain is not None:
                values = values.coded()
                numbers = np.array([int(text) for text in values.domain or ()], dtype=np.int64)
                values = replace(values, data=numbers[values.ints], domain=None)
            return values

        return compute

    def _counts(self, parents: Frame) -> Ints:
        values = self.counted(parents)
        counts = values.ints
        if len(counts) and not 0 <= values.span[0] <= values.span[1] <= self.rows.stride:
            counts = np.clip(counts, 0, self.rows.stride)
        return counts if values.missing is None else np.where(values.missing, 0, counts)

    def _having(self, parents: Frame) -> tuple[Frame, Ints | None, Ints]:
        """Parents that may have children, which of these they are, and how many each has."""
        if self.where is None:
            return parents, None, self._counts(parents)
        fit = parents.holds(self.where)
        at = np.flatnonzero(fit)
        if not is_few(len(at), parents.n):
            return parents, None, np.where(fit, self._counts(parents), 0)
        few = parents.part(at)
        return few, at, self._counts(few)

    def _frame(
        self, parents: Frame, counts: Ints, at: Ints, position: Ints, runs: Ints | None = None
    ) -> Frame:
        key = parents.key.take(at) * self.rows.stride
        key += position
        fields: dict[str, Given] = {
            "number": Values(key),
            "position": Values(position),
            "count": lambda: Values(counts.take(at)),
        }
        handed: tuple[str, ...] = ()
        if self.cells.areas:
            start = self.cells.area_start * (self.bound // max(self.cells.n, 1))
            fields["rank"] = lambda: Values(
                key - start[np.searchsorted(start[1:], key, side="right")]
            )
            handed = ("area", "place")
        above = {"parent": Parent.of(parents, at, runs)}
        return Frame(len(at), key, Fields(fields), self.sources, self.as_of, above, handed)

    def below(self, numbers: Ints) -> tuple[Frame, Ints]:
        return self.recent.of(self, numbers, self._below)

    def _below(self, numbers: Ints) -> tuple[Frame, Ints]:
        parents, group = self.parents.below(numbers)
        parents, fit, counts = self._having(parents)
        if fit is not None:
            group = group.take(fit)
        at, position = laid_out(counts)
        return self._frame(parents, counts, at, position, runs=counts), group.take(at)

    def frame(self, start: int, end: int) -> Frame:
        return self.below(np.arange(start, end))[0]

    def at(self, keys: Ints) -> Frame:
        above, position = np.divmod(keys, self.rows.stride)
        unique, at = compact(above)
        parents = self.parents.at(unique)  # who has a child may have one
        return self._frame(parents, self._counts(parents), at, position)

    def root(self, keys: Ints) -> Ints:
        return self.parents.root(keys // self.rows.stride)

    def above(self, keys: Ints, table: Table) -> Ints | None:
        return keys if table is self else self.parents.above(keys // self.rows.stride, table)
