"""Raking: the cells agree with every margin, or the gap is named."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.errors import SpecError
from synthetic.spec.margins import Margin
from synthetic.spec.models import MarginSpec, Rake
from synthetic.spec.raking import rake

SPEC = MarginSpec(rake=Rake(to=("one", "two")))
SIZES = {"area": 4, "sex": 2, "band": 5}


def margin(name, axes, value):
    cells = product(*(range(SIZES[axis]) for axis in axes))
    held = {
        tuple(f"{axis}{i}" for axis, i in zip(axes, c, strict=True)): Fraction(value(*c))
        for c in cells
    }
    return Margin(name, f"table_{name}", "persons", axes, held)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 10_000), min_size=40, max_size=40))
def test_every_margin_is_met(values):
    def joint(a, s, b):
        return values[(a * 2 + s) * 5 + b]

    whole = margin("whole", ("area", "sex", "band"), joint)
    pairs = (("area", "sex"), ("area", "band"), ("sex", "band"))
    targets = [whole.over(*axes) for axes in pairs]
    found = rake("raked", SPEC, targets, None, Fraction("0.0001"))
    assert found.total == whole.total
    for target in targets:
        have = found.over(*target.axes).cells
        assert all(abs(have[c] - v) <= whole.total / 10_000 for c, v in target.cells.items())
    again = rake("raked", SPEC, targets, None, Fraction("0.0001"))
    assert again.digest == found.digest


def test_two_margins_alone_are_independent():
    areas = margin("areas", ("area",), lambda a: a + 1)
    sexes = margin("sexes", ("sex",), lambda s: 4 + 2 * s)
    found = rake("raked", SPEC, [areas, sexes], None, Fraction("0.001"))
    for (a, s), value in found.cells.items():
        wanted = areas.cells[a,] * sexes.cells[s,] / 10
        assert abs(value - wanted) < Fraction(1, 1_000_000)


def test_the_start_stays_where_the_margins_say_nothing():
    start = margin("start", ("area", "sex"), lambda a, s: 0 if (a, s) == (0, 0) else 5)
    areas = margin("areas", ("area",), lambda a: 10)
    sexes = margin("sexes", ("sex",), lambda s: 20)
    found = rake("raked", SPEC, [areas, sexes], start, Fraction("0.001"))
    assert found.cells["area0", "sex0"] == 0
    assert found.table == "table_areas, table_sexes, table_start"


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (
            [margin("one", ("area",), lambda a: 10), margin("two", ("sex",), lambda s: 22)],
            r"'one' and 'two' disagree on their totals: 40 and 44, a gap of \+4 \(\+10.00%\)",
        ),
        (
            [
                margin("one", ("area", "sex"), lambda a, s: 10 + a),
                margin("two", ("area", "band"), lambda a, b: Fraction(23, 5)),
            ],
            "'one' and 'two' disagree on area",
        ),
        (
            [margin("one", ("area",), lambda a: 0), margin("two", ("sex",), lambda s: 0)],
            "'one' adds up to zero",
        ),
    ],
)
def test_margins_that_disagree_are_named_with_the_gap(targets, message):
    with pytest.raises(SpecError, match=message):
        rake("raked", SPEC, targets, None, Fraction("0.001"))


def test_an_impossible_start_is_told():
    start = margin("start", ("area", "sex"), lambda a, s: int(a == s))
    areas = margin("areas", ("area",), lambda a: 10)
    sexes = margin("sexes", ("sex",), lambda s: 20)
    with pytest.raises(SpecError, match="'areas' has numbers where 'start' is zero: 2 cells"):
        rake("raked", SPEC, [areas, sexes], start, Fraction("0.001"))
