"""Null draws without rules: every column by itself, among rows that miss the same."""

from __future__ import annotations

import duckdb
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.null.apart import deal_apart, stays
from synthetic.spec.load import load_all
from synthetic.tables.manifest import Manifest, sha256

pytestmark = pytest.mark.slow

LOOKED_AT = ("grade", "dropped_out", "previous_average", "distance")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Pupils, and their null draw."""
    out = tmp_path_factory.mktemp("apart")
    recipe = make_recipe("0.0005", None, 1, "exact")
    found = build(Order(datasets=("education",), recipe=recipe, out=out))[-1]
    tables = [one for one in found.tables if one["name"] == "pupils"]
    original = Manifest(found.folder, {**found.data, "tables": tables})
    spec = load_all(["education"])["education"]
    return original, deal_apart(original, spec, {"pupils": LOOKED_AT}, out / "draws", seed=1), spec


def query(manifest, sql):
    return duckdb.sql(sql.format(rows=f"'{manifest.folder}/pupils/*.parquet'")).fetchall()


def test_columns_keep_their_values_and_keys_their_rows(pair):
    original, dealt, spec = pair
    for name in (*LOOKED_AT, "sex", "school_id"):
        sql = f"SELECT {name}, count(*) FROM {{rows}} GROUP BY 1 ORDER BY 1"
        assert query(original, sql) == query(dealt, sql), name
    keys = "SELECT pupil_id, school_id, province_code FROM {rows} ORDER BY 1"
    assert query(original, keys) == query(dealt, keys)
    assert "school_id" in stays(spec, "pupils", ("school_id", "grade"))
    assert "grade" not in stays(spec, "pupils", ("school_id", "grade"))


def test_what_a_formula_ties_together_is_broken(pair):
    original, dealt, _ = pair
    # Marks below 5.0 raise the odds of dropping out fourfold, by the spec.
    sql = (
        "SELECT avg(dropped_out::INT) FILTER (previous_average < 5) "
        "/ avg(dropped_out::INT) FILTER (previous_average >= 5) FROM {rows}"
    )
    assert query(original, sql)[0][0] > 2
    assert query(dealt, sql)[0][0] < 2


def test_rows_miss_what_they_missed(pair):
    original, dealt, _ = pair
    missing = ", ".join(f"{name} IS NULL" for name in LOOKED_AT)
    sql = f"SELECT pupil_id, {missing} FROM {{rows}} ORDER BY 1"
    assert query(original, sql) == query(dealt, sql)
    assert query(dealt, "SELECT count(*) FROM {rows} WHERE grade >= 1 AND dropped_out IS NULL") == [
        (0,)
    ]


def test_files_are_as_many_and_are_what_the_manifest_says(pair):
    original, dealt, _ = pair
    (before,), (after,) = original.tables, dealt.tables
    assert [file["path"] for file in before["files"]] == [file["path"] for file in after["files"]]
    assert before["rows"] == sum(file["rows"] for file in after["files"])
    assert [file["sha256"] for file in after["files"]] == [
        sha256(path) for path in dealt.files("pupils")
    ]
