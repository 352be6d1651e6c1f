"""A frame: some rows of one table, whose columns are computed when they are asked for.

A frame knows the rows' fields (what the structure says: their number, area, age) and leads to the
frames of their parents (a member's group). Rows may be a whole shard or scattered ones: every value
is a function of the row alone, so both give the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError, nearest
from synthetic.generation.draws import Stream, Words, mixed, words_of
from synthetic.generation.fields import Fields
from synthetic.generation.operations import evaluate, truth
from synthetic.generation.rows import is_few
from synthetic.generation.values import Values
from synthetic.spec.expressions import Node

Ints = npt.NDArray[np.int64]
Source = Callable[["Frame"], Values]
_LONG_RUNS = 16  # rows below a parent, on the mean: repeating its value is quicker than taking it


@dataclass(frozen=True, eq=False)
class Column:
    """A source, and the columns of its table that it needs in every row."""

    compute: Source
    needs: tuple[str, ...]
    takes: str | None = None  # the field that it holds, in every row

    def __call__(self, frame: Frame) -> Values:
        """The values of the column."""
        return self.compute(frame)


class Sources(dict[str, Column]):
    """The columns of a table, and which of them no shown column needs in every row."""

    def __init__(self, columns: Mapping[str, Column], shown: Iterable[str]) -> None:
        super().__init__(columns)
        waiting = list(shown)
        needed = set(waiting)
        while waiting:
            more = set(columns[waiting.pop()].needs) - needed
            needed |= more
            waiting += more
        self.late = frozenset(columns) - needed


@dataclass(frozen=True, eq=False)
class Parent:
    """The frame of the parents, and which of its rows belongs to each row."""

    make: Callable[[], tuple[Frame, Ints | None]]  # called when the parents are first asked for
    missing: npt.NDArray[np.bool_] | None = None  # rows that have no such parent
    counts: Ints | None = None  # of rows below each parent, where these stand parent by parent

    @classmethod
    def of(cls, frame: Frame, at: Ints | None, counts: Ints | None = None) -> Parent:
        """The parents of rows that all have one."""
        if at is not None and len(at) <= _LONG_RUNS * frame.n:
            counts = None
        return cls(lambda: (frame, at), counts=counts)

    @cached_property
    def _made(self) -> tuple[Frame, Ints | None]:
        return self.make()

    @property
    def frame(self) -> Frame:
        """The parents, each once."""
        return self._made[0]

    @property
    def at(self) -> Ints | None:
        """The parent of each row; None where row i belongs to row i."""
        return self._made[1]

    def part(self, at: Ints) -> Parent:
        """The parents of some of the rows."""

        def make() -> tuple[Frame, Ints]:
            frame, rows = self.frame, at if self.at is None else self.at.take(at)
            if is_few(len(rows), frame.n):
                unique, rows = compact(rows)
                frame = frame.part(unique)
            return frame, rows

        return Parent(make, None if self.missing is None else self.missing.take(at))

    def bring(self, values: Values) -> Values:
        """The parents' values, one for each row."""
        if self.at is not None and not self.frame.n:
            values = values.filled()  # nobody has such a parent
        if self.counts is not None:
            found = values.repeat(self.counts)
        else:
            found = values if self.at is None else values.take(self.at)
        return found if self.missing is None else found.without(self.missing)


