"""`synthetic sample`: rows of a model's file, by condition and by shard, and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from scipy import stats

from synthetic.cli import main
from synthetic.errors import SyntheticError
from synthetic.private import model as models
from synthetic.private.aliases import ONE
from synthetic.private.model import Model, WholeMove
from synthetic.tables.content import of_table

from .private_tables import model_by_hand, spec_of

PINNED = Path(__file__).parent.parent / "golden" / "sample.json"
TINY = """
source = "tiny"
limit = {epsilon = 1, delta = 1e-6}
[columns.area]
type = "category"
values = ["north", "south"]
[columns.crop]
type = "category"
values = ["rice", "tea", "coffee"]
missing = true
[columns.yield]
type = "decimal"
places = 1
low = 0
high = 99.9
edges = [10, 50]
[columns.sown]
type = "date"
low = 2024-01-01
high = 2024-12-31
bins = 2
[columns.owned]
type = "boolean"
[[rules]]
holds = 'not (area == "north" and crop == "coffee")'
"""
_SHARES = [  # of 16, for each of two classes
    [12, 4, 9, 4, 2, 1, 8, 6, 2, 10, 6, 3, 13],
    [3, 13, 2, 3, 10, 1, 1, 5, 10, 8, 8, 14, 2],
]


def tiny():
    """A model written by hand in whole numbers, with a repair: crops of the north."""
    sixteenth = ONE // 16
    move = WholeMove(
        parent=0,
        child=1,
        stay=np.array([[16, 16, 0, 16], [8, 16, 16, 16]], dtype=np.uint32) * np.uint32(sixteenth),
        to=np.array([[16, 0, 0, 0], [0, 8, 8, 0]], dtype=np.uint32) * np.uint32(sixteenth),
    )
    return Model(
        spec=spec_of(TINY),
        facts={"releasable": False, "releases": []},
        class_weights=np.array([6, 10], dtype=np.uint32) * np.uint32(sixteenth),
        shares=np.array(_SHARES, dtype=np.uint32) * np.uint32(sixteenth),
        moves=(move,),
    )


@pytest.fixture
def model(tmp_path):
    tiny().save(tmp_path / "tiny.model")
    return tmp_path / "tiny.model"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def rows_of(model, *more, rows=1000, out="rows.parquet"):
    path = model.parent / out
    result = run("sample", model, "--rows", rows, "--out", path, *more)
    assert result.exit_code == 0, result.output
    return pq.read_table(path)


def content(tables):
    return of_table(pa.concat_tables(tables)).hexdigest()


def test_a_sample_has_the_content_that_is_pinned(request, model):
    """Remake it, and read what changed: pytest tests/synthetic/test_sample_command.py -n 0
    --update-golden."""
    found = {
        "all": content([rows_of(model, rows=70_001)]),
        "where": content([rows_of(model, "--where", "crop = 'tea'", "--seed", 7)]),
    }
    if request.config.getoption("--update-golden"):
        PINNED.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(PINNED.read_text())


def test_five_shards_are_the_whole(model):
    whole = rows_of(model, rows=70_001)
    parts = [rows_of(model, "--shard", f"{i}/5", rows=70_001) for i in range(1, 6)]
    assert content(parts) == content([whole])
    assert pa.concat_tables(parts).equals(whole)
    assert {part.num_rows for part in parts} == {14_000, 14_001}


def test_a_csv_file_holds_the_same_rows(model):
    drawn = rows_of(model)
    assert run("sample", model, "--rows", 1000, "--out", model.parent / "r.csv").exit_code == 0
    plain = [
        pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
        for f in drawn.schema
    ]
    typed = pa.csv.ConvertOptions(column_types=pa.schema(plain), strings_can_be_null=True)
    read = pa.csv.read_csv(model.parent / "r.csv", convert_options=typed)
    assert read.to_pylist() == drawn.to_pylist()


def test_another_seed_gives_other_rows_and_rules_hold(model):
    tables = [rows_of(model, "--seed", seed, rows=5000) for seed in (1, 1, 2)]
    assert content(tables[:1]) == content(tables[1:2]) != content(tables[2:])
    rows = tables[2].to_pylist()
    assert not any(row["area"] == "north" and row["crop"] == "coffee" for row in rows)
    assert all(0 <= row["yield"] < 100 and row["sown"].year == 2024 for row in rows)


@pytest.mark.parametrize(
    ("where", "column", "value"),
    [
        ("area = 'south'", "area", "south"),
        ("crop is missing", "crop", None),
        ('"yield" = 12.5', "yield", 12.5),
        ("sown = 2024-02-29", "sown", "2024-02-29"),
        ("owned = 'true' and crop = 'rice'", "owned", True),
    ],
)
def test_what_was_asked_for_is_in_every_row(model, where, column, value):
    found = set(rows_of(model, "--where", where, rows=500)[column].to_pylist())
    (only,) = found
    assert only == value or str(only) == value or (column == "yield" and float(only) == value), (
        found
    )


def test_rows_under_a_condition_have_exact_probabilities(model):
    told, n = tiny(), 40_000
    drawn = rows_of(model, "--where", "owned = 'true'", rows=n).to_pandas()
    weights = told.class_weights / ONE * (told.block(4)[:, 1] / ONE)
    weights /= weights.sum()
    joint = np.einsum("c,ca,cb->ab", weights, told.block(0) / ONE, told.block(1) / ONE)
    stay, to = told.moves[0].stay / ONE, told.moves[0].to / ONE
    joint = joint * stay + (joint * (1 - stay)).sum(axis=1, keepdims=True) * to
    joint[0, 2] = 0  # the rule
    crops = drawn.crop.astype(object).fillna("none")
    wanted = (joint / joint.sum() * n).ravel()
    counts = [
        int(((drawn.area == area) & (crops == crop)).sum())
        for area in ("north", "south")
        for crop in ("rice", "tea", "coffee", "none")
    ]
    seen = wanted > 0
    assert np.array(counts)[~seen].sum() == 0
    assert stats.chisquare(np.array(counts)[seen], wanted[seen]).pvalue > 1e-4


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("area = 'east'", "'area' has no value 'east'; it is one of north, south"),
        ("aera = 'north'", "unknown column 'aera'; did you mean 'area'?"),
        ("area = 'north' and area = 'south'", "names 'area' twice"),
        ("area is missing", "'area' is never missing"),
        ("area", "not understood at character 1"),
        ("area = 'north' crop = 'tea'", "'and' is missing"),
        ("area = 'north' and", "not understood"),
        ("area > 'north'", "not understood"),
        ("area = 'north' or crop = 'tea'", "'and' is missing"),
        ('"yield" = 100', "is outside its bounds"),
        ('"yield" = 1e99', "is outside its bounds"),
        ('"yield" = nan', "is not of type decimal"),
        ('"yield" = 0.05', "is not of type decimal"),
        ("sown = 29-02-2024", "is not of type date"),
        ("area = 'north' and crop = 'coffee'", "hardly a row of the model keeps it"),
        ("", "not understood"),
        ("area = 'nor" + "x" * 5000 + "'", "has no value"),
    ],
)
def test_a_condition_that_cannot_be_is_told(model, where, message):
    result = run("sample", model, "--rows", 5, "--where", where, "--out", model.parent / "o.csv")
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr[:500]
    assert "Traceback" not in result.output
    assert [p.name for p in model.parent.iterdir()] == ["tiny.model"]


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--out", "/nowhere/o.parquet"], 3, "its folder is not there"),
        (["--out", "/proc/o.parquet"], 3, "cannot write '/proc/o.parquet'"),
        (["--out", "o.txt"], 2, "must end in .parquet or .csv"),
        (["--out", "."], 2, "must end in .parquet or .csv"),
        (["--rows", 2**41], 2, "must be from 0 to"),
        (["--seed", 2**63], 2, "seed 9223372036854775808 must be from 0"),
        (["--shard", "0/2"], 2, "shard '0/2' is not a part such as 3/8"),
        (["--shard", "1/2/3"], 2, "is not a part such as 3/8"),
    ],
)
def test_what_cannot_be_done_is_told(model, more, code, message):
    result = run("sample", model, "--rows", 5, "--out", model.parent / "o.csv", *more)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_there_is_replaced_whole(model):
    first = rows_of(model, rows=10)
    again = rows_of(model, rows=20)
    assert (first.num_rows, again.num_rows) == (10, 20)
    assert {p.name for p in model.parent.iterdir()} == {"tiny.model", "rows.parquet"}
    failed = run("sample", model, "--rows", 5, "--where", "area = 'north' and crop = 'coffee'",
                 "--out", model.parent / "rows.parquet")  # fmt: skip
    assert failed.exit_code == 2
    assert pq.read_table(model.parent / "rows.parquet").num_rows == 20


def loads(path):
    """The model's digest, or what is told of it; any other fault fails the test."""
    try:
        return models.load(path).digest
    except SyntheticError as error:
        return str(error)


