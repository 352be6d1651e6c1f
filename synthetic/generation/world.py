"""The world of a recipe: every table of some specs, ready to give any of its rows.

A table gives the frame of a shard (a range of groups or units) or of scattered rows. Another
table's row is found by computing it again, never by reading a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from synthetic.errors import BuildError, SpecError
from synthetic.generation import models, poolfit
from synthetic.generation.columns import compile_column
from synthetic.generation.compositions import POSITIONS
from synthetic.generation.draws import Stream, below, stream, words
from synthetic.generation.frames import Frame, Parent, Source, choose_members
from synthetic.generation.permutation import permute
from synthetic.generation.structures import Cells, Pool, Recipe, Units
from synthetic.generation.values import Ints, Values
from synthetic.spec.check import check_specs
from synthetic.spec.expressions import Node, parse
from synthetic.spec.models import ColumnSpec, MatchingRows, Spec, TableSpec

_TURNS = 200  # groups that a link tries before it gives up
SHARD_GROUPS = 65_536  # groups or units in one shard


@dataclass(frozen=True)
class Shard:
    """Groups or units from `start` up to `end` of one table."""

    table: str  # dataset.table
    index: int
    start: int
    end: int


class Table(Protocol):
    """What every table can do."""

    cells: Cells

    def frame(self, start: int, end: int) -> Frame:
        """The rows of a range of groups or units, in the order of the replica."""


class World:
    """All tables of these specs (and of those they use) for one recipe."""

    def __init__(self, specs: Mapping[str, Spec], recipe: Recipe, model_folder: Path) -> None:
        self.specs, self.recipe = specs, recipe
        self.margins = check_specs(specs)
        self.pools: dict[tuple[str, str], Pool] = {}
        self.models: dict[str, str] = {}  # dataset -> hash of its fits
        self.tables: dict[str, Table] = {}
        for dataset, spec in specs.items():
            self._make_pools(dataset, spec, model_folder)
            for name, table in spec.tables.items():
                self.tables[f"{dataset}.{name}"] = self._table(dataset, name, table)

    def _make_pools(self, dataset: str, spec: Spec, folder: Path) -> None:
        digests = []
        for name, wanted in spec.pools.items():
            inputs = poolfit.inputs(wanted, self.margins[dataset])
            key = poolfit.key(wanted, inputs)
            fit = models.fitted(key, folder, partial(poolfit.fit, wanted, inputs))
            digests.append(models.digest(fit))
            self.pools[dataset, name] = Pool(f"{dataset}.{name}", fit, inputs, self.recipe)
        self.models[dataset] = ":".join(digests)

    def _table(self, dataset: str, name: str, table: TableSpec) -> Table:
        rows = table.rows
        if rows.groups_of is not None:
            return GroupTable(self, dataset, name, self._pool(dataset, name, rows.groups_of))
        if rows.members_of is not None:
            return MemberTable(self, dataset, name, self._pool(dataset, name, rows.members_of))
        if rows.units is not None:
            margins = self.margins[dataset]
            units = Units(margins[rows.units.per], margins[rows.units.places], self.recipe)
            return UnitTable(self, dataset, name, units)
        assert rows.matching is not None
        return MatchingTable(self, dataset, name, rows.matching)

    def _pool(self, dataset: str, table: str, name: str) -> Pool:
        if (dataset, name) not in self.pools:
            raise SpecError(f"{dataset}.toml: tables.{table}.rows: unknown pool {name!r}")
        return self.pools[dataset, name]

    def sources(self, dataset: str, name: str) -> dict[str, Source]:
        """The functions that compute the columns of a table."""
        columns = self.specs[dataset].tables[name].columns

        def link(column: str, spec: ColumnSpec) -> Source:
            return self._link(f"{dataset}.{name}", column, spec)

        return {
            column: compile_column(
                (dataset, name, column), spec, self.recipe.seed, self.margins[dataset], link
            )
            for column, spec in columns.items()
        }

    def members(self, table: str, wanted_by: str) -> MemberTable:
        """The table of members that a link or a matching asks for."""
        found = self.tables.get(table)
        if not isinstance(found, MemberTable):
            raise SpecError(
                f"{wanted_by}: {table!r} must be an earlier table with rows = {{ members_of = … }}"
            )
        return found

    def _link(self, table: str, column: str, spec: ColumnSpec) -> Source:
        assert spec.link is not None
        assert spec.references is not None
        condition = spec.link.where
        members = self.members(spec.link.members, f"{table}.{column}")
        dataset_table, _, wanted = spec.references.rpartition(".")
        if dataset_table != spec.link.members:
            raise SpecError(f"{table}.{column}: references another table than its link's members")
        where, draws = parse(condition), stream(self.recipe.seed, table, column, "link")

        def compute(frame: Frame) -> Values:
            # Each turn meets groups that no row of an earlier turn has met, as long as they last.
            first = self.tables[table].cells.area_start
            area = frame.field("area").ints
            rows = first[area + 1] - first[area]
            group = members.partner(draws, frame, 0 * rows)
            position = members.choose(group, where, draws, 1)[:, 0]
            for turn in range(1, _TURNS):
                left = np.flatnonzero(position < 0)
                if not left.size:
                    break
                group[left] = members.partner(draws, frame, turn * rows)[left]
                position[left] = members.choose(group[left], where, draws, 1)[:, 0]
            if (position < 0).any():
                raise BuildError(
                    f"{table}.{column}: of {_TURNS} households none has a member for whom "
                    f"{condition!r} holds; widen the condition or take a larger scale"
                )
            found = members.scattered(group, position)
            frame.parents[column] = Parent(found, None)
            return found.column(wanted)

        return compute

    def shards(self, table: str, groups_per_shard: int = SHARD_GROUPS) -> list[Shard]:
        """Cut the rows of the recipe's area into shards."""
        start, end = self.tables[table].cells.range(self.recipe.area)
        # Cut at fixed marks of the country, so that an area's shards are the country's there.
        marks = range(start - start % groups_per_shard, max(end, start + 1), groups_per_shard)
        bounds = [(max(start, m), min(end, m + groups_per_shard)) for m in marks]
        return [Shard(table, i, a, b) for i, (a, b) in enumerate(bounds)]


