"""Days since 1970-01-01 and the years, months and days of three centuries, by tables."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError

Ints = npt.NDArray[np.int64]
_EPOCH = dt.date(1970, 1, 1)
FIRST_YEAR, LAST_YEAR = 1850, 2149


def days(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def _calendar() -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    dates = np.arange("1850", "2150", dtype="datetime64[D]")
    months = dates.astype("datetime64[M]")
    n = months.astype(np.int64)
    day = (dates - months).astype(np.int64) + 1
    return (n // 12 + 1970).astype(np.int16), (n % 12 + 1).astype(np.int8), day.astype(np.int8)


# A look-up costs a tenth of NumPy's own calendar arithmetic; small numbers stay in the cache.
_YEAR, _MONTH, _DAY = _calendar()
_FIRST_DAY = days(dt.date(FIRST_YEAR, 1, 1))
_MONTH_START = (
    np.arange("1850", "2150", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
)
_YEAR_START = np.append(_MONTH_START[::12], len(_YEAR) + _FIRST_DAY)
_YEAR_DAYS = np.diff(_YEAR_START)


def in_year(year: Ints) -> tuple[Ints, Ints]:
    """The first day of years from 1850 to 2149, in days since 1970-01-01, and their lengths."""
    index = year - FIRST_YEAR
    _check_span(index, LAST_YEAR - FIRST_YEAR + 1)
    return _YEAR_START.take(index), _YEAR_DAYS.take(index)


def from_civil(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970-01-01 of dates from 1850 to 2149."""
    _check_span(year - FIRST_YEAR, LAST_YEAR - FIRST_YEAR + 1)
    index = (year - FIRST_YEAR) * 12 + month - 1
    _check_span(index, len(_MONTH_START))
    found = _MONTH_START.take(index)
    found += day
    found -= 1
    return found


def civil(day_number: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of days since 1970-01-01, from 1850 to 2149."""
    index = _index(day_number)
    year, month, day = (table.take(index) for table in (_YEAR, _MONTH, _DAY))
    return year.astype(np.int64), month.astype(np.int64), day.astype(np.int64)


def year_of(day_number: Ints) -> Ints:
    """The year alone."""
    return _YEAR.take(_index(day_number)).astype(np.int64)


def month_of(day_number: Ints) -> Ints:
    """The month alone."""
    return _MONTH.take(_index(day_number)).astype(np.int64)


def day_of(day_number: Ints) -> Ints:
    """The day of the month alone."""
    return _DAY.take(_index(day_number)).astype(np.int64)


def _index(day_number: Ints) -> Ints:
    index = day_number - _FIRST_DAY
    _check_span(index, len(_YEAR))
    return index


def _check_span(index: Ints, n: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= n):
        raise BuildError(f"a date lies outside {FIRST_YEAR} to {LAST_YEAR}; mend the expression")
