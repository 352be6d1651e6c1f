"""Verify finds what is wrong with a replica, whatever was done to it."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.cli import main
from synthetic.errors import StorageError
from synthetic.evaluation.comparisons import Comparison
from synthetic.evaluation.quotas import check_quota, quota_of
from synthetic.evaluation.verify import verify, verify_folder
from synthetic.spec.load import load_all, packaged
from synthetic.spec.margins import Margin
from synthetic.tables import content
from synthetic.tables.manifest import find, read, sha256
from tests.synthetic.specs import LINKED


@pytest.fixture
def damaged(replicas, tmp_path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(replicas / "replicas", tmp_path / "replicas")
    return tmp_path / "replicas"


def replica(root, dataset):
    return next(m for m in find(root) if m.dataset == dataset)


def failures(manifest):
    checks = verify(manifest, load_all([manifest.dataset]))
    return [f"{c.table}: {c.what}: {c.detail}" for c in checks if not c.ok]


def rewrite(manifest, table, change):
    """Change a table's rows and make files and manifest agree again, as a clever forger would."""
    entry = next(t for t in manifest.data["tables"] if t["name"] == table)
    (file,) = entry["files"]
    path = manifest.folder / file["path"]
    rows = change(pq.read_table(path))
    pq.write_table(rows, path)
    file |= {"rows": rows.num_rows, "bytes": path.stat().st_size, "sha256": sha256(path)}
    entry |= {"rows": rows.num_rows, "content_hash": content.of_table(rows).hexdigest()}
    (manifest.folder / "manifest.json").write_text(json.dumps(manifest.data), "utf-8")
    return read(manifest.folder)


def put(rows, column, at, value):
    values = rows[column].to_pylist()
    values[at] = value
    field = rows.schema.field(column)
    kind = pa.string() if pa.types.is_dictionary(field.type) else field.type
    return rows.set_column(rows.column_names.index(column), column, pa.array(values, kind))


def older(rows, province, years):
    """Make everybody of working age in one province older, birth dates with them."""
    frame = rows.to_pandas()
    at = (frame["province_code"] == province) & frame["age"].between(15, 69)
    frame.loc[at, "age"] += years
    frame.loc[at, "birth_date"] = [
        date.replace(year=date.year - years, day=min(date.day, 28))
        for date in frame.loc[at, "birth_date"]
    ]
    return pa.Table.from_pandas(frame, rows.schema, preserve_index=False)


def swapped(rows, column):
    """Two rows change their values of a column: every total stays as it was."""
    values = rows[column].to_pylist()
    other = next(i for i, value in enumerate(values) if value != values[0])
    return put(put(rows, column, 0, values[other]), column, other, values[0])


def restate(manifest, change):
    """Edit the manifest by hand."""
    change(manifest.data)
    (manifest.folder / "manifest.json").write_text(json.dumps(manifest.data), "utf-8")
    return read(manifest.folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["recipe"].update(margins="sampled"), "recipe or hashes were changed"),
        (lambda d: d["recipe"].update(seed=2), "recipe or hashes were changed"),
        (lambda d: d["hashes"].update(model="0"), "recipe or hashes were changed"),
        (lambda d: d["hashes"].update(statistics="0"), "other published tables"),
        (lambda d: d.update(version="s1-all-seed1-exact-000000000000"), "do not agree"),
        (lambda d: d.update(depends={}), "the manifest names"),
        (lambda d: d["tables"][0].update(rows=1), "do not add up"),
        (lambda d: d["tables"][0]["files"][0].update(bytes=1), "not the file"),
        (
            lambda d: d["tables"][0]["columns"][3]["fidelity"].update(distance=0.0),
            "stated fidelity",
        ),
        (lambda d: d["tables"][0]["columns"][3]["fidelity"].update(status="x"), "stated fidelity"),
    ],
)
def test_a_manifest_edited_by_hand_is_found(damaged, change, message):
    manifest = restate(replica(damaged, "enterprise"), change)
    assert any(message in failure for failure in failures(manifest)), failures(manifest)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("hashes"),
        lambda d: d.update(tables=None),
        lambda d: d["recipe"].update(scale="abc"),
        lambda d: d["tables"][0]["files"][0].update(path="../../etc/passwd"),
    ],
)
def test_a_damaged_manifest_is_told_by_verify_and_by_build(damaged, change):
    manifest = replica(damaged, "population")
    with pytest.raises(StorageError, match="damaged manifest"):
        restate(manifest, change)
    (check,) = verify_folder(manifest.folder)
    assert not check.ok
    recipe = make_recipe("0.001", None, 1, "exact")
    with pytest.raises(StorageError, match="delete this folder and build again"):
        build(Order(datasets=("population",), recipe=recipe, out=damaged))


