"""Which entry a number falls on: the table gives what a search over the running totals would."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.errors import BuildError
from synthetic.generation.dates import days, in_year
from synthetic.generation.running import Running

weights = st.lists(st.integers(0, 3) | st.integers(0, 2**31), min_size=1, max_size=60)


@given(st.lists(weights, min_size=1, max_size=3), st.integers(0, 2**32))
def test_an_entry_is_found_as_a_slow_search_would(rows, seed):
    width = max(map(len, rows))
    table = np.array([row + [0] * (width - len(row)) for row in rows], dtype=np.int64)
    running = Running.of(np.pad(np.cumsum(table, axis=1), ((0, 0), (1, 0))))
    rng = np.random.default_rng(seed)
    for row, totals in enumerate(running.totals):
        if not totals[-1]:
            continue
        edges = np.concatenate([totals[:-1], totals[1:] - 1])
        drawn = np.concatenate([rng.integers(0, totals[-1], 200), edges])
        numbers = drawn[(drawn >= 0) & (drawn < totals[-1])]
        wanted = np.searchsorted(totals, numbers, side="right") - 1
        assert running.find(np.full(len(numbers), row), numbers).tolist() == wanted.tolist()
        assert (table[row][wanted] > 0).all()


def test_one_row_of_many_entries_is_found_without_naming_it():
    totals = np.cumsum(np.random.default_rng(1).integers(0, 5, 20_000))
    running = Running.of(np.append(0, totals)[None])
    numbers = np.arange(totals[-1])
    wanted = np.searchsorted(totals, numbers, side="right")
    assert (running.find(np.int64(0), numbers) == wanted).all()


def test_years_begin_and_last_as_the_calendar_says():
    years = np.arange(1850, 2150)
    first, length = in_year(years)
    assert first.tolist() == [days(dt.date(year, 1, 1)) for year in years.tolist()]
    assert (first[:-1] + length[:-1] == first[1:]).all()
    assert set(length.tolist()) == {365, 366}
    for year in (1849, 2150):
        with pytest.raises(BuildError, match="outside 1850 to 2149"):
            in_year(np.array([year]))
