"""Expressions over few different values: computed once for each combination, then looked up.

A chain of `if` over a code, or over an age, has a hundred answers at most; half a million rows need
not go through it. Where a combination that no row has would be a fault (a date that is not there),
the expression is computed row by row after all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.errors import BuildError
from synthetic.generation.rows import Held, Rows
from synthetic.generation.selection import either
from synthetic.generation.values import Ints, Values, repeated

Compute = Callable[[Rows], Values]
_WORTH = {1: 2, 2: 4, 3: 6}  # operations from which on a look-up is quicker, by number of columns
_COMBINATIONS = 4096
_ROWS_EACH = 8  # rows for each combination, at least
_KEPT = 64  # tables of one tree


def is_worth(n_columns: int, n_operations: int) -> bool:
    """Whether a tree with so many columns and operations is better looked up."""
    return n_operations >= _WORTH.get(n_columns, math.inf)


@dataclass(frozen=True, eq=False)
class _Axis:
    """The different values of one column, and which of them each row has."""

    values: Callable[[Ints], Values]
    index: Ints
    n: int
    key: Hashable  # the same for the same values


def _axis(values: Values) -> _Axis | None:
    if values.data is None or values.width is not None:
        return None
    if values.domain is not None:
        domain = values.domain
        return _Axis(lambda at: Values(at, domain), values.ints, len(domain), domain)
    if values.data.dtype == np.bool_:
        return _Axis(lambda at: Values(at != 0), values.ints, 2, bool)
    low, high = values.span
    index = values.ints - low if low else values.ints
    return _Axis(lambda at: Values(at + low), index, high - low + 1, (low, high))


def _with_missing(axis: _Axis, values: Values) -> _Axis:
    """One more value: none."""
    if values.missing is None:
        return axis
    n = axis.n
    index = either(values.missing, repeated(np.array([n], dtype=np.int64), len(values)), axis.index)
    return _Axis(
        lambda at: axis.values(np.where(at < n, at, 0)).without(at == n),
        index,
        n + 1,
        (axis.key, None),
    )


class Tabulated:
    """A tree over a few columns, looked up wherever these have few different values."""

    def __init__(self, compute: Compute, columns: Sequence[str]) -> None:
        self.compute, self.columns = compute, columns
        self.tables: dict[Hashable, Values | None] = {}

    def __call__(self, rows: Rows) -> Values:
        """Compute these rows."""
        most = min(_COMBINATIONS, rows.n // _ROWS_EACH)
        if most <= 1 or rows.waits(self.columns):
            return self.compute(rows)
        axes: list[_Axis] = []
        for name in self.columns:
            values = rows.column(name)
            axis = _axis(values)
            if axis is None or axis.n * math.prod(a.n for a in axes) > most:
                return self.compute(rows)
            axes.append(_with_missing(axis, values))
        table = self._table(axes)
        if table is None:
            return self.compute(rows)
        index = axes[0].index
        for axis in axes[1:]:
            index = index * axis.n + axis.index
        return table.take(index)

    def _table(self, axes: Sequence[_Axis]) -> Values | None:
        key = tuple(axis.key for axis in axes)
        if key not in self.tables:
            if len(self.tables) >= _KEPT:
                self.tables.clear()
            self.tables[key] = self._computed(axes)
        return self.tables[key]

    def _computed(self, axes: Sequence[_Axis]) -> Values | None:
        total = math.prod(axis.n for axis in axes)
        at, held = np.arange(total), dict[str, Values]()
        for name, axis in zip(reversed(self.columns), reversed(axes), strict=True):
            at, own = np.divmod(at, axis.n)
            held[name] = axis.values(own)
        try:
            found = self.compute(Held(held.__getitem__, total))
        except BuildError:
            return None
        return None if found.data is None else found
