"""Units by several axes and cells of margins: published numbers, rounded under control."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.build import make_recipe
from synthetic.errors import SpecError
from synthetic.generation.apportion import controlled, two_way
from synthetic.generation.world import World
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, parse

from .specs import LINKED

FRACTIONS = st.fractions(0, 5, max_denominator=40)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(FRACTIONS, min_size=n, max_size=n), min_size=1, max_size=6)
    )
)
@settings(deadline=None)
def test_a_table_is_rounded_to_its_rows_and_every_cell_up_or_down(quotas):
    rows = [sum(row, Fraction(0)) for row in quotas]
    grand = sum(rows, Fraction(0))
    totals = controlled(int(grand + Fraction(1, 2)), rows)
    found = two_way(totals, quotas)
    assert [sum(row) for row in found] == totals
    for row, wanted in zip(found, quotas, strict=True):
        assert all(abs(n - q) < 1 for n, q in zip(row, wanted, strict=True))


def test_what_is_rare_in_every_row_is_not_nowhere():
    quotas = [[Fraction(1, 5), Fraction(9, 5)] for _ in range(30)]
    found = two_way([2] * 30, quotas)
    assert sum(row[0] for row in found) == 6  # 30 x 1/5


def world(text, scale="0.001", seed=1):
    specs = load_all(["population"]) | {"linked": parse(text, "linked.toml")}
    return World(specs, make_recipe(scale, None, seed, "exact"), None)


def counted(made, *columns):
    table = made.tables["linked.schools"]
    frame = table.frame(0, table.cells.n)
    values = [frame.column(column) for column in columns]
    return Counter(zip(*([v.domain[i] for i in v.ints] for v in values), strict=True))


@pytest.mark.parametrize("scale", ["0.0001", "0.001", "0.02"])
def test_every_cell_is_its_published_number_rounded(scale):
    made = world(LINKED.replace("\nfloor = 1", ""), scale)
    margin, found = (
        made.margins["linked"]["kinds"],
        counted(world(LINKED.replace("\nfloor = 1", ""), scale), "province_code", "kind"),
    )
    for cell, value in margin.cells.items():
        assert abs(found[cell] - value * Fraction(scale)) < 1
    for axis, at in (("area", 0), ("kind", 1)):
        for (category,), value in margin.over(axis).cells.items():
            n = sum(count for cell, count in found.items() if cell[at] == category)
            assert abs(n - value * Fraction(scale)) < 1 + (axis == "kind")
    assert abs(sum(found.values()) - margin.total * Fraction(scale)) <= Fraction(1, 2)


def test_a_floor_keeps_a_unit_in_every_published_cell():
    made = world(LINKED, "0.000001")
    margin, found = made.margins["linked"]["kinds"], counted(made, "province_code", "kind")
    assert {cell for cell, value in margin.cells.items() if value} == set(found)
    assert set(found.values()) == {1}
    assert not counted(world(LINKED.replace("\nfloor = 1", ""), "0.000001"), "kind")


@pytest.mark.slow
def test_places_share_an_areas_units_and_not_the_largest_alone():
    """One school of each kind: over seeds every commune of some size gets its turn."""
    places = Counter()
    for seed in range(12):
        places += counted(world(LINKED, "0.000001", seed), "commune_code")
    assert len(places) > 34 * 4  # the largest alone would be 34 x 1
    assert max(places.values()) <= 24


def test_a_margin_without_areas_is_spread():
    spread = LINKED.replace('per = "kinds"', 'per = "kinds_of_all"\nspread = "people"').replace(
        "[margins.places]",
        '[margins.kinds_of_all]\ntable = "population_province_34"\nwhere = { year = "2024" }\n'
        'axes = { area = "province_code" }\nsum_over = ["area"]\n'
        'wide = { axis = "kind", columns = { town = "urban_thousand", village = "rural_thousand" }}'
        '\n[margins.people]\ntable = "population_province_34"\nwhere = { year = "2024" }\n'
        'axes = { area = "province_code" }\nvalue = "population_thousand"\n[margins.places]',
    )
    made = world(spread.replace("\nfloor = 1", ""), "0.01")
    kinds, people = (made.margins["linked"][name] for name in ("kinds_of_all", "people"))
    found = counted(made, "province_code", "kind")
    for (area,), share in people.cells.items():
        for (kind,), value in kinds.cells.items():
            wanted = value * share / people.total * Fraction("0.01")
            assert abs(found[area, kind] - wanted) < 1


@pytest.mark.parametrize("scaled", [True, False])
def test_cells_hold_what_is_published(scaled):
    made = world(LINKED if scaled else LINKED.replace("\nscaled = true", ""), "0.001")
    margin = made.margins["linked"]["months"]
    frame = made.tables["linked.arrivals"].frame(0, 12)
    months, values = frame.column("month"), frame.column("visitors").ints
    for i, value in enumerate(values):
        wanted = margin.cells[(months.domain[months.ints[i]],)]
        assert abs(value - wanted * (Fraction("0.001") if scaled else 1)) < 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('per = "kinds"', 'per = "months"', "has no axis 'area'; share it by 'spread'"),
        ('per = "kinds"', 'per = "kinds"\nspread = "kinds"', "must have the axis 'area' alone"),
        ('places = "places"', 'places = "kinds"', r"must have the axes \['area', 'place'\]"),
        ("floor = 1", "floor = 2", "less than or equal to 1"),
        ('take = "kind"', 'take = "kinds"', "unknown field 'kinds'"),
        ('codes.town = { vi = "Thị", en = "Town" }\n', "", "no codes of this column: .'town'"),
        ('take = "value"', 'take = "rank"', "unknown field 'rank'"),
    ],
)
def test_faulty_units_are_told(old, new, message):
    assert old in LINKED
    specs = load_all(["population"])
    with pytest.raises(SpecError, match=message):
        check_specs(specs | {"linked": parse(LINKED.replace(old, new, 1), "linked.toml")})


def test_rows_without_an_area_name_none_and_others_must():
    specs = load_all(["population"])
    for old, new, message in (
        ('key = ["month"]\n', 'key = ["month"]\narea = "month"\n', "belong to the whole country"),
        ('key = ["school_id"]\narea = "province_code"', 'key = ["school_id"]', "area: missing"),
    ):
        assert old in LINKED
        with pytest.raises(SpecError, match=message):
            check_specs(specs | {"linked": parse(LINKED.replace(old, new, 1), "linked.toml")})
