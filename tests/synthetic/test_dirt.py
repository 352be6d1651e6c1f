"""Dirty copies: defects of every kind, an answer key that tells them all, and nothing else changed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.build import Order, build, make_recipe
from synthetic.cli import main
from synthetic.dirt import answers, make_dirt, spoil
from synthetic.dirt.defects import KINDS, Chance, Column, change, is_of_kind, old_codes, unit_factor
from synthetic.dirt.rows import make_plan, spoil_table
from synthetic.errors import BuildError, StorageError
from synthetic.evaluation.verify import verify_folder
from synthetic.generation.identifiers import NAME_MARK, is_synthetic, kind
from synthetic.tables import reading
from synthetic.tables.content import of_table
from synthetic.tables.files import write_json
from synthetic.tables.manifest import Manifest, sha256
from tests.synthetic.specs import SMALL

RATE = "0.3"
# The small spec, with a column for every kind of defect.
MORE = """
[tables.shops.columns.commune_code]
title = { vi = "Xã", en = "Commune" }
type = "code"
codes_from = { table = "admin_communes", code = "commune_code", vi = "name" }
take = "place"

[tables.shops.columns.owner]
title = { vi = "Chủ", en = "Owner" }
type = "text"
assume = { words = ["Nguyễn Thị Hồng", "Trần Đức Ánh", "Lê Văn Phượng", "Pham An"] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.name]
title = { vi = "Tên", en = "Name" }
type = "text"
identifier = { kind = "enterprise_name", parts = { name = "owner" } }

[tables.shops.columns.phone]
title = { vi = "Số điện thoại", en = "Telephone" }
type = "text"
identifier = { kind = "mobile_number" }