@dataclass(eq=False)
class Frame:
    """Rows of one table."""

    n: int
    key: Ints  # one number a row, the same wherever the row is met
    fields: Fields
    sources: Sources
    as_of: dt.date
    parents: dict[str, Parent] = field(default_factory=dict)
    handed: tuple[str, ...] = ()  # fields that the rows share with their "parent"
    of: tuple[Frame, Ints] | None = None  # the rows that these are some of, and which
    _done: dict[str, Values] = field(default_factory=dict)
    _handed: dict[str, Values] = field(default_factory=dict)

    def column(self, name: str) -> Values:
        """The values of a column of the spec."""
        if self._taken(name):
            return self._done[name]
        waiting = [name]  # a stack of our own: a long chain of columns would outgrow Python's
        while waiting:
            source = self.sources[waiting[-1]]
            before = [other for other in source.needs if not self._taken(other)]
            if before and waiting[-1] not in self._done:
                waiting += before
                continue
            done = waiting.pop()
            if done not in self._done:
                self._done[done] = source(self)
        return self._done[name]

    def _taken(self, name: str) -> bool:
        """Whether a column is there, or can be taken from the rows that these are some of."""
        if name not in self._done and self.of is not None:
            whole, at = self.of
            if name in whole._done or not (is_few(self.n, whole.n) or whole.waits((name,))):
                self._done[name] = whole.column(name).take(at)
                if name in whole.parents:
                    self.parents[name] = whole.parents[name].part(at)
        return name in self._done

    def words(self, draws: Stream) -> Words:
        """A random word for each row."""
        return words_of(draws, self._mixed)

    @cached_property
    def _mixed(self) -> Words:
        whole, at = self.of or (self, None)
        if at is not None and "_mixed" in vars(whole):
            return whole._mixed.take(at)
        return mixed(self.key)

    def waits(self, names: Collection[str]) -> bool:
        """Whether one of these columns is not there yet and may never be asked for in every row."""
        late = [name for name in names if name in self.sources.late and name not in self._done]
        return bool(late) and (self.of is None or self.of[0].waits(late))

    def part(self, at: Ints) -> Frame:
        """Some of the rows."""
        return Frame(
            len(at),
            self.key.take(at),
            Fields(self.fields.take(at)),
            self.sources,
            self.as_of,
            {name: parent.part(at) for name, parent in self.parents.items()},
            self.handed,
            (self, at),
        )

    def field(self, path: str) -> Values:
        """A field of the structure, or `parent.column`."""
        head, _, column = path.partition(".")
        if column:
            if head not in self.parents:
                self.column(head)  # a link, which leaves the frame of the rows that it leads to
            parent = self.parents[head]
            return parent.bring(parent.frame.column(column))
        if path in self.handed and path not in self._handed:
            above = self.parents["parent"]
            self._handed[path] = above.bring(above.frame.field(path))
        if path in self._handed:
            return self._handed[path]
        if path not in self.fields:
            raise BuildError(f"these rows have no field {path!r}; {nearest(path, self.fields)}")
        return self.fields[path]

    def evaluate(self, tree: Node) -> Values:
        """An expression over the columns."""
        return evaluate(tree, self, self.as_of)

    def holds(self, tree: Node) -> npt.NDArray[np.bool_]:
        """Where a condition holds; a row where it is unknown does not count."""
        values = self.evaluate(tree)
        result = truth(values)
        return result if values.missing is None else result & ~values.missing


def compact(keys: Ints) -> tuple[Ints, Ints]:
    """The different keys, rising, and the place of each row's among them."""
    if not len(keys):
        return keys, keys
    more = keys[1:] != keys[:-1]
    if not (keys[1:] < keys[:-1]).any():  # in order already
        at = np.zeros(len(keys), dtype=np.int64)
        np.cumsum(more, out=at[1:])
        return keys[np.append(True, more)], at
    low, high = int(keys.min()), int(keys.max())
    if high - low > 8 * len(keys) + 4096:
        return np.unique(keys, return_inverse=True)
    there = np.zeros(high - low + 1, dtype=np.bool_)
    there[keys - low] = True
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1).take(keys - low)


def laid_out(counts: Ints) -> tuple[Ints, Ints]:
    """For so many rows below each of some others: which of these each belongs to, and its turn."""
    if not counts.size or counts.max() <= 1:
        at = np.flatnonzero(counts)
        return at, np.zeros_like(at)
    at = np.repeat(np.arange(len(counts)), counts)
    turn = np.arange(len(at))
    turn -= (np.cumsum(counts) - counts).take(at)
    return at, turn


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
    turn = position - start[group]
    turn += width * (turn < 0)
    there = np.zeros((len(start), width), dtype=np.bool_)
    there[group[eligible], turn[eligible]] = True
    at, turn = np.nonzero(there)  # group by group, in the order of their turns
    n = there.sum(axis=1)
    order = np.full((len(start), width), -1, dtype=np.int64)
    order[at, np.arange(len(at)) - np.repeat(np.cumsum(n) - n, n)] = (turn + start[at]) % width
    return order
