"""Days by season: Tết's dates against the moon, and draws against an obvious slow count."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.errors import BuildError
from synthetic.generation.calendar import TET, Season, calendar
from synthetic.generation.dates import days
from synthetic.generation.draws import stream, words


def new_moon(k: int) -> float:
    """Julian day (terrestrial time) of a new moon, by the main terms of Meeus' series (1998, 49)."""
    t = k / 1236.85
    sun, moon, node = (
        math.radians(x)
        for x in (
            2.5534 + 29.10535670 * k,
            201.5643 + 385.81693528 * k + 0.0107582 * t * t,
            160.7108 + 390.67050284 * k - 0.0016118 * t * t,
        )
    )
    e = 1 - 0.002516 * t
    return (
        2451550.09766
        + 29.530588861 * k
        + 0.00015437 * t * t
        - 0.40720 * math.sin(moon)
        + 0.17241 * e * math.sin(sun)
        + 0.01608 * math.sin(2 * moon)
        + 0.01039 * math.sin(2 * node)
        + 0.00739 * e * math.sin(moon - sun)
        - 0.00514 * e * math.sin(moon + sun)
        + 0.00208 * e * e * math.sin(2 * sun)
    )


def test_tet_is_the_day_of_a_new_moon_in_viet_nam():
    moons = [new_moon(k) - 70 / 86_400 + 7 / 24 for k in range(-5, 450)]  # clock time at UTC+7
    local = {dt.date(2000, 1, 1) + dt.timedelta(days=math.floor(m - 2451544.5)) for m in moons}
    assert sorted(TET) == list(range(2000, 2036))
    for day in TET.values():
        assert day in local
        assert dt.date(day.year, 1, 20) < day < dt.date(day.year, 2, 21)


seasons = st.builds(
    Season,
    months=st.lists(st.integers(1, 50), min_size=12, max_size=12),
    weekdays=st.lists(st.integers(1, 9), min_size=7, max_size=7),
    years=st.sampled_from([None, {"2023": 1, "2024": 3}]),
    before_tet=st.lists(st.integers(0, 300), max_size=3),
    after_tet=st.lists(st.integers(0, 300), max_size=3),
    holidays=st.sampled_from([None, {"09-02": 10}]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(seasons, min_size=1, max_size=3), st.integers(0, 300), st.integers(0, 200))
def test_a_day_is_drawn_as_a_slow_count_would(held, first, length):
    table = calendar(held)
    start = days(dt.date(2023, 1, 1)) + first
    n = 300
    kind = np.arange(n) % len(held)
    word = words(stream(1, "t"), np.arange(n))
    found, none = table.draw(word, kind, np.full(n, start), np.full(n, start + length))
    if none is not None:
        found = np.where(none, -1, found)
    for k, word_, day in zip(kind.tolist(), word.tolist(), found.tolist(), strict=True):
        row = np.diff(table.running[k]).tolist()
        inside = row[start - table.first : start + length + 1 - table.first]
        pick = ((word_ >> 32) * max(sum(inside), 1)) >> 32
        slow, run = -1, 0
        for i, weight in enumerate(inside):
            run += weight
            if run > pick:
                slow = start + i
                break
        assert day == slow


def test_weights_are_products():
    season = Season(
        months=[1, 2] + [1] * 10,
        weekdays=[1, 1, 1, 1, 1, 1, 3],
        before_tet=[50],
        after_tet=[0, 200],
        holidays={"04-30": 10},
    )
    first, last = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    weight = dict(zip(range(366), season.weights(first, last), strict=True))

    def at(month: int, day: int) -> int:
        return weight[(dt.date(2024, month, day) - first).days]

    ordinary = at(3, 4)  # a Monday
    assert at(3, 3) == 3 * ordinary
    assert at(2, 5) == 2 * ordinary
    assert at(2, 9) == ordinary  # half of February's two: the eve
    assert at(2, 10) == 0
    assert at(2, 11) == 2 * 2 * 3 * ordinary
    assert at(4, 30) * 10 == ordinary


def test_no_weight_at_all_is_told():
    with pytest.raises(BuildError, match="no day of the calendar has a weight"):
        calendar([Season(months=[0] * 12)])
