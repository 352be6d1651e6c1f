"""A frame: some rows of one table, whose columns are computed when they are asked for.

A frame knows the rows' fields (what the structure says: their number, area, age) and leads to the
frames of their parents (a member's group). Rows may be a whole shard or scattered ones: every value
is a function of the row alone, so both give the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError, nearest
from synthetic.generation.values import Values, evaluate
from synthetic.spec.expressions import Node

Ints = npt.NDArray[np.int64]
Source = Callable[["Frame"], Values]


@dataclass(frozen=True, eq=False)
class Parent:
    """The frame of the parents, and which of its rows belongs to each row."""

    frame: Frame
    at: Ints | None  # None: row i belongs to row i

    def bring(self, values: Values) -> Values:
        """The parents' values, one for each row."""
        return values if self.at is None else values.take(self.at)


@dataclass(eq=False)
class Frame:
    """Rows of one table."""

    n: int
    key: Ints  # one number a row, the same wherever the row is met
    fields: Mapping[str, Values]
    sources: Mapping[str, Source]
    as_of: dt.date
    parents: dict[str, Parent] = field(default_factory=dict)
    _done: dict[str, Values] = field(default_factory=dict)

    def column(self, name: str) -> Values:
        """The values of a column of the spec."""
        if name not in self._done:
            self._done[name] = self.sources[name](self)
        return self._done[name]

    def field(self, path: str) -> Values:
        """A field of the structure, or `parent.column`."""
        head, _, column = path.partition(".")
        if column:
            if head not in self.parents:
                self.column(head)  # a link, which leaves the frame of the rows that it leads to
            parent = self.parents[head]
            return parent.bring(parent.frame.column(column))
        if path not in self.fields:
            raise BuildError(f"these rows have no field {path!r}; {nearest(path, self.fields)}")
        return self.fields[path]

    def evaluate(self, tree: Node) -> Values:
        """An expression over the columns."""
        return evaluate(tree, self.column, self.n, self.as_of)

    def holds(self, tree: Node) -> npt.NDArray[np.bool_]:
        """Where a condition holds; a row where it is unknown does not count."""
        values = self.evaluate(tree)
        result: npt.NDArray[np.bool_] = values.ints != 0
        return result if values.missing is None else result & ~values.missing


def choose_members(
    eligible: npt.NDArray[np.bool_], group: Ints, position: Ints, start: Ints, width: int
) -> Ints:
    """Order the eligible members of each group, counting round from the group's start.

    Parameters
    ----------
    eligible, group, position : arrays of shape (members,)
        Members stand group by group; `group` counts from 0.
    start : int64 array of shape (groups,)
        The position to count from, below `width`.
    width : int
        Largest number of members of a group.

    Returns
    -------
    int64 array of shape (groups, width)
        Positions of the eligible members in that order, then -1.
    """
    turn = (position - start[group]) % width
    order = np.full((len(start), width), width, dtype=np.int64)
    order[group[eligible], turn[eligible]] = turn[eligible]
    order.sort(axis=1)
    return np.where(order < width, (order + start[:, None]) % width, -1)
