"""Decimals and timestamps: from a spec to Parquet and back, hashed by what they mean."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError, SpecError
from synthetic.evaluation.verify import verify_folder
from synthetic.spec.check import check_specs
from synthetic.spec.load import parse
from synthetic.tables import arrow, content
from tests.synthetic.specs import SMALL

TYPED = (
    SMALL
    + """
[tables.shops.columns.rating]
title = { vi = "Điểm", en = "Rating" }
type = "decimal"
places = 2
unit = "points"
assume = { quantiles = [-150, 0, 500] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.opened_on]
title = { vi = "Ngày mở", en = "Opened on" }
type = "date"
assume.day = { from = "date(2020, 1, 1)", to = "as_of()" }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.opened_at]
title = { vi = "Giờ mở", en = "Opened at" }
type = "timestamp"
assume.hour = { at = "opened_on", hours = [0,0,0,0,0,0,0,1,5,5,5,5,1,1,5,5,5,1,0,0,0,0,0,0] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.twice]
title = { vi = "Gấp đôi", en = "Twice" }
type = "decimal"
places = 3
unit = "points"
derive = "rating * 20"
only_if = "rating >= 0"

[[tables.shops.rules]]
title = { vi = "Đúng", en = "Holds" }
holds = "rating >= -150 and rating <= 500 and (twice is missing or twice == rating * 20)"

[[tables.shops.rules]]
title = { vi = "Đúng giờ", en = "At its day" }
holds = "date_of(opened_at) == opened_on and hour(opened_at) >= 7 and opened_at - 60 < opened_at"
"""
)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    """The same replica in shards of several sizes."""
    found = []
    for groups in (65_536, 701):
        folder = tmp_path_factory.mktemp("typed")
        (folder / "shops.toml").write_text(TYPED, "utf-8")
        recipe = make_recipe("0.02", None, 1, "exact")
        (manifest,) = build(
            Order(
                datasets=("shops",),
                recipe=recipe,
                out=folder / "out",
                specs=(folder,),
                shard_groups=groups,
                workers=1,
            )
        )
        found.append((manifest, folder))
    return found


def test_any_sharding_gives_the_same_content(replicas):
    assert len({manifest.tables[0]["content_hash"] for manifest, _ in replicas}) == 1


def test_a_replica_with_decimals_and_times_verifies(replicas):
    manifest, folder = replicas[1]
    checks = verify_folder(manifest.folder, [folder])
    assert [check for check in checks if not check.ok] == []
    assert any(check.what == "twice is there where it should be" for check in checks)


def test_people_see_decimals_and_local_times(replicas):
    manifest, _ = replicas[0]
    columns = {column["name"]: column for column in manifest.tables[0]["columns"]}
    assert columns["rating"]["type"] == "decimal"
    assert columns["rating"]["places"] == 2
    assert columns["opened_at"]["type"] == "timestamp"
    with duckdb.connect() as con:
        file = str(manifest.files("shops")[0])
        rows = con.execute(
            "SELECT typeof(rating), typeof(opened_at), min(rating), max(rating),"
            " max(abs(twice - 2 * rating)), count(*) - count(twice), count(*) FILTER (rating < 0)"
            " FROM read_parquet(?) GROUP BY ALL",
            [file],
        ).fetchall()
    ((kind, time_kind, low, high, gap, gone, negative),) = rows
    assert (kind, time_kind) == ("DECIMAL(18,2)", "TIMESTAMP")
    assert Decimal("-1.50") <= low < 0 < high <= 5
    assert gap == 0
    assert gone == negative > 0


@given(
    st.lists(st.none() | st.integers(1 - 10**18, 10**18 - 1), min_size=1, max_size=50),
    st.integers(1, 6),
)
def test_a_decimal_is_the_number_of_its_last_places(values, places):
    missing = np.array([value is None for value in values])
    numbers = np.array([value or 0 for value in values], dtype=np.int64)
    array = arrow.decimals(numbers, places, missing)
    array.validate(full=True)
    shown = [None if v is None else Decimal(v).scaleb(-places) for v in values]
    assert array.to_pylist() == shown
    as_numbers = pa.table({"x": arrow.numbers(numbers, missing)})
    assert content.of_table(pa.table({"x": array})) == content.of_table(as_numbers)
    parts = [content.of_table(pa.table({"x": array.slice(i, 1)})) for i in range(len(values))]
    assert sum(parts, content.Content()) == content.of_table(as_numbers)


def test_files_give_back_what_was_hashed(tmp_path):
    numbers = np.array([-3, 0, 1_700_000_000])
    table = pa.table({"t": arrow.timestamps(numbers), "d": arrow.decimals(numbers, 3)})
    pq.write_table(table, tmp_path / "x.parquet", store_decimal_as_integer=True)
    assert content.of_files([tmp_path / "x.parquet"]) == content.of_table(table)
    assert table["t"].to_pylist()[0] == dt.datetime(1969, 12, 31, 23, 59, 57)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("places = 2\n", "", "a decimal column, and no other, needs 'places'"),
        ("places = 2\n", "places = 7\n", "less than or equal to 6"),
        (
            'type = "integer"\ntake',
            'type = "integer"\nplaces = 1\ntake',
            "a decimal column, and no",
        ),
        ('at = "opened_on"', 'at = "room"', "hour.at = 'room' must be a date column"),
        ("5,5,5,1,0,0,0,0,0,0]", "5]", "24 weights are needed, not all zero; found 15"),
        ('type = "timestamp"', 'type = "date"', "assume.hour gives timestamp; the type is 'date'"),
    ],
)
def test_a_wrong_type_is_told(old, new, message):
    assert old in TYPED
    with pytest.raises(SpecError, match=message):
        check_specs({"shops": parse(TYPED.replace(old, new, 1), "shops.toml")})


def test_too_long_a_decimal_is_told(tmp_path):
    text = TYPED.replace("rating * 20", "(rating + 1000) * 2000000000000000")
    (tmp_path / "shops.toml").write_text(text, "utf-8")
    order = Order(
        datasets=("shops",),
        recipe=make_recipe("0.001", None, 1, "exact"),
        out=tmp_path / "out",
        specs=(tmp_path,),
        workers=1,
    )
    with pytest.raises(BuildError, match=r"shops\.twice: a decimal has more than 18 digits"):
        build(order)