def test_a_damaged_replica_is_not_used_again(damaged):
    manifest = replica(damaged, "population")
    path = manifest.files("persons")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    recipe = make_recipe("0.001", None, 1, "exact")
    with pytest.raises(StorageError, match=r"damaged.*delete this folder and build again"):
        build(Order(datasets=("population",), recipe=recipe, out=damaged))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_large_replica_passes(tmp_path):
    """Distances have no floor: what passes at a small scale passes at a large one."""
    recipe = make_recipe("0.1", None, 1, "exact")
    for manifest in build(Order(datasets=("enterprise",), recipe=recipe, out=tmp_path)):
        assert failures(manifest) == []


@pytest.mark.parametrize("dataset", ["population", "enterprise"])
def test_an_untouched_replica_passes(replicas, dataset):
    assert failures(replica(replicas / "replicas", dataset)) == []


@pytest.mark.parametrize("area", ["48", "12"])
def test_an_area_passes(tmp_path, area):
    recipe = make_recipe("0.002", area, 3, "exact")
    for manifest in build(Order(datasets=("enterprise",), recipe=recipe, out=tmp_path)):
        assert failures(manifest) == []


@pytest.mark.slow
def test_a_sampled_draw_passes_and_is_held_to_no_quota(tmp_path):
    recipe = make_recipe("0.002", None, 5, "sampled")
    for manifest in build(Order(datasets=("enterprise",), recipe=recipe, out=tmp_path)):
        checks = verify(manifest, load_all([manifest.dataset]))
        assert [c for c in checks if not c.ok] == []
        assert not any(c.what.startswith("quota") for c in checks)


def test_a_flipped_byte_is_found(damaged):
    manifest = replica(damaged, "population")
    (path,) = manifest.files("persons")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert any("not the file that was published" in f for f in failures(manifest))


def test_a_truncated_file_is_found_even_when_the_manifest_was_mended(damaged):
    manifest = replica(damaged, "population")
    (path,) = manifest.files("persons")
    path.write_bytes(path.read_bytes()[:-100])
    entry = next(t for t in manifest.data["tables"] if t["name"] == "persons")
    entry["files"][0] |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    assert any("cannot be read" in f for f in failures(manifest))


def test_a_missing_file_is_found(damaged):
    manifest = replica(damaged, "population")
    manifest.files("persons")[0].unlink()
    assert any("is missing" in f for f in failures(manifest))


def test_a_file_too_many_is_found(damaged):
    manifest = replica(damaged, "population")
    (manifest.folder / "persons" / "extra.parquet").write_bytes(b"x")
    assert any("extra.parquet" in f for f in failures(manifest))


def test_rows_that_the_manifest_does_not_know_are_found(damaged):
    manifest = replica(damaged, "population")
    (path,) = manifest.files("persons")
    pq.write_table(pq.read_table(path).slice(1), path)
    entry = next(t for t in manifest.data["tables"] if t["name"] == "persons")
    entry["files"][0] |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    assert any("persons: content: other rows" in f for f in failures(manifest))


FORGED = [
    ("persons", lambda r: put(r, "person_id", 0, 1099000001), "1 could be real"),
    ("persons", lambda r: put(r, "phone", 0, 912345678), "1 could be real"),
    ("persons", lambda r: put(r, "person_id", 0, r["person_id"][1].as_py()), "1 repeated"),
    ("persons", lambda r: put(r, "person_id", 0, None), "1 missing"),
    ("persons", lambda r: put(r, "household_id", 0, 10**9), "1 rows lead nowhere"),
    ("persons", lambda r: put(r, "age", 0, 7), "Age fits the birth date"),
    ("persons", lambda r: put(r, "commune_code", 0, "99999"), "lives where the household is"),
    ("persons", lambda r: r.slice(50), "quota: province_code x residence"),
    ("persons", lambda r: put(r, "surname", 0, "Smith"), "has not; mend the margin"),
    ("persons", lambda r: put(r, "relation", 0, "banana"), "relation holds codes of its list"),
    ("persons", lambda r: put(r, "relation", 0, None), "relation is there where it should be"),
    ("persons", lambda r: put(r, "phone", 0, None), "phone is there where it should be"),
    ("persons", lambda r: put(r, "relation", 1, "head"), "every group has one head"),
    ("persons", lambda r: older(r, "79", 5), "within every area"),
    ("persons", lambda r: older(r, "12", 5), "stated fidelity of pairs"),
    ("persons", lambda r: swapped(r, "sex"), "person_id shows province_code, sex, year"),
    ("persons", lambda r: older(r, "12", 5), "person_id shows province_code, sex, year"),
    ("persons", lambda r: swapped(r, "birth_date"), "birth_date lies in"),
    ("households", lambda r: put(r, "size", 0, 9), "A household has 1 to 8 persons"),
    ("households", lambda r: put(r, "size", 0, 1), "members make up the size of households"),
    (
        "households",
        lambda r: put(r, "ethnic_group", 0, "Ê Đê"),
        "ethnic group is the household",
    ),
]
QUICK = 7  # the others are slow only because they are many


