"""Keys that lead to rows of other tables, or of the same: whom each row meets.

A link gives the key of one row for each row, or none. The rows that it leads to are computed again,
never read, and their columns may be taken.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.generation.choices import UnitLink
from synthetic.generation.draws import below, stream, words
from synthetic.generation.frames import Frame, Parent, Source, compact
from synthetic.generation.linking import Choose, Setting
from synthetic.generation.meeting import met, within
from synthetic.generation.rowsets import GroupTable, MatchingTable, Table, UnitTable, is_key
from synthetic.generation.values import Ints, Values
from synthetic.spec.expressions import parse
from synthetic.spec.models import ColumnSpec

if TYPE_CHECKING:
    from synthetic.generation.world import World

Flags = npt.NDArray[np.bool_]


def compile_link(world: World, table: str, column: str, spec: ColumnSpec) -> Source:
    """Return the function that computes a key, and leaves the rows that it leads to behind it."""
    assert spec.link is not None
    assert spec.references is not None
    target, _, wanted = spec.references.rpartition(".")
    if target != (spec.link.members or spec.link.units or table):
        raise SpecError(f"{table}.{column}: references another table than its link leads to")
    draws = stream(world.recipe.seed, table, column, "link")
    setting = Setting(world, table, column, spec.link, draws, target)
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


def _chooser(setting: Setting) -> Choose:
    if setting.link.own:
        return lambda frame, rows: _earlier(setting, frame, rows)
    if setting.link.same:
        return lambda frame, rows: _same(setting, frame, rows)
    if setting.link.within is not None:
        return lambda frame, rows: within(setting, frame, rows)
    if setting.link.units is not None:
        return UnitLink(setting).choose
    return lambda frame, rows: met(setting, frame, rows)


def _same(setting: Setting, frame: Frame, rows: Ints) -> Ints:
    """The row of a matching that stands for the member that this row stands for; -1 for none."""
    others = setting.others
    if not isinstance(others, MatchingTable):
        raise SpecError(f"{setting.where}: same = true needs a table that matches members to units")
    member = setting.rows.above(frame.key[rows], others.members)
    if member is None:
        raise SpecError(f"{setting.where}: its rows lie below no member of {others.rows.members}")
    return others.held_by(member)


def _earlier(setting: Setting, frame: Frame, rows: Ints) -> Ints:
    """An earlier row: of the area for units and groups, else of the same parent or group."""
    key = frame.key[rows]
    if not isinstance(setting.rows, UnitTable | GroupTable):
        before = frame.field("position").ints[rows]
    elif setting.rows.cells.areas:
        before = frame.field("rank").ints[rows]
    else:
        before = key
    return np.where(before > 0, key - before + below(words(setting.draws, key), before), -1)
