"""Keys that lead to rows of other tables, or of the same: whom each row meets.

A link gives the key of one row for each row, or none. The rows that it leads to are computed again,
never read, and their columns may be taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError, SpecError
from synthetic.generation.draws import Stream, Words, below, stream, words
from synthetic.generation.frames import Frame, Parent, Source, compact
from synthetic.generation.permutation import permute
from synthetic.generation.rowsets import (
    GroupTable,
    MatchingTable,
    MemberTable,
    Table,
    UnitTable,
    is_key,
)
from synthetic.generation.values import Domain, Ints, Values, places
from synthetic.spec.expressions import Node, parse
from synthetic.spec.models import ColumnSpec, Link
from synthetic.spec.scope import codes_of

if TYPE_CHECKING:
    from synthetic.generation.world import World

Flags = npt.NDArray[np.bool_]
Choose = Callable[[Frame, Ints], Ints]  # a key for each of these rows, -1 for none
_TURNS = 200  # groups that a link tries before it gives up
_MAX_WEIGHT = 2**31  # what one draw can divide


@dataclass(frozen=True, eq=False)
class _Setting:
    """What a link's choice may look at."""

    world: World
    table: str  # dataset.table of the rows
    column: str
    link: Link
    draws: Stream
    target: str  # dataset.table that the link leads to

    @property
    def where(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def rows(self) -> Table:
        return self.world.tables[self.table]

    @property
    def others(self) -> Table:
        if self.target not in self.world.tables:
            raise SpecError(f"{self.where}: {self.target!r} must be an earlier table")
        return self.world.tables[self.target]

    @property
    def condition(self) -> Node | None:
        return None if self.link.where is None else parse(self.link.where)


def compile_link(world: World, table: str, column: str, spec: ColumnSpec) -> Source:
    """Return the function that computes a key, and leaves the rows that it leads to behind it."""
    assert spec.link is not None
    assert spec.references is not None
    target, _, wanted = spec.references.rpartition(".")
    if target != (spec.link.members or spec.link.units or table):
        raise SpecError(f"{table}.{column}: references another table than its link leads to")
    draws = stream(world.recipe.seed, table, column, "link")
    setting = _Setting(world, table, column, spec.link, draws, target)
    choose = _chooser(setting)
    only_if = None if spec.only_if is None else parse(spec.only_if)

    def compute(frame: Frame) -> Values:
        rows = np.arange(frame.n) if only_if is None else np.flatnonzero(frame.holds(only_if))
        keys = choose(frame, rows)
        missing: Flags | None = None
        if len(rows) < frame.n or (keys < 0).any():
            spread = np.full(frame.n, -1, dtype=np.int64)
            spread[rows] = keys
            keys, missing = spread, spread < 0
        parent = Parent(partial(_found, setting.others, keys, missing), missing)
        frame.parents[column] = parent
        if is_key(setting.others, wanted):
            return Values(np.maximum(keys, 0) if missing is not None else keys, missing=missing)
        return parent.bring(parent.frame.column(wanted))

    return compute


def _found(others: Table, keys: Ints, missing: Flags | None) -> tuple[Frame, Ints]:
    """The rows that keys lead to, each once, and which of them each key means; -1 means none."""
    if missing is None:
        unique, at = compact(keys)
        return others.at(unique), at
    rows = np.flatnonzero(~missing)
    unique, there = compact(keys[rows])
    at = np.zeros(len(keys), dtype=np.int64)
    at[rows] = there
    return others.at(unique), at


def _chooser(setting: _Setting) -> Choose:
    if setting.link.own:
        return lambda frame, rows: _earlier(setting, frame, rows)
    if setting.link.same:
        return lambda frame, rows: _same(setting, frame, rows)
    if setting.link.within is not None:
        return lambda frame, rows: _within(setting, frame, rows)
    if setting.link.units is not None:
        return _Units(setting).choose
    return lambda frame, rows: _met(setting, frame, rows)


def _areas(setting: _Setting, frame: Frame, rows: Ints) -> Ints:
    """Where each row chooses: a position among the areas of the others, -1 for the country."""
    areas = setting.others.cells.areas
    if setting.link.area is not None:
        values = frame.evaluate(parse(setting.link.area)).take(rows).coded()
    elif setting.rows.cells.areas:
        values = frame.field("area").take(rows)
    else:
        return np.full(len(rows), -1, dtype=np.int64)
    found = places(values, areas)
    if len(found) and found.min() < 0 and not setting.link.elsewhere:
        assert values.domain is not None
        code = values.domain[int(values.ints[int(np.argmin(found))])]
        raise BuildError(
            f"{setting.where}: {setting.target} has no area {code!r}; its areas are "
            f"{', '.join(areas)}"
        )
    return found


# ---------------------------------------------------------------- members


def _met(setting: _Setting, frame: Frame, rows: Ints) -> Ints:
    """A row of a group of the area that is met at random."""
    others, link = setting.others, setting.link
    plain = isinstance(setting.rows, UnitTable | GroupTable) and link.area is None
    if plain and isinstance(others, MemberTable):
        return _met_once(setting, others, frame)[rows]
    area = _areas(setting, frame, rows)
    first = others.cells.area_start
    size = first[area + 1] - first[area]
    if len(size) and size.min() == 0:
        code = others.cells.areas[int(area[int(np.argmin(size))])]
        raise BuildError(
            f"{setting.where}: {setting.target} has no rows in area {code} at this scale; take a "
            "larger one"
        )
    word = words(setting.draws, frame.key[rows])
    keys = np.full(len(rows), -1, dtype=np.int64)
    left = np.arange(len(rows))
    for turn in range(_TURNS):
        if not left.size:
            return keys
        # Another word for every turn, a pure function of the row's own.
        again = words(setting.draws, word[left] ^ np.uint64(turn)) if turn else word[left]
        group = first[area[left]] + below(again, size[left])
        keys[left] = _one_of(setting, group, again << np.uint64(32))
        left = left[keys[left] < 0]
    if left.size:
        raise _nobody(setting)
    return keys


def _nobody(setting: _Setting) -> BuildError:
    return BuildError(
        f"{setting.where}: of {_TURNS} households none has a member for whom "
        f"{setting.link.where!r} holds; widen the condition or take a larger scale"
    )


def _one_of(setting: _Setting, group: Ints, word: Words) -> Ints:
    """The key of a row of each group for whom the condition holds, each as likely; -1 for none."""
    unique, at = compact(group)
    found, below_group = setting.others.below(unique)
    condition = setting.condition
    fit = np.arange(found.n) if condition is None else np.flatnonzero(found.holds(condition))
    n = np.bincount(below_group[fit], minlength=len(unique))
    start, n = (np.cumsum(n) - n)[at], n[at]
    keys = np.full(len(group), -1, dtype=np.int64)
    there = np.flatnonzero(n)
    keys[there] = found.key[fit[start[there] + below(word[there], n[there])]]
    return keys


def _met_once(setting: _Setting, members: MemberTable, frame: Frame) -> Ints:
    """Each row meets groups that no other row meets, as long as they last."""
    draws, condition = setting.draws, parse(setting.link.where or "1 == 1")
    first = setting.rows.cells.area_start
    area = frame.field("area").ints
    n_rows = first[area + 1] - first[area]
    group = members.partner(draws, frame, 0 * n_rows)
    position = members.choose(group, condition, draws, 1)[:, 0]
    for turn in range(1, _TURNS):
        left = np.flatnonzero(position < 0)
        if not left.size:
            break
        group[left] = members.partner(draws, frame, turn * n_rows)[left]
        position[left] = members.choose(group[left], condition, draws, 1)[:, 0]
    if (position < 0).any():
        raise _nobody(setting)
    return members.keys(group, position)


def _within(setting: _Setting, frame: Frame, rows: Ints) -> Ints:
    """Another row below the same group or unit, or below the one that another key leads to."""
    within, others = str(setting.link.within), setting.others
    keys = np.full(len(rows), -1, dtype=np.int64)
    there = np.arange(len(rows))
    myself: Ints | None = None
    if within == "group":
        root = setting.rows.root(frame.key[rows])
        myself = setting.rows.above(frame.key[rows], others)
    else:
        if within not in frame.parents:
            frame.column(within)
        parent = frame.parents[within]
        if parent.missing is not None:
            there = np.flatnonzero(~parent.missing[rows])
        at = rows[there] if parent.at is None else parent.at[rows[there]]
        root = _table_of(setting, within).root(parent.frame.key[at])
    unique, group = compact(root)
    found, below_group = others.below(unique)
    condition = setting.condition
    fit = np.arange(found.n) if condition is None else np.flatnonzero(found.holds(condition))
    n = np.bincount(below_group[fit], minlength=len(unique))
    start = (np.cumsum(n) - n)[group]
    n, candidates = n[group], found.key[fit]
    skipped = np.full(len(group), -1, dtype=np.int64)
    if myself is not None and len(candidates):
        # Candidates stand in the order of their keys.
        place = np.minimum(np.searchsorted(candidates, myself), len(candidates) - 1)
        skipped = np.where(candidates[place] == myself, place - start, -1)
    n = n - (skipped >= 0)
    chosen = below(words(setting.draws, frame.key[rows[there]]), n)
    chosen += (skipped >= 0) & (chosen >= skipped)
    some = np.flatnonzero(n > 0)
    keys[there[some]] = candidates[start[some] + chosen[some]]
    return keys


def _same(setting: _Setting, frame: Frame, rows: Ints) -> Ints:
    """The row of a matching that stands for the member that this row stands for; -1 for none."""
    others = setting.others
    if not isinstance(others, MatchingTable):
        raise SpecError(f"{setting.where}: same = true needs a table that matches members to units")
    member = setting.rows.above(frame.key[rows], others.members)
    if member is None:
        raise SpecError(f"{setting.where}: its rows lie below no member of {others.rows.members}")
    return others.held_by(member)


def _table_of(setting: _Setting, parent: str) -> Table:
    """The table that a parent's rows belong to."""
    dataset, _, name = setting.table.partition(".")
    table = setting.world.specs[dataset].tables[name]
    column = table.columns.get(parent)
    if column is not None and column.link is not None:
        path = column.link.members or column.link.units or setting.table
    elif table.rows.children is not None:
        path = table.rows.children.of
    elif table.rows.matching is not None:
        path = table.rows.matching.members if parent == "member" else table.rows.matching.units
    else:
        return setting.rows  # a group has the number that its members' root has
    return setting.world.tables[path]


# ---------------------------------------------------------------- the same table


def _earlier(setting: _Setting, frame: Frame, rows: Ints) -> Ints:
    """An earlier row: of the area for units and groups, else of the same parent or group."""
    key = frame.key[rows]
    if not isinstance(setting.rows, UnitTable | GroupTable):
        before = frame.field("position").ints[rows]
    elif setting.rows.cells.areas:
        before = frame.field("rank").ints[rows]
    else:
        before = key
    return np.where(before > 0, key - before + below(words(setting.draws, key), before), -1)


# ---------------------------------------------------------------- units


@dataclass(frozen=True, eq=False)
class _Choices:
    """Units to choose among, in the order of their codes, with their running weights."""

    keys: Ints
    codes: Ints
    running: Ints  # begins with 0

    def pick(self, low: Ints, high: Ints, word: Words) -> Ints:
        """A unit with a code from `low` to below `high`, by weight; -1 where there is none."""
        start = self.running[np.searchsorted(self.codes, low)]
        n = self.running[np.searchsorted(self.codes, high)] - start
        there = n > 0
        keys = np.full(len(low), -1, dtype=np.int64)
        drawn = start[there] + below(word[there], n[there])
        keys[there] = self.keys[np.searchsorted(self.running, drawn, side="right") - 1]
        return keys


class _Units:
    """A link to units: of the row's place or area or, if they may be elsewhere, of the country."""

    def __init__(self, setting: _Setting) -> None:
        self.setting, self.link = setting, setting.link
        dataset, _, name = setting.target.partition(".")
        columns = setting.world.specs[dataset].tables[name].columns
        self.matched = {
            theirs: (ours, Domain(codes_of(columns[theirs]) or ()))
            for theirs, ours in setting.link.match.items()
        }
        self.choices = cache(self._choices)

    @property
    def uniform(self) -> bool:
        """Whether any unit of an area is as good as another: none needs to be computed."""
        link = self.link
        return not (link.where or link.weight or link.match or link.same_place)

    def choose(self, frame: Frame, rows: Ints) -> Ints:
        setting = self.setting
        area, word = _areas(setting, frame, rows), words(setting.draws, frame.key[rows])
        keys = np.full(len(rows), -1, dtype=np.int64)
        cells = setting.others.cells
        if self.link.once:
            size = np.diff(cells.area_start)[area]
            there = np.flatnonzero(size > 0)
            rank = frame.field("rank").ints[rows][there] % size[there]
            met = permute(setting.draws, area[there], rank, size[there])
            keys[there] = cells.area_start[area[there]] + met
        elif self.uniform:
            size = np.diff(cells.area_start)[area] * (area >= 0)
            keys = np.where(size > 0, cells.area_start[area] + below(word, size), -1)
        else:
            low, n_places = self._codes(frame, rows)
            place = self._places(frame, rows) if self.link.same_place else None
            for a in np.flatnonzero(np.bincount(area[area >= 0])):
                here = np.flatnonzero((area == a) & (low >= 0))
                choices = self.choices(int(a))
                if place is not None:
                    known = here[place[here] >= 0]
                    code = low[known] + place[known]
                    keys[known] = choices.pick(code, code + 1, word[known])
                    here = here[keys[here] < 0]
                keys[here] = choices.pick(low[here], low[here] + n_places, word[here])
        left = np.flatnonzero(keys < 0)
        if left.size and self.link.elsewhere:
            keys[left] = self._anywhere(frame, rows[left], word[left])
            left = left[keys[left] < 0]
        if left.size:
            raise self._none(int(area[left[0]]))
        return keys

    def _anywhere(self, frame: Frame, rows: Ints, word: Words) -> Ints:
        if self.uniform:
            n = self.setting.others.cells.n
            return below(word, n) if n else np.full(len(rows), -1, dtype=np.int64)
        low, n_places = self._codes(frame, rows)
        return self.choices(None).pick(low, low + n_places, word)

    def _none(self, area: int) -> BuildError:
        there = "the country" if area < 0 or self.link.elsewhere else "an area"
        if area >= 0 and not self.link.elsewhere:
            there = f"area {self.setting.others.cells.areas[area]}"
        asked = f" for which {self.link.where!r} holds" if self.link.where else ""
        alike = f" with the row's {', '.join(self.link.match)}" if self.link.match else ""
        return BuildError(
            f"{self.setting.where}: {self.setting.target} has no row{asked}{alike} in {there}; "
            "take a larger scale, floor = 1 for the units, or elsewhere = true for the link"
        )

    def _codes(self, frame: Frame, rows: Ints) -> tuple[Ints, int]:
        """The code of each row's match at place 0, -1 where no unit can match it."""
        n_places = max(len(self.setting.others.cells.places), 1)
        code, known = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=np.bool_)
        for ours, codes in self.matched.values():
            at = _positions(frame.column(ours).take(rows), codes)
            known &= at >= 0
            code = code * len(codes) + at
        return np.where(known, code * n_places, -1), n_places

    def _places(self, frame: Frame, rows: Ints) -> Ints:
        """Each row's place among the places of the units, -1 where they know it not."""
        return _positions(frame.field("place").take(rows), self.setting.others.cells.places)

    def _choices(self, area: int | None) -> _Choices:
        others, link = self.setting.others, self.link
        start = 0 if area is None else int(others.cells.area_start[area])
        end = others.cells.n if area is None else int(others.cells.area_start[area + 1])
        frame = others.frame(start, end)
        weight = np.ones(frame.n, dtype=np.int64)
        if link.weight is not None:
            weight = frame.column(link.weight).ints
        if frame.n and weight.min() < 0:
            raise BuildError(
                f"{self.setting.where}: a weight of {weight.min()}; it must be zero or more"
            )
        condition = self.setting.condition
        held = weight > 0 if condition is None else (weight > 0) & frame.holds(condition)
        rows = np.flatnonzero(held)
        code = np.zeros(len(rows), dtype=np.int64)
        for theirs, (_, codes) in self.matched.items():
            code = code * len(codes) + _positions(frame.column(theirs).take(rows), codes)
        code *= max(len(others.cells.places), 1)
        if others.cells.places:
            code += frame.field("place").ints[rows]
        order = np.argsort(code, kind="stable")
        rows = rows[order]
        running = np.concatenate([[0], np.cumsum(weight[rows])]).astype(np.int64)
        if running[-1] >= _MAX_WEIGHT:
            raise BuildError(
                f"{self.setting.where}: the weights {link.weight!r} add up to {running[-1]}, more "
                "than 2**31; divide them"
            )
        return _Choices(frame.key[rows], code[order], running)


def _positions(values: Values, among: tuple[str, ...]) -> Ints:
    """Where each value stands among these texts; -1 where it does not, or is missing."""
    values = values.coded()
    found = places(values, among)
    return found if values.missing is None else np.where(values.missing, -1, found)