class GroupTable:
    """One row for each household of a pool."""

    def __init__(self, world: World, dataset: str, name: str, pool: Pool) -> None:
        self.pool, self.cells = pool, pool.cells
        self.name, self.as_of = name, world.specs[dataset].as_of
        self.sources = world.sources(dataset, name)

    def at(self, numbers: Ints) -> tuple[Frame, Ints]:
        """The frame of these groups, and their templates."""
        fields, template = self.pool.groups(numbers)
        return Frame(len(numbers), numbers, fields, self.sources, self.as_of), template

    def frame(self, start: int, end: int) -> Frame:
        return self.at(np.arange(start, end))[0]


class MemberTable:
    """One row for each member of each household of a pool."""

    def __init__(self, world: World, dataset: str, name: str, pool: Pool) -> None:
        self.pool, self.cells = pool, pool.cells
        self.as_of = world.specs[dataset].as_of
        self.groups = next(
            (t for t in world.tables.values() if isinstance(t, GroupTable) and t.pool is pool),
            None,
        )
        self.sources = world.sources(dataset, name)

    def _frame(self, numbers: Ints, at: Ints | None, position: Ints | None) -> Frame:
        """Members of these groups: all of them, or the one at each position."""
        if self.groups is not None:
            above, template = self.groups.at(numbers)
            fields = above.fields
        else:
            above = None
            fields, template = self.pool.groups(numbers)
        if at is None or position is None:
            size = fields["size"].ints
            at = np.repeat(np.arange(len(numbers)), size)
            position = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size)
        own = self.pool.members(dict(fields), template, at, position)
        parents = {} if above is None else {"group": Parent(above, at)}
        key = numbers[at] * POSITIONS + position
        return Frame(len(at), key, own, self.sources, self.as_of, parents)

    def frame(self, start: int, end: int) -> Frame:
        return self._frame(np.arange(start, end), None, None)

    def scattered(self, group: Ints, position: Ints) -> Frame:
        """Single members, in any order."""
        return self._frame(group, np.arange(len(group)), position)

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
        rank = (frame.field("rank").ints + ahead) % size
        return first[own] + permute(draws, own, rank, size)

    def choose(self, group: Ints, where: Node, draws: Stream, width: int) -> Ints:
        """Positions of the first `width` members for whom a condition holds, -1 for none."""
        frame = self._frame(group, None, None)
        size = frame.field("size").ints
        position = frame.field("position").ints
        index = np.cumsum(position == 0) - 1
        start = below(words(draws, group), np.maximum(size[position == 0], 1))
        chosen = choose_members(frame.holds(where), index, position, start, POSITIONS)
        return chosen[:, :width]


class UnitTable:
    """One row for each unit, such as an enterprise."""

    def __init__(self, world: World, dataset: str, name: str, units: Units) -> None:
        self.cells, self.as_of = units.cells, world.specs[dataset].as_of
        self.sources = world.sources(dataset, name)

    def at(self, numbers: Ints) -> Frame:
        """Units by number, in any order."""
        fields = self.cells.fields(numbers, self.cells.of(numbers))
        return Frame(len(numbers), numbers, fields, self.sources, self.as_of)

    def frame(self, start: int, end: int) -> Frame:
        return self.at(np.arange(start, end))


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
        self.where = parse(rows.where)
        self.draws = stream(world.recipe.seed, dataset, name, "matching")
        self.areas = self.cells.areas
        if self.areas != units.cells.areas:
            raise SpecError(f"{where}: members and units must share their areas")
        self.sources = world.sources(dataset, name)
        self._places = cache(self._count_places)

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
        numbers = np.arange(start, end)
        k = self.rows.per_group
        chosen = self.members.choose(numbers, self.where, self.draws, k)
        area = self.cells.area[self.cells.of(numbers)]
        first = self.cells.area_start
        tickets = (first[area + 1] - first[area]) * k
        unit = np.full(chosen.shape, -1, dtype=np.int64)
        for turn in range(k):
            ticket = (numbers - first[area]) * k + turn
            unit[:, turn] = self._unit_of(area, permute(self.draws, area, ticket, tickets))
        held = (unit >= 0) & (chosen >= 0)
        group, column = np.nonzero(held)
        order = np.lexsort((chosen[group, column], group))
        group, column = group[order], column[order]
        members = self.members.scattered(numbers[group], chosen[group, column])
        units = self.units.at(unit[group, column])
        parents = {"member": Parent(members, None), "unit": Parent(units, None)}
        return Frame(len(group), members.key, members.fields, self.sources, self.as_of, parents)

    def _unit_of(self, area: Ints, place: Ints) -> Ints:
        """The unit that has each place of an area, or -1 where the area has fewer places."""
        unit = np.full(len(place), -1, dtype=np.int64)
        for a in np.unique(area):
            rows = np.flatnonzero(area == a)
            running = self._places(int(a))
            index = np.searchsorted(running, place[rows], side="right")
            inside = index < len(running)
            unit[rows[inside]] = self.units.cells.area_start[a] + index[inside]
        return unit
