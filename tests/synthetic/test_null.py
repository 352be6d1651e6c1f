"""Null draws: every column as it was, and what ties columns together broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError
from synthetic.evaluation.verify import verify_folder
from synthetic.null.blocks import blocks
from synthetic.null.copies import break_associations
from synthetic.spec.load import load_all, packaged
from synthetic.tables.manifest import find


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "synthetic.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Enterprise and population with their null draws, as the command builds them."""
    out = tmp_path_factory.mktemp("null")
    done = command(
        "build", "enterprise", "--scale", "0.002", "--seed", "4", "--null", "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["replicas"]
    return {(one["dataset"], "-null-" in one["version"]): Path(one["folder"]) for one in told}


def query(folder, table, sql):
    rows = f"read_parquet('{folder}/{table}/*.parquet')"
    return duckdb.sql(sql.format(rows=rows)).fetchall()


def test_every_column_keeps_its_values(pair):
    for dataset, table in (("population", "persons"), ("enterprise", "enterprises")):
        before, after = pair[dataset, False], pair[dataset, True]
        columns = query(before, table, "SELECT column_name FROM (DESCRIBE SELECT * FROM {rows})")
        for (name,) in columns:
            sql = f'SELECT "{name}", count(*) FROM {{rows}} GROUP BY 1 ORDER BY 1'
            assert query(before, table, sql) == query(after, table, sql), name


def test_what_went_together_no_longer_does(pair):
    women_named = "SELECT avg((given_name = 'Hương')::INT) FROM {rows} WHERE sex = 'female'"
    men_named = "SELECT avg((given_name = 'Hương')::INT) FROM {rows} WHERE sex = 'male'"
    before, after = pair["population", False], pair["population", True]
    gap = [
        query(folder, "persons", women_named)[0][0] - query(folder, "persons", men_named)[0][0]
        for folder in (before, after)
    ]
    assert gap[0] > 0.005
    assert abs(gap[1]) < 0.002
    ages = (
        "SELECT corr(age, (residence = 'urban')::INT), corr(age, (sex = 'male')::INT) FROM {rows}"
    )
    assert abs(query(after, "persons", ages)[0][0]) < 0.01


def test_keys_stay_and_lead_somewhere(pair):
    for dataset, table, key in (
        ("population", "persons", "person_id, household_id, province_code"),
        ("enterprise", "employees", "person_id, tax_code"),
    ):
        sql = f"SELECT {key} FROM {{rows}}"
        assert query(pair[dataset, False], table, sql) == query(pair[dataset, True], table, sql)


def test_it_verifies_and_a_changed_one_does_not(pair, tmp_path):
    for dataset in ("population", "enterprise"):
        checks = verify_folder(pair[dataset, True])
        assert [c for c in checks if not c.ok] == []
        assert any(c.what == "values of the original" for c in checks)
    root = pair["population", True].parent.parent
    shutil.copytree(root, tmp_path / "copy")
    folder = tmp_path / "copy" / "population" / pair["population", True].name
    told = json.loads((folder / "manifest.json").read_text())
    told["null"]["of_inputs"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(told))
    assert [c.what for c in verify_folder(folder) if not c.ok] == ["recipe and inputs"]


def test_the_same_replica_gives_the_same_null_draw(pair, tmp_path):
    recipe = make_recipe("0.002", None, 4, "exact")
    again = build(Order(datasets=("population",), recipe=recipe, out=tmp_path, workers=2))[0]
    null = break_associations(again, load_all(["population"])["population"])
    first = next(m for m in find(pair["population", True]))
    assert null.version == first.version
    assert [t["content_hash"] for t in null.tables] == [t["content_hash"] for t in first.tables]
    with pytest.raises(BuildError, match="made of a replica as it was built"):
        break_associations(null, load_all(["population"])["population"])


def test_no_catalogue_and_no_fidelity_shows_a_null_draw(pair):
    from sandbox import catalog
    from sandbox.settings import Settings

    root = pair["population", True].parent.parent
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    if not (home / "replicas").exists():
        (home / "replicas").symlink_to(root)
    shown = {replica.version for replica in catalog.replicas(Settings(home=home))}
    assert shown == {pair[d, False].name for d in ("population", "enterprise")}
    done = command("fidelity", root, "--json")
    assert done.returncode == 0, done.stderr
    assert {one["version"] for one in json.loads(done.stdout)["replicas"]} == shown


def test_every_packaged_table_keeps_its_keys():
    for dataset, spec in load_all(packaged()).items():
        for name, table in spec.tables.items():
            moved = [column for block in blocks(table) for column in block]
            assert len(moved) == len(set(moved)), (dataset, name)
            assert not set(moved) & {*table.key, table.area}, (dataset, name)
            kept = {c for c, told in table.columns.items() if told.references or told.identifier}
            assert not set(moved) & kept, (dataset, name)
