"""Links to members and other rows below groups: who is met at random, or in the same group."""

from __future__ import annotations

import numpy as np

from synthetic.errors import BuildError
from synthetic.generation.draws import Words, below, words
from synthetic.generation.frames import Frame, compact
from synthetic.generation.linking import Setting, areas_of
from synthetic.generation.rowsets import GroupTable, MemberTable, Table, UnitTable
from synthetic.generation.values import Ints
from synthetic.spec.expressions import parse

_TURNS = 201  # groups that a link tries before it gives up
_AT_ONCE = 4  # of them after the first
_WIDEST = 1 << 32  # numbers of a parent's children


def met(setting: Setting, frame: Frame, rows: Ints) -> Ints:
    """A row of a group of the area that is met at random."""
    others, link = setting.others, setting.link
    plain = isinstance(setting.rows, UnitTable | GroupTable) and link.area is None
    if plain and isinstance(others, MemberTable):
        return _met_once(setting, others, frame)[rows]
    again: Ints | None = None
    if link.by is None:
        word = words(setting.draws, frame.key[rows])
    else:
        rows, word, again = _shared(setting, frame, rows, link.by)
    keys = _met(setting, areas_of(setting, frame, rows), word)
    return keys if again is None else keys[again]


def _shared(setting: Setting, frame: Frame, rows: Ints, by: str) -> tuple[Ints, Words, Ints]:
    """One row for each number of each parent, its word, and to which of them each row belongs."""
    number, parent = frame.part(rows).column(by), frame.parents["parent"]
    if not len(rows):
        return rows, words(setting.draws, rows), rows
    low, high = number.span
    span = high - low + 1
    if span > _WIDEST:
        raise BuildError(f"by = {by!r} holds numbers from {low} to {high}; number others from 0")
    at = rows if parent.at is None else parent.at[rows]
    pairs, again = compact(at * span + (number.ints - low))
    one = np.empty(len(pairs), dtype=np.int64)
    one[again] = rows
    word = words(setting.draws, parent.frame.key[pairs // span])
    word ^= (pairs % span + low).view(np.uint64)
    return one, words(setting.draws, word), again


def _met(setting: Setting, area: Ints, word: Words) -> Ints:
    """A row of a group of these areas for each word."""
    others = setting.others
    first = others.cells.area_start
    size = first[area + 1] - first[area]
    if len(size) and size.min() == 0:
        code = others.cells.areas[int(area[int(np.argmin(size))])]
        raise BuildError(
            f"{setting.where}: {setting.target} has no rows in area {code} at this scale; take a "
            "larger one"
        )
    keys = np.full(len(word), -1, dtype=np.int64)
    left, turn = np.arange(len(word)), 0
    while left.size:
        if turn >= _TURNS:
            raise _nobody(setting)
        # A few rows that met nobody make several tries at once: each look at others has its cost.
        tries = np.arange(turn, turn + (_AT_ONCE if turn else 1), dtype=np.uint64)
        # Another word for every turn, a pure function of the row's own.
        again = words(setting.draws, word[left, None] ^ tries) if turn else word[left, None]
        group = first[area[left], None] + below(again, size[left, None])
        met = _one_of(setting, group.reshape(-1), (again << np.uint64(32)).reshape(-1))
        met = met.reshape(group.shape)
        keys[left] = met[np.arange(len(left)), np.argmax(met >= 0, axis=1)]
        left, turn = left[keys[left] < 0], turn + len(tries)
    return keys


def _nobody(setting: Setting) -> BuildError:
    return BuildError(
        f"{setting.where}: of {_TURNS} households none has a member for whom "
        f"{setting.link.where!r} holds; widen the condition or take a larger scale"
    )


def _one_of(setting: Setting, group: Ints, word: Words) -> Ints:
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


def _met_once(setting: Setting, members: MemberTable, frame: Frame) -> Ints:
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


def within(setting: Setting, frame: Frame, rows: Ints) -> Ints:
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


def _table_of(setting: Setting, parent: str) -> Table:
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