@pytest.mark.parametrize(
    ("table", "change", "message"),
    FORGED[:QUICK] + [pytest.param(*one, marks=pytest.mark.slow) for one in FORGED[QUICK:]],
)
def test_a_forged_row_is_found_though_every_hash_agrees(damaged, table, change, message):
    manifest = rewrite(replica(damaged, "population"), table, change)
    assert any(message in failure for failure in failures(manifest))


def test_places_that_are_left_empty_are_found(damaged):
    """Every second employee is gone: nobody holds too much, and far too few places are filled."""
    manifest = rewrite(
        replica(damaged, "enterprise"),
        "employees",
        lambda rows: rows.take(list(range(0, rows.num_rows, 2))),
    )
    (told,) = [f for f in failures(manifest) if "places are as full as chance gives" in f]
    assert "expected" in told


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({("01", "a"): 3, ("01", "b"): 3, ("48", "a"): 1, ("48", "b"): 1}, ""),
        ({("01", "a"): 2, ("01", "b"): 4, ("48", "a"): 1, ("48", "b"): 1}, ""),
        ({("01", "a"): 1, ("01", "b"): 4, ("48", "a"): 2, ("48", "b"): 1}, "01 x a is 1"),
        ({("01", "a"): 3, ("01", "b"): 4, ("48", "a"): 1, ("48", "b"): 0}, "01 is 7"),
        ({("01", "a"): 3, ("01", "b"): 4, ("48", "a"): 1, ("48", "b"): 1}, "the country is 9"),
    ],
)
def test_a_quota_binds_cells_areas_and_the_country(counts, message):
    """Published x scale: 2.5 and 3.5 in area 01, 0.9 and 1.1 in area 48; rounded up or down."""
    figures = {("01", "a"): 25, ("01", "b"): 35, ("48", "a"): 9, ("48", "b"): 11}
    cells = {cell: Fraction(value) for cell, value in figures.items()}
    margin = Margin("m", "published", "rows", ("area", "kind"), cells)
    entry = Comparison(margin, {"area": "area", "kind": "kind"}, quota=True)
    quota = quota_of(entry, "0.1", None)
    check = check_quota("table", "what", quota, counts, [quota])
    assert check.ok is not bool(message)
    assert message in check.detail


def test_a_quota_with_a_floor_binds_every_cell_that_is_published():
    cells = {("01",): Fraction(1), ("48",): Fraction(25), ("79",): Fraction(0)}
    entry = Comparison(
        Margin("m", "published", "rows", ("area",), cells), {"area": "area"}, quota=True, floor=1
    )
    quota = quota_of(entry, "0.1", None)
    for counts, ok in (
        ({("01",): 1, ("48",): 2}, True),
        ({("01",): 1, ("48",): 3}, True),
        ({("48",): 3}, False),
        ({("01",): 1, ("48",): 4}, False),
        ({("01",): 1, ("48",): 2, ("79",): 1}, False),
    ):
        assert check_quota("table", "what", quota, counts, [quota]).ok is ok, counts


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """Links of every kind, of one province, and the folder of their spec."""
    folder = tmp_path_factory.mktemp("linked")
    (folder / "linked.toml").write_text(LINKED, "utf-8")
    recipe = make_recipe("0.0005", "48", 1, "exact")
    order = Order(datasets=("linked",), recipe=recipe, out=folder / "out", specs=(folder,))
    return next(m for m in build(order) if m.dataset == "linked"), folder


def test_units_that_keep_a_floor_are_held_against_what_they_were_made_by(linked):
    manifest, folder = linked
    (pair,) = [p for p in manifest.data["pairs"] if p["table"] == "schools"]
    assert pair["columns"] == ["province_code", "kind"]
    assert pair["fidelity"]["against"] == "population_province_34"
    checks = verify(manifest, load_all(["linked"], [folder]))
    (quota,) = [c for c in checks if c.table == "schools" and c.kind == "quotas"]
    assert quota.ok