def test_a_file_cut_anywhere_is_no_model(model):
    data = model.read_bytes()
    for end in range(0, len(data), 97):
        model.write_bytes(data[:end])
        assert "not a fitted model, or a damaged one" in loads(model), end


def test_a_changed_byte_is_noticed_or_means_nothing(model):
    data, digest = model.read_bytes(), tiny().digest
    for at in range(0, len(data), 11):
        changed = bytearray(data)
        changed[at] ^= 0x55
        model.write_bytes(changed)
        told = loads(model)
        assert told == digest or str(model) in told, at


def rewritten(model, name, data):
    """The same archive with other bytes under one name."""
    with zipfile.ZipFile(model) as archive:
        held = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(model, "w") as archive:
        for one, old in (held | {name: data(held.get(name, b""))}).items():
            archive.writestr(one, old)


def of_json(change):
    """A change of the model's JSON."""

    def changed(data):
        told = json.loads(data)
        change(told)
        return json.dumps(told).encode()

    return changed


DAMAGED = "not a fitted model, or a damaged one; fit it again"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("model.json", of_json(lambda t: t.update(format=99)), "a model of format 99; this"),
        ("model.json", of_json(lambda t: t.update(format="1")), "a model of format"),
        ("model.json", of_json(lambda t: t.pop("spec")), DAMAGED),
        ("model.json", of_json(lambda t: t.pop("facts")), DAMAGED),
        ("model.json", of_json(lambda t: t["spec"].update(more=1)), DAMAGED),
        ("model.json", of_json(lambda t: t["spec"]["columns"].pop("crop")), DAMAGED),
        ("model.json", of_json(lambda t: t["moves"][0].update(parent=77)), DAMAGED),
        ("model.json", of_json(lambda t: t["moves"][0].update(child=-1)), DAMAGED),
        ("model.json", of_json(lambda t: t["facts"].pop("releasable")), DAMAGED),
        ("model.json", lambda data: b"[" * 100_000, DAMAGED),
        ("model.json", lambda data: b"[]", DAMAGED),
        ("model.json", lambda data: b"\xff\xfe", DAMAGED),
        ("shares.npy", lambda data: data[:-4], DAMAGED),
        ("shares.npy", lambda data: data[:-4] + bytes(4), DAMAGED),
        ("shares.npy", lambda data: data.replace(b"(2, 13)", b"(9, 99)"), DAMAGED),
        ("shares.npy", lambda data: data.replace(b"(2, 13)", b"(26, )"), DAMAGED),
        ("shares.npy", lambda data: data.replace(b"<u4", b"<f4"), DAMAGED),
        ("shares.npy", lambda data: data.replace(b"'<u4'", b"'|O' "), DAMAGED),
        ("class_weights.npy", lambda data: b"", DAMAGED),
        ("move_0_to.npy", lambda data: data[:-4] + b"\1" + bytes(3), DAMAGED),
        ("move_0_stay.npy", lambda data: data[:-4] + b"\xff" * 4, DAMAGED),
        ("move_0_stay.npy", lambda data: data.replace(b"(2, 4)", b"(4, 2)"), DAMAGED),
    ],
)  # fmt: skip
def test_a_tampered_model_is_refused_before_a_row_is_drawn(model, name, data, message):
    rewritten(model, name, data)
    result = run("sample", model, "--rows", 5, "--out", model.parent / "o.csv")
    assert (result.exit_code, message in result.stderr) == (2, True), result.output
    assert "Traceback" not in result.output
    assert not (model.parent / "o.csv").exists()


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"not a zip" * 50])
def test_another_file_is_no_model(tmp_path, data):
    (tmp_path / "x.model").write_bytes(data)
    result = run("sample", tmp_path / "x.model", "--rows", 5, "--out", tmp_path / "o.csv")
    assert (result.exit_code, DAMAGED in result.stderr) == (2, True), result.output


@pytest.mark.parametrize(("name", "code"), [("absent.model", 3), (".", 3)])
def test_a_model_that_is_not_there_is_told(tmp_path, name, code):
    result = run("sample", tmp_path / name, "--rows", 5, "--out", tmp_path / "o.csv")
    assert (result.exit_code, "cannot read" in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_who_samples_needs_no_opendp(model):
    program = (
        "import sys; sys.modules['opendp'] = None; from synthetic.cli import main; "
        "main(sys.argv[1:])"
    )
    out = model.parent / "o.parquet"
    done = subprocess.run(
        [sys.executable, "-c", program, "sample", model, "--rows", "5", "--out", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, pq.read_table(out).num_rows) == (0, 5), done.stderr


def test_a_model_by_hand_says_that_it_is_not_releasable(tmp_path):
    model_by_hand().save(tmp_path / "m.model")
    result = run("sample", tmp_path / "m.model", "--rows", 5, "--out", tmp_path / "o.csv")
    assert "not releasable" in result.stderr