[tables.shops.columns.opened]
title = { vi = "Ngày mở", en = "Opened" }
type = "date"
assume = { date_in_year = "2020" }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.called_at]
title = { vi = "Lúc gọi", en = "Called at" }
type = "timestamp"
assume.hour = { at = "opened", hours = [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.rent]
title = { vi = "Tiền thuê", en = "Rent" }
type = "decimal"
places = 2
unit = "million VND"
assume = { quantiles = [0, 1000, 500000] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.open_on_sunday]
title = { vi = "Mở Chủ nhật", en = "Open on Sundays" }
type = "boolean"
derive = "room > 10"
"""
BY_TAX_CODE = SMALL.replace('dataset = "shops"', 'dataset = "taxed"').replace(
    """type = "integer"
take = "number"
""",
    """type = "text"
identifier = { kind = "tax_code", parts = { area = "province_code" } }
""",
)


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specs")
    (folder / "shops.toml").write_text(SMALL + MORE, "utf-8")
    (folder / "taxed.toml").write_text(BY_TAX_CODE, "utf-8")
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory, specs):
    """Two small clean replicas, in files of a few hundred rows."""
    order = Order(
        datasets=("shops", "taxed"),
        recipe=make_recipe("0.05", None, 1, "exact"),
        out=tmp_path_factory.mktemp("replicas"),
        workers=1,
        specs=(specs,),
        shard_groups=700,
    )
    return {manifest.dataset: manifest for manifest in build(order)}


@pytest.fixture(scope="module")
def dirty(clean):
    return {name: spoil(manifest, make_dirt(RATE, 5)) for name, manifest in clean.items()}


@pytest.fixture
def copied(tmp_path, clean, dirty):
    """The dirty copy of the shops with all that lies around it, to be damaged."""
    root = tmp_path / "replicas"
    shutil.copytree(clean["shops"].folder.parent.parent, root)
    return Manifest(
        root / "shops" / dirty["shops"].version, json.loads(json.dumps(dirty["shops"].data))
    )


def key_of(manifest):
    return pq.read_table(answers.path(manifest.folder))


def rows_of(manifest, table="shops"):
    entry = next(one for one in manifest.tables if one["name"] == table)
    return pa.concat_tables(
        [reading.rows(path, entry["columns"]) for path in manifest.files(table)],
        promote_options="permissive",
    )


def failed(manifest, specs):
    return {c.what: c.detail for c in verify_folder(manifest.folder, (specs,)) if not c.ok}


def rewrite_key(manifest, table):
    """Put another key in place, and its hash in the manifest, as somebody who hides it would."""
    path = answers.path(manifest.folder)
    pq.write_table(table, path)
    manifest.data["dirt"]["answers"]["sha256"] = sha256(path)
    write_json(manifest.folder / "manifest.json", manifest.data)


# ---------------------------------------------------------------- what a copy is


def test_every_kind_is_planted_and_found(dirty, specs):
    for manifest in dirty.values():
        checks = verify_folder(manifest.folder, (specs,))
        assert not [c for c in checks if not c.ok]
    planted = dirty["shops"].data["dirt"]["tables"]["shops"]["planted"]
    assert tuple(planted) == KINDS
    assert min(planted.values()) > 20
    told = {c.what: c.detail for c in verify_folder(dirty["shops"].folder, (specs,))}
    assert told["typo defects"] == f"{planted['typo']} found of {planted['typo']} planted"
    assert Counter(key_of(dirty["shops"])["kind"].to_pylist()) == planted


def test_about_so_many_rows_are_spoiled_as_asked(clean, dirty):
    n = clean["shops"].tables[0]["rows"]
    planted = sum(dirty["shops"].data["dirt"]["tables"]["shops"]["planted"].values())
    # Binomial: 0.3 n with a standard deviation of sqrt(n * 0.3 * 0.7); five of them.
    assert abs(planted - 0.3 * n) < 5 * (n * 0.21) ** 0.5


def test_the_copy_lies_beside_the_clean_one_and_says_what_it_is(clean, dirty):
    found, of = dirty["shops"], clean["shops"]
    assert found.folder.parent == of.folder.parent
    assert found.version != of.version
    assert "-dirt0.3-seed5-" in found.version
    assert found.recipe == {**of.recipe, "dirt": "0.3", "dirt_seed": 5}
    assert found.data["dirt"]["of"] == of.version
    assert "planted defects" in found.data["title"]["en"]
    assert not answers.path(found.folder).is_relative_to(found.folder)
    assert not [p for p in found.folder.rglob("*") if p.name.startswith(".")]


def test_undoing_the_key_by_hand_gives_the_clean_rows(clean, dirty):
    """The obvious slow way, against SQL."""
    rows = {str(row["shop_id"]): row for row in rows_of(dirty["shops"]).to_pylist()}
    before = {str(row["shop_id"]): row for row in rows_of(clean["shops"]).to_pylist()}
    for told in key_of(dirty["shops"]).to_pylist():
        if told["new_key"] is not None:
            copy = rows.pop(told["new_key"])
            other = {c for c in copy if copy[c] != before[told["key"]][c]}
            assert other == {"shop_id", told["column"]}
            assert told["new_key"] not in before
        else:
            row, column = rows[told["key"]], told["column"]
            assert answers.told(row[column]) == told["dirty"] != told["clean"]
            assert answers.told(before[told["key"]][column]) == told["clean"]
            row[column] = before[told["key"]][column]
    assert rows == before


@pytest.mark.parametrize("dataset", ["shops", "taxed"])
def test_identifiers_stay_marked_in_the_whole_copy(dirty, dataset):
    columns = dirty[dataset].tables[0]["columns"]
    named = {c["name"]: c["identifier"] for c in columns if c["identifier"]}
    rows = rows_of(dirty[dataset])
    for name, what in named.items():
        texts = rows.column(name).drop_null().cast(pa.string()).combine_chunks()
        assert len(texts)
        assert kind(what).is_marked(texts).all()
    assert named


def test_duplicates_of_a_table_keyed_by_identifiers_have_identifiers_of_their_own(dirty, clean):
    before = set(rows_of(clean["taxed"])["shop_id"].to_pylist())
    told = [row for row in key_of(dirty["taxed"]).to_pylist() if row["new_key"]]
    fresh = {row["new_key"] for row in told}
    assert len(fresh) == len(told) > 20
    assert not fresh & before
    assert all(is_synthetic("tax_code", text) for text in fresh)


# ---------------------------------------------------------------- chance


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_change_nothing(tmp_path, clean, dirty, workers):
    shutil.copytree(clean["shops"].folder, tmp_path / "shops" / clean["shops"].version)
    again = spoil(
        replace(clean["shops"], folder=tmp_path / "shops" / clean["shops"].version),
        make_dirt("0.30", 5),
        workers=workers,
    )
    assert again.data == dirty["shops"].data
    assert key_of(again).equals(key_of(dirty["shops"]))


@settings(max_examples=10, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 4000), max_size=4), seed=st.integers(0, 2**63 - 1), data=st.data()
)
def test_neither_order_nor_division_of_rows_matters(clean, cuts, seed, data):
    rows = rows_of(clean["shops"]).slice(0, 4000).combine_chunks()
    plan = make_plan(clean["shops"], "shops", 2**30, seed)
    whole, told = spoil_table(plan, rows)
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(rows.num_rows)
    mixed = rows.take(pa.array(order))
    places = [0, *sorted(min(cut, rows.num_rows) for cut in cuts), rows.num_rows]
    parts = [spoil_table(plan, mixed.slice(a, b - a)) for a, b in pairwise(places)]
    total = sum((of_table(part).rows for part, _ in parts), 0)
    assert total == whole.num_rows
    hashes = [of_table(part) for part, _ in parts]
    assert sum(hashes[1:], hashes[0]).hexdigest() == of_table(whole).hexdigest()
    assert {a for _, some in parts for a in some} == set(told)


def test_another_seed_spoils_other_rows_and_a_lower_rate_fewer_of_the_same(clean):
    rows = rows_of(clean["shops"])

    def keys(rate, seed):
        plan = make_plan(clean["shops"], "shops", make_dirt(rate).threshold, seed)
        return {answer.key for answer in spoil_table(plan, rows)[1]}

    assert keys("0.05", 1) < keys("0.2", 1)
    assert keys("0.2", 1) != keys("0.2", 2)


# ---------------------------------------------------------------- single values


def column(type_, **more):
    told = {"places": 0, "limit": 2**63 - 1, "factor": 0, "codes": None, "identifier": None}
    return Column(name="c", type=type_, **(told | more))


LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạếềểễệ ÁĐỨ"


@given(
    st.text(LETTERS, max_size=30),
    st.sampled_from(["typo", "tone", "unicode"]),
    st.integers(0, 2**64 - 1),
)
def test_a_spoiled_text_is_of_its_kind(text, what, word):
    found, wrong = change(what, column("text"), text, Chance(word))
    assert not found or is_of_kind(what, column("text"), text, wrong)


@given(
    st.text(LETTERS, max_size=30),
    st.sampled_from(["typo", "tone", "unicode"]),
    st.integers(0, 2**64 - 1),
)
def test_a_made_up_name_keeps_its_mark(text, what, word):
    held = column("text", identifier="enterprise_name")
    found, wrong = change(what, held, text + NAME_MARK, Chance(word))
    assert not found or (wrong.endswith(NAME_MARK) and is_synthetic("enterprise_name", wrong))


@given(st.dates(), st.integers(0, 2**64 - 1))
def test_only_a_date_that_can_be_is_swapped(date, word):
    found, wrong = change("swapped_date", column("date"), date, Chance(word))
    assert found == (date.day <= 12 and date.day != date.month)
    if found:
        assert (wrong.year, wrong.month, wrong.day) == (date.year, date.day, date.month)
        assert is_of_kind("swapped_date", column("date"), str(date), str(wrong))


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from([10, 1000]), st.integers(0, 2**64 - 1))
def test_an_amount_stays_within_what_the_file_holds(value, factor, word):
    held = column("integer", factor=factor)
    found, wrong = change("unit", held, value, Chance(word))
    if found:
        assert abs(wrong) < 2**63
        assert wrong in (value * factor, value // factor)
        assert is_of_kind("unit", held, str(value), str(wrong))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        *(("VND", 1000), ("million VND", 1000), ("kg", 1000), ("percent", 10), ("marks of 10", 10)),
        *(("persons", 0), (None, 0), ("years", 0)),
    ],
)
def test_amounts_are_told_from_counts_by_their_unit(unit, factor):
    assert unit_factor(unit) == factor


def test_old_codes_are_of_no_unit_of_today():
    provinces = old_codes(("admin_provinces_34", "province_code"))
    assert provinces["08"] == ("02",)
    assert "01" not in provinces, "Hà Nội took nobody in"
    communes = old_codes(("admin_communes", "commune_code"))
    assert len(communes) > 3000
    for codes in (provinces, communes):
        assert not {old for olds in codes.values() for old in olds} & set(codes)


@pytest.mark.parametrize(
    ("what", "clean", "dirty"),
    [
        ("typo", "Nguyen", "Ngyen Van"),
        ("typo", "Nguyen", "Nguyen"),
        ("tone", "Hồng", "Hang"),
        ("unicode", "Hồng", "Hông"),
        ("missing", "a", "b"),
        ("missing", None, None),
    ],
)
def test_what_is_of_no_kind_is_refused(what, clean, dirty):
    assert not is_of_kind(what, column("text"), clean, dirty)


# ---------------------------------------------------------------- verify


def test_an_altered_key_is_caught(copied, specs):
    key = key_of(copied)
    pq.write_table(key.slice(1), answers.path(copied.folder))
    found = failed(copied, specs)
    assert "is not the key that was published" in found["answer key"]
    rewrite_key(copied, key.slice(1))
    found = failed(copied, specs)
    assert "answer key" not in found
    (what,) = (name for name in found if name.endswith("defects"))
    assert "the key tells" in found[what]
    assert "not told by the key" in found["everything else is as in the clean replica"]


def test_a_key_with_another_clean_value_is_caught(copied, specs):
    key = key_of(copied)
    at = key["kind"].to_pylist().index("swapped_date")
    texts = key["clean"].to_pylist()
    texts[at] = texts[at - 1]
    rewrite_key(copied, key.set_column(5, "clean", pa.array(texts, pa.string())))
    found = failed(copied, specs)
    assert "swapped_date of" in found["each defect is of its kind"]
    assert "everything else is as in the clean replica" in found


def test_an_unplanted_defect_is_caught(copied, specs):
    table = copied.data["tables"][0]
    file = table["files"][0]
    path = copied.folder / file["path"]
    rows = pq.read_table(path)
    room = pc.add(rows["room"], pa.array(np.arange(len(rows)) == 3).cast(pa.int64()))
    rows = rows.set_column(rows.schema.get_field_index("room"), "room", room)
    pq.write_table(rows, path)
    file |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    table["content_hash"] = of_table(rows_of(copied)).hexdigest()
    write_json(copied.folder / "manifest.json", copied.data)
    found = failed(copied, specs)
    assert "not told by the key: rows" in found["everything else is as in the clean replica"]
    assert "content" not in found


def test_a_missing_key_is_told_with_its_remedy(copied, specs, clean):
    answers.path(copied.folder).unlink()
    assert "delete" in failed(copied, specs)["answer key"]
    of = replace(clean["shops"], folder=copied.folder.parent / clean["shops"].version)
    with pytest.raises(
        StorageError, match=r"missing or not the file .*; delete .* and build again"
    ):
        spoil(of, make_dirt(RATE, 5))


def test_a_damaged_manifest_is_told_without_a_traceback(copied, specs):
    del copied.data["dirt"]["answers"]["sha256"]
    write_json(copied.folder / "manifest.json", copied.data)
    assert "damaged manifest" in failed(copied, specs)["manifest and spec"]


def test_a_copy_without_its_clean_replica_is_held_against_the_hash(copied, specs, clean):
    shutil.rmtree(copied.folder.parent / clean["shops"].version)
    checks = verify_folder(copied.folder, (specs,))
    assert all(check.ok for check in checks)
    assert any("is not here" in check.detail for check in checks)


# ---------------------------------------------------------------- errors and the command


@pytest.mark.parametrize("rate", ["0", "0.500000001", "0.51", "1", "-0.1", "x", "", "1/3", "1e-2"])
def test_a_rate_outside_its_limits_is_refused(rate):
    with pytest.raises(BuildError, match="above 0 and at most"):
        make_dirt(rate)


def test_rates_at_the_limits_are_taken_and_written_in_one_way():
    assert make_dirt("0.5").threshold == 2**31
    assert make_dirt("0.000000001").text == "0.000000001"
    assert make_dirt("0.0200").text == make_dirt(".02").text == "0.02"


def test_a_dirty_copy_is_not_spoiled_again(dirty):
    with pytest.raises(BuildError, match="a dirty copy is not spoiled again"):
        spoil(dirty["shops"], make_dirt("0.1"))


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_the_command_builds_both_and_verify_counts(tmp_path, specs):
    asked = ["build", "shops", "--scale", "0.01", "--specs", specs, "--out", tmp_path]
    done = run(*asked, "--dirt", "0.1", "--dirt-seed", "3", "--json")
    assert done.exit_code == 0, done.stderr
    of, copy = json.loads(done.stdout)["replicas"]
    assert "answers" not in of
    ((n,),) = duckdb.sql(f"SELECT count(*) FROM read_parquet('{copy['answers']}')").fetchall()
    assert n > 50
    again = run(*asked, "--dirt", "0.1", "--dirt-seed", "3")
    assert "answer key: " in again.stdout
    assert "dirty copy already built" in again.stderr
    checked = run("verify", tmp_path, "--specs", specs)
    assert checked.exit_code == 0, checked.stderr
    assert "found of" in checked.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--dirt", "0.6"), "at most 0.5"),
        (("--dirt", "0.1", "--dirt-seed", "-1"), "dirt seed -1 must be from 0"),
        (("--dirt-seed", "2"), "add --dirt"),
    ],
)
def test_the_command_refuses_before_it_builds(tmp_path, specs, options, told):
    done = run("build", "shops", "--specs", specs, "--out", tmp_path, *options)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not list(tmp_path.iterdir())