def test_a_key_that_should_have_stayed_in_the_area_is_an_orphan(linked, tmp_path):
    """Payments to area 48 lead to accounts of its replica; those to area 01 may lead away."""
    manifest, folder = linked
    shutil.copytree(manifest.folder.parent.parent, tmp_path / "out")
    manifest = read(tmp_path / "out" / "linked" / manifest.version)

    def lost(area):
        def change(rows):
            at = rows["to_area"].to_pylist().index(area)
            return put(rows, "to_id", at, 999999999999)

        return change

    def told(manifest):
        checks = verify(manifest, load_all(["linked"], [folder]))
        return next(c for c in checks if c.table == "payments" and c.what.startswith("to_id ->"))

    before = told(manifest)
    assert before.ok
    assert "lead to other areas" in before.detail
    away = rewrite(manifest, "payments", lost("01"))
    assert told(away).ok
    stayed = told(rewrite(manifest, "payments", lost("48")))
    assert not stayed.ok
    assert "1 rows lead nowhere" in stayed.detail


def test_a_forged_enterprise_is_found(damaged):
    manifest = replica(damaged, "enterprise")
    code = pq.read_table(manifest.files("enterprises")[0])["tax_code"][0].as_py()
    real = code // 10 * 10 + (code + 5) % 10
    manifest = rewrite(manifest, "enterprises", lambda rows: put(rows, "tax_code", 0, real))
    found = failures(manifest)
    assert any("tax_code cannot be real: 1 could be real" in f for f in found)
    assert any("rows lead nowhere" in f for f in found)  # its employees


def test_a_dataset_that_is_not_beside_it_is_told(damaged):
    shutil.rmtree(damaged / "population")
    found = failures(replica(damaged, "enterprise"))
    (told,) = found  # and nothing of what follows from it
    assert "uses population" in told
    assert "needs population s0.001-all-seed1" in told
    assert "synthetic build enterprise --scale 0.001 --seed 1 --margins exact --out" in told


def test_another_spec_is_told(damaged):
    manifest = replica(damaged, "population")
    manifest.data["hashes"]["spec"] = "0" * 64
    assert failures(manifest) == [": spec: the replica was built from another version of the spec"]


def test_a_folder_without_a_replica_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tmp_path)])
    assert stopped.value.code == 3
    assert "no replica here; build one with: synthetic build" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tmp_path / "replicsa")])
    assert stopped.value.code == 3
    assert "replicsa: no such folder; name one that holds replicas" in capsys.readouterr().err


def test_a_manifest_that_is_no_manifest_is_told(tmp_path):
    (tmp_path / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(StorageError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 99}', "utf-8")
    with pytest.raises(StorageError, match="not a manifest of format 1"):
        read(tmp_path)


def test_the_command_sums_up_by_kind(replicas, capsys):
    with suppress(SystemExit):
        main(["verify", str(replicas / "replicas")])
    told = capsys.readouterr().out
    (line,) = {text for text in told.splitlines() if "quotas 2 of 2" in text}
    for kind in ("keys 2 of 2", "references 1 of 1", "rules ", "identifiers ", "dates ", "shares "):
        assert kind in line
    with suppress(SystemExit):
        main(["verify", str(replicas / "replicas"), "--json"])
    facts = {r["dataset"]: r for r in json.loads(capsys.readouterr().out)["replicas"]}
    assert (
        facts["population"]["kinds"]["rules"]["ok"] == facts["population"]["kinds"]["rules"]["of"]
    )


def test_the_command_lists_what_fails_and_exits_with_4(damaged, capsys):
    manifest = replica(damaged, "population")
    manifest.files("persons")[0].unlink()
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(damaged), "--json"])
    assert stopped.value.code == 4
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert not facts["ok"]
    assert {r["dataset"]: r["ok"] for r in facts["replicas"]}["population"] is False
    assert "persons: files: persons/part-00000.parquet is missing" in told.err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_dataset_of_one_province_passes_and_only_declared_keys_leave_it(tmp_path):
    """Orphans are none; references to other provinces are counted apart, where the spec says so."""
    recipe = make_recipe("0.002", "48", 1, "exact")
    left = set()
    for manifest in build(Order(datasets=tuple(packaged()), recipe=recipe, out=tmp_path)):
        specs = load_all([manifest.dataset])
        checks = verify(manifest, specs)
        assert [c for c in checks if not c.ok] == []
        columns = {
            (table, name): column
            for table, spec in specs[manifest.dataset].tables.items()
            for name, column in spec.columns.items()
        }
        apart = [c for c in checks if c.kind == "references" and "other areas" in c.detail]
        keys = {(c.table, c.what.partition(" ")[0]) for c in apart}
        assert all(columns[key].leaves_area for key in keys)
        left |= {f"{manifest.dataset}.{table}.{name}" for table, name in keys}
    assert {
        "health.encounters.facility_id",
        "logistics.shipments.consignee_household",
        "logistics.shipments.consignee_tax_code",
    } <= left
