"""Columns of days and hours: within a year, between two days by season, at an hour by weight."""

from __future__ import annotations

import datetime as dt
from functools import cache, partial

import numpy as np

from synthetic.errors import BuildError
from synthetic.generation.calendar import Season, calendar
from synthetic.generation.dates import in_year
from synthetic.generation.draws import below
from synthetic.generation.frames import Frame, Source
from synthetic.generation.settings import Setting, entries_of, present, row_words
from synthetic.generation.slots import weighted
from synthetic.generation.values import Ints, Values
from synthetic.spec.expressions import Node, parse
from synthetic.spec.models import Day, Hour, Tet, by_code
from synthetic.tables.arrow import Flags

_EVER = (-(2**62), 2**62)  # days: no bound


def date_in_year(setting: Setting, tree: Node) -> Source:
    """Any day of a year, each as likely."""

    def compute(frame: Frame) -> Values:
        first, length = in_year(frame.evaluate(tree).ints)
        first += below(row_words(setting, frame), length)
        return Values(first)

    return compute


def day_between(setting: Setting, asked: Day) -> Source:
    """A day of an interval, by the season of the row's code."""
    start, end = parse(asked.from_), parse(asked.to)
    weighted = asked.months or asked.weekdays or asked.years or asked.tet or asked.holidays
    tables = [by_code(table) for table in (asked.months or (), asked.weekdays or ())]
    kinds = [(month, weekday) for month in tables[0] for weekday in tables[1]]
    tet = asked.tet or Tet()
    seasons = [
        Season(
            tables[0][month], tables[1][weekday], asked.years, tet.before, tet.after, asked.holidays
        )
        for month, weekday in kinds
    ]
    drawn = cache(partial(calendar, seasons)) if weighted else None

    def kind(frame: Frame) -> Ints | None:
        found: Ints | None = None
        for table, what in zip(tables, ("day.months", "day.weekdays"), strict=True):
            entry = entries_of(setting, frame, setting.given, tuple(table), what)
            entry = np.zeros(frame.n, dtype=np.int64) if entry is None else entry
            found = entry if found is None else found * len(table) + entry
        return None if len(kinds) == 1 else found

    def compute(frame: Frame) -> Values:
        a, b = frame.evaluate(start), frame.evaluate(end)
        days_of = None if drawn is None else drawn()
        begin, close = _EVER if days_of is None else (days_of.first, days_of.last)
        first, last, inside = a.ints, b.ints, None
        if not _is_plain(a, b, begin, close):
            known = present(a) & present(b)
            wrong = known & (first > last)
            _check_days(setting, frame, wrong, (first, last), "'from' lies after 'to'")
            outside = known & ((first < begin) | (last > close))
            if outside.any():
                span = f"the weights are known from {_iso(begin)} to {_iso(close)} only"
                _check_days(setting, frame, outside, (first, last), span)
            inside = known & ~wrong & ~outside
            any_day = max(begin, 0)
            first, last = np.where(inside, first, any_day), np.where(inside, last, any_day)
        word = row_words(setting, frame)
        if days_of is None:
            day = first + below(word, last - first + 1)
        else:
            day, none = days_of.draw(word, kind(frame), first, last)
            if none is not None:
                wrong = none if inside is None else none & inside
                _check_days(setting, frame, wrong, (first, last), "no day has a weight")
        return Values(day) if inside is None or known.all() else Values(day).without(~known)

    return compute


def _is_plain(start: Values, end: Values, begin: int, close: int) -> bool:
    """Whether every row has an interval, which lies from `begin` to `close`."""
    if not len(start) or start.missing is not None or end.missing is not None:
        return False
    return begin <= start.span[0] and start.span[1] <= end.span[0] and end.span[1] <= close


def _check_days(
    setting: Setting, frame: Frame, wrong: Flags, interval: tuple[Ints, Ints], why: str
) -> None:
    if wrong.any():
        wrong = wrong & setting.wanted(frame)
    if wrong.any():
        at = int(np.argmax(wrong))
        first, last = (_iso(int(date[at])) for date in interval)
        raise BuildError(f"day from {first} to {last}: {why}; mend 'from', 'to' or only_if")


def _iso(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def hour_of(setting: Setting, asked: Hour) -> Source:
    """A time of the day in another column: the hour by weight, the rest of it any."""
    hours, seconds = by_code(asked.hours), setting.apart("seconds")
    table = weighted(list(hours.values()), np.arange(24) * 3600)

    def compute(frame: Frame) -> Values:
        day = frame.column(asked.at)
        entry = entries_of(setting, frame, setting.given, tuple(hours), "hour.hours")
        word = row_words(setting, frame)
        time = day.ints * 86_400 + table.draw(word, entry).astype(np.int64, copy=False)
        if table.uses_low_half:
            word = row_words(setting, frame, seconds)
        else:
            word <<= np.uint64(32)
        time += below(word, 3600)
        return Values(time, missing=day.missing)

    return compute
