"""What the compilation of a column may look at, and what many kinds of source ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from synthetic.errors import BuildError
from synthetic.generation.draws import Stream, Words, stream, words
from synthetic.generation.frames import Frame, Source
from synthetic.generation.keyed import codes, combinations
from synthetic.generation.values import Ints, Values
from synthetic.spec.expressions import parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import ANY, ColumnSpec
from synthetic.tables.arrow import Flags

_GROUP_SHIFT = 8  # members and lines of a group: numbers below 8


@dataclass(frozen=True, eq=False)
class Setting:
    """What the compilation of a column may look at."""

    path: tuple[str, str, str]  # dataset, table, column
    spec: ColumnSpec
    seed: int
    draws: Stream
    margins: Mapping[str, Margin]
    link: Callable[[str, ColumnSpec], Source]  # makes the source of a `link`

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that its tables by code are given."""
        return tuple(self.spec.given.values())

    def apart(self, *names: str) -> Stream:
        """A stream of the column's own beside its main one."""
        return stream(self.seed, *self.path, *names)

    def wanted(self, frame: Frame) -> Flags:
        """The rows that have a value at all: elsewhere nothing can be wrong."""
        if self.spec.only_if is None:
            return np.ones(frame.n, dtype=np.bool_)
        return frame.holds(parse(self.spec.only_if))


def entries_of(
    setting: Setting, frame: Frame, given: tuple[str, ...], keys: tuple[str, ...], what: str
) -> Ints | None:
    """The entry of a table by code that belongs to each row; None for a table without codes."""
    if not given or keys == ("",):
        return None
    held = combinations(frame, given)
    entry, is_sure = held.entries(keys)
    if not is_sure and len(entry) and entry.min() < 0:
        lost = (entry < 0) & setting.wanted(frame)
        if lost.any():
            lacking = codes(held.labels, int(held.index[int(np.argmax(lost))]))
            raise BuildError(
                f"{what} gives nothing for {', '.join(given)} = {'|'.join(lacking)!r}; add it, or "
                f"{ANY!r} for all others"
            )
        entry = np.maximum(entry, 0)
    return entry


def row_words(setting: Setting, frame: Frame, draws: Stream | None = None) -> Words:
    """A random word for each row, or one for all rows of a group that share a field."""
    draws = draws or setting.draws
    if setting.spec.per is None:
        return frame.words(draws)
    per = frame.field("number").ints * _GROUP_SHIFT + frame.field(setting.spec.per).ints
    return words(draws, per)


def present(values: Values) -> Flags:
    """The rows that have a value."""
    return np.ones(len(values), dtype=np.bool_) if values.missing is None else ~values.missing
