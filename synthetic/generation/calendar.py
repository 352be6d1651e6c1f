"""Days by season: month, weekday, year, Tết and holidays as whole-number weights over a calendar."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError
from synthetic.generation.dates import Ints, civil, days
from synthetic.generation.draws import Words, below
from synthetic.generation.running import Running
from synthetic.tables.arrow import Flags

# The first day of the lunar year in Viet Nam (UTC+7): the table of the `holidays` library (MIT,
# holidays/calendars/chinese.py with its Vietnamese exceptions of 2007 and 2030, which fall a day
# before China's); a test computes each again as a day of the new moon by Meeus' series.
_TET = """
2000-02-05 2001-01-24 2002-02-12 2003-02-01 2004-01-22 2005-02-09 2006-01-29 2007-02-17 2008-02-07
2009-01-26 2010-02-14 2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 2016-02-08 2017-01-28
2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17
2027-02-06 2028-01-26 2029-02-13 2030-02-02 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08
"""
TET = {day.year: day for day in map(dt.date.fromisoformat, _TET.split())}

_ALL = (dt.date(1900, 1, 1), dt.date(2099, 12, 31))
_WITH_TET = (dt.date(min(TET), 1, 1), dt.date(max(TET), 12, 31))
_TET_APART = 350  # days, at least
_LARGEST_SUM = 2**31 - 1  # what `below` takes
_STRETCH = 512  # days: windows begin and end at multiples, so that there are few of them
_KEPT = 16  # windows of one calendar


@dataclass(frozen=True)
class Season:
    """The weights of one kind of rows, as a spec gives them."""

    months: Sequence[int] = ()
    weekdays: Sequence[int] = ()
    years: Mapping[str, int] | None = None
    before_tet: Sequence[int] = ()
    after_tet: Sequence[int] = ()
    holidays: Mapping[str, int] | None = None

    def weights(self, first: dt.date, last: dt.date) -> npt.NDArray[np.generic]:
        """The weight of each day of a calendar, exactly: whole numbers of Python if they are large."""
        numbers = np.arange(days(first), days(last) + 1)
        year, month, day = civil(numbers)
        total = np.ones(len(numbers), dtype=np.int64 if self._bound() < 2**62 else object)
        if self.months:
            total *= np.array([0, *self.months], dtype=total.dtype)[month]
        if self.weekdays:
            total *= np.array(self.weekdays, dtype=total.dtype)[(numbers + 3) % 7]
        if self.years:
            named = {int(name): weight for name, weight in self.years.items()}
            listed = [named.get(y, 0) for y in range(first.year, last.year + 1)]
            total *= np.array(listed, dtype=total.dtype)[year - first.year]
        for name, percent in (self.holidays or {}).items():
            on = (month == int(name[:2])) & (day == int(name[3:]))
            total = np.where(on, total * percent, total * 100)
        around = [*self.before_tet, *self.after_tet]
        if around:
            total *= 100
            for tet in TET.values():
                start = days(tet) - len(self.before_tet) - days(first)
                for i, percent in enumerate(around, start):
                    if 0 <= i < len(total):
                        total[i] = total[i] // 100 * percent
        return total

    def _bound(self) -> int:
        """What no weight of a day is above."""
        bound = 1
        for listed in (self.months, self.weekdays, tuple((self.years or {}).values())):
            bound *= max([1, *listed])
        for percent in (self.holidays or {}).values():
            bound *= max(100, percent)
        around = [*self.before_tet, *self.after_tet]
        if len(around) > _TET_APART:  # a day may lie near two of them
            return bound * math.prod(max(100, percent) for percent in around) * 100
        return bound * max([100, *around])


class Calendar:
    """Running totals of whole-number weights over days, one row for each kind of rows."""

    def __init__(self, first: int, running: Ints) -> None:
        self.first = first  # days since 1970
        self.running = running  # shape (kinds, days + 1)
        self._windows: dict[tuple[int, int], Running] = {}

    @property
    def n_days(self) -> int:
        """How many days it has."""
        return self.running.shape[1] - 1

    @property
    def last(self) -> int:
        """Its last day."""
        return self.first + self.n_days - 1

    def _window(self, first: int, last: int) -> tuple[int, Running]:
        """A stretch around these days; which one changes no day that is drawn, only the time."""
        start = (first - self.first) // _STRETCH * _STRETCH
        end = min(-(-(last + 1 - self.first) // _STRETCH) * _STRETCH, self.n_days)
        if (start, end) not in self._windows:
            if len(self._windows) >= _KEPT:
                self._windows.clear()
            totals = self.running[:, start : end + 1] - self.running[:, start : start + 1]
            self._windows[start, end] = Running.of(totals)
        return start, self._windows[start, end]

    def draw(
        self, word: Words, kind: Ints | None, start: Ints, end: Ints
    ) -> tuple[Ints, Flags | None]:
        """Draw a day from `start` to `end`, both included and inside the calendar.

        The flags, if there are any, tell where no day between them has a weight.
        """
        if not len(word):
            return np.zeros(0, dtype=np.int64), None
        begin, window = self._window(int(start.min()), int(end.max()))
        row = np.int64(0) if kind is None else kind
        totals = window.totals.reshape(-1)
        offset = row * window.totals.shape[1] - (self.first + begin)
        # One end for all rows, as the last day of a year, is looked up once.
        ends = end[:1] if kind is None and end.strides == (0,) else end
        low, high = totals.take(offset + start), totals.take(offset + 1 + ends)
        size = high - low
        none = size == 0 if not size.all() else None
        if none is not None:
            np.maximum(size, 1, out=size)
        low += below(word, size)
        day = window.find(row, low)
        day += self.first + begin
        return day, none


def calendar(seasons: Sequence[Season]) -> Calendar:
    """Make the tables of some kinds of rows."""
    first, last = _WITH_TET if any(s.before_tet or s.after_tet for s in seasons) else _ALL
    rows = [_whole(season.weights(first, last)) for season in seasons]
    totals = np.cumsum(rows, axis=1)
    return Calendar(days(first), np.pad(totals, ((0, 0), (1, 0))))


def _whole(weights: npt.NDArray[np.generic]) -> Ints:
    """Bring weights to whole numbers whose sum can be drawn below; none above zero becomes zero."""
    largest = int(weights.max())
    if largest == 0:
        raise BuildError("no day of the calendar has a weight; mend 'years' or the other weights")
    top = _LARGEST_SUM // len(weights) - 1
    if largest > top:
        exact = weights.astype(object)
        weights = np.maximum((exact * top + largest // 2) // largest, exact > 0)
    return weights.astype(np.int64)
