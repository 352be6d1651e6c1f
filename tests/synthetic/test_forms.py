"""Identifiers stand in the files as numbers, and a text that others give not at all."""

from __future__ import annotations

import json
import shutil

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.errors import SpecError
from synthetic.evaluation.sql import connect
from synthetic.evaluation.verify import verify_folder
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all
from synthetic.tables.forms import kept, shown
from synthetic.tables.manifest import find, read
from synthetic.tables.reading import rows
from tests.synthetic.specs import SMALL

CALLED = """
[tables.shops.columns.called]
title = { vi = "Tên", en = "Name" }
type = "text"
derive = 'concat(shelf, "-", pad(room, 4))'
stored = false

[tables.shops.columns.shelf]
title = { vi = "Kệ", en = "Shelf" }
type = "text"
derive = 'if(room > 20, "right", "left")'
"""
# What a left shelf costs is asked of left shelves alone: elsewhere there is no such date.
BRANCH = """
[tables.shops.columns.left_on]
title = { vi = "Ngày", en = "Day" }
type = "date"
hidden = true
derive = "date(2024, 1, min(room, 32))"

[tables.shops.columns.seen_on]
title = { vi = "Ngày", en = "Day" }
type = "date"
derive = "if(room <= 20, left_on, date(2024, 2, 1))"
"""


def population(replicas):
    return next(m for m in find(replicas / "replicas") if m.dataset == "population")


def small(folder, text):
    (folder / "shops.toml").write_text(SMALL + text, "utf-8")
    recipe = make_recipe("0.05", None, 1, "exact")
    order = Order(
        datasets=("shops",), recipe=recipe, out=folder / "out", specs=(folder,), workers=1
    )
    (manifest,) = build(order)
    return manifest


def test_numbers_in_the_files_are_read_as_the_texts_that_they_are(replicas):
    manifest = population(replicas)
    entry = next(table for table in manifest.tables if table["name"] == "persons")
    (path,) = manifest.files("persons")
    held, seen = pq.read_schema(path), rows(path, entry["columns"])
    assert held.names == kept(entry["columns"])
    assert "full_name" not in held.names
    assert held.field("person_id").type == held.field("phone").type == pa.int64()
    assert seen.schema.names == [column["name"] for column in entry["columns"]]
    for row in seen.slice(0, 500).to_pylist():
        assert len(row["person_id"]) == 12
        assert row["phone"] is None or (len(row["phone"]), row["phone"][0]) == (10, "0")
        assert row["full_name"] == f"{row['surname']} {row['middle_name']} {row['given_name']}"
    with connect({"population": manifest}) as con:
        con.register("seen", seen)
        (gap,) = con.execute(
            "SELECT count(*) FROM (FROM seen EXCEPT ALL FROM population.persons)"
        ).fetchone()
    assert gap == 0


def test_a_view_over_the_files_is_the_same_without_our_code(replicas):
    manifest = population(replicas)
    columns = {
        c["name"]: c for t in manifest.tables if t["name"] == "persons" for c in t["columns"]
    }
    path = manifest.files("persons")[0]
    first = duckdb.sql(
        f"SELECT {shown(columns['person_id'])}, {shown(columns['full_name'])} FROM '{path}'"
    ).limit(1)
    ((number, name),) = first.fetchall()
    assert number.isdigit()
    assert len(number) == 12
    assert " " in name


@pytest.mark.parametrize(
    "form", [{"digits": 11}, {"sql": "'999999999999'"}, None], ids=["shorter", "sql", "none"]
)
def test_another_way_of_reading_is_found(replicas, tmp_path, form):
    shutil.copytree(replicas / "replicas", tmp_path / "replicas")
    manifest = population(tmp_path)
    for table in manifest.data["tables"]:
        for column in table["columns"]:
            if column["name"] == "person_id":
                column["form"] = form
    (manifest.folder / "manifest.json").write_text(json.dumps(manifest.data), "utf-8")
    failed = [c for c in verify_folder(read(manifest.folder).folder) if not c.ok]
    assert any("persons" in check.table + check.detail for check in failed)


def test_a_text_that_is_not_stored_is_there_for_readers(tmp_path):
    manifest = small(tmp_path, CALLED)
    assert [c for c in verify_folder(manifest.folder, [tmp_path]) if not c.ok] == []
    assert "called" not in pq.read_schema(manifest.files("shops")[0]).names
    with connect({"shops": manifest}) as con:
        found = con.execute("SELECT DISTINCT called, shelf, room FROM shops.shops").fetchall()
    assert {(called, f"{shelf}-{room:04d}") for called, shelf, room in found} == {
        (called, called) for called, _, _ in found
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('type = "text"\nderive', 'type = "text"\nhidden = true\nderive'),
            "left out of the files",
        ),
        (("stored = false", 'stored = false\nonly_if = "room > 3"'), "left out of the files"),
    ],
    ids=["hidden", "missing"],
)
def test_what_cannot_be_left_out_is_refused(tmp_path, change, message):
    (tmp_path / "shops.toml").write_text(SMALL + CALLED.replace(*change, 1), "utf-8")
    with pytest.raises(SpecError, match=message):
        load_all(["shops"], [tmp_path])


def test_a_hidden_part_of_what_is_not_stored_is_refused(tmp_path):
    (tmp_path / "shops.toml").write_text(SMALL + CALLED + "hidden = true\n", "utf-8")
    with pytest.raises(SpecError, match="'shelf' is hidden or not stored itself"):
        check_specs(load_all(["shops"], [tmp_path]))


def test_what_one_branch_needs_is_asked_only_where_it_is_taken(tmp_path):
    manifest = small(tmp_path, BRANCH)
    assert [c for c in verify_folder(manifest.folder, [tmp_path]) if not c.ok] == []
    with connect({"shops": manifest}) as con:
        (wrong, left, other) = con.execute(
            "SELECT count(*) FILTER (seen_on <> CASE WHEN room <= 20 "
            "THEN make_date(2024, 1, room) ELSE DATE '2024-02-01' END), "
            "count(*) FILTER (room <= 20), count(*) FILTER (room > 31) FROM shops.shops"
        ).fetchone()
    assert wrong == 0
    assert left > 0
    assert other > 0  # whose day would be none
