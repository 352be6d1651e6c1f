"""Two or three tables read as one: the same columns, bins and levels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from synthetic.assess.coding import BINS, coded_words, quantile_edges
from synthetic.assess.notes import What, notes, shared_rows
from synthetic.assess.sources import Words
from synthetic.assess.tables import Kind, read_tables
from synthetic.errors import AssessError, PrivateError, SpecError
from tests.synthetic.assess_tables import records, write


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assess")
    write(records(), folder / "train.parquet")
    write(records(300, seed=2), folder / "holdout.parquet")
    write(records(500, seed=3), folder / "synthetic.parquet")
    return folder


@pytest.fixture(scope="module")
def tables(files):
    return read_tables(
        files / "train.parquet",
        files / "synthetic.parquet",
        holdout=files / "holdout.parquet",
    )


def test_tables_share_columns_kinds_and_levels(tables):
    held = [*tables.records, tables.synthetic]
    assert [len(table) for table in held] == [600, 300, 500]
    assert len({(t.names, t.kinds, t.levels) for t in held}) == 1
    assert dict(zip(tables.train.names, tables.train.kinds, strict=True)) == {
        "group": Kind.CATEGORICAL,
        "income": Kind.NUMERIC,
        "born": Kind.NUMERIC,
        "poor": Kind.CATEGORICAL,
        "children": Kind.NUMERIC,
    }
    assert all((t.codes < np.array(t.levels)).all() and (t.codes >= 0).all() for t in held)


def test_missing_is_the_last_level_and_nan_only_among_numbers(tables):
    train = tables.train
    group, children = train.names.index("group"), train.names.index("children")
    gaps = np.arange(600) % 17 == 0
    assert ((train.codes[:, group] == train.levels[group] - 1) == gaps).all()
    assert (train.values[:, group] == train.codes[:, group]).all()
    gaps = np.arange(600) % 5 == 0
    assert (np.isnan(train.values[:, children]) == gaps).all()
    assert ((train.codes[:, children] == train.levels[children] - 1) == gaps).all()


def test_numbers_are_as_they_are_and_dates_are_days(tables):
    told = records()
    income, born = (tables.train.names.index(name) for name in ("income", "born"))
    assert tables.train.values[:, income].tolist() == told["income"].to_pylist()
    days = told["born"].cast(pa.int32()).to_pylist()
    assert tables.train.values[:, born].tolist() == days


def test_a_csv_file_says_the_same_as_a_parquet_file(files, tables):
    for name in ("train", "holdout", "synthetic"):
        rows = {"train": (600, 1), "holdout": (300, 2), "synthetic": (500, 3)}[name]
        pacsv.write_csv(records(*rows), files / f"{name}.csv")
    again = read_tables(files / "train.csv", files / "synthetic.csv", holdout=files / "holdout.csv")
    mixed = read_tables(
        files / "train.parquet", files / "synthetic.csv", holdout=files / "holdout.csv"
    )
    for other in (again, mixed):
        assert other.train.kinds == tables.train.kinds
        for one, two in zip(
            (*tables.records, tables.synthetic), (*other.records, other.synthetic), strict=True
        ):
            np.testing.assert_array_equal(one.codes, two.codes)
            np.testing.assert_array_equal(one.values, two.values)


def test_codes_that_begin_with_zero_are_words(tmp_path):
    (tmp_path / "a.csv").write_text("province,n\n01,1\n48,2\n01,0.5\n")
    train = read_tables(tmp_path / "a.csv", tmp_path / "a.csv").train
    assert train.kinds == (Kind.CATEGORICAL, Kind.NUMERIC)


def test_a_query_gives_records(files):
    query = f"SELECT * FROM '{files / 'train.parquet'}' WHERE poor"
    tables = read_tables(query, files / "synthetic.parquet")
    assert 0 < len(tables.train) < 600
    assert tables.holdout is None


def test_unseen_categories_are_levels_of_their_own_and_reported(tmp_path):
    real = pa.table({"a": ["x", "y"] * 10, "b": ["p", None] * 10})
    made = pa.table({"a": ["x", "z", "z", "y"], "b": ["p", "p", None, "p"]})
    tables = read_tables(write(real, tmp_path / "r.parquet"), write(made, tmp_path / "s.parquet"))
    assert tables.unseen == (0.5, 0.0)
    assert tables.train.levels == (4, 2)
    (note,) = [note for note in notes(tables) if note.what is What.UNSEEN]
    assert (note.columns, note.share) == (("a",), 0.5)


def test_the_spec_gives_columns_bins_and_what_stands_for_others(tmp_path):
    spec = tmp_path / "spec.toml"
    spec.write_text(
        'source = "s"\n[limit]\nepsilon = 1\ndelta = 1e-6\n'
        '[columns.group]\ntype = "category"\nvalues = ["south", "other"]\noutside = "other"\n'
        '[columns.income]\ntype = "decimal"\nplaces = 3\nlow = 0\nhigh = 4\nedges = [1, 2.5]\n'
    )
    path = write(records(), tmp_path / "t.parquet")
    tables = read_tables(path, path, spec=spec)
    assert tables.train.names == ("group", "income")
    assert tables.train.levels == (3, 4)
    assert tables.has_spec
    income = np.array(records()["income"].to_pylist())
    assert (tables.train.codes[:, 1] == (income >= 1).astype(int) + (income >= 2.5)).all()
    told = {None: 2, "south": 0, "north": 1, "west": 1}
    assert tables.train.codes[:, 0].tolist() == [told[g] for g in records()["group"].to_pylist()]


def test_bins_are_quantiles_with_a_bin_for_each_heap():
    rng = np.random.default_rng(1)
    values = np.concatenate([np.zeros(900), rng.lognormal(3, 1, 900), [np.nan] * 5])
    edges = quantile_edges(values)
    assert len(edges) <= BINS
    counts = np.bincount(np.searchsorted(edges, values[:1800], side="right") - 1)
    assert counts[0] == 900  # zero alone
    assert len(counts) >= BINS - 1
    assert counts[1:].max() < 2.5 * 900 / (BINS - 2)
    few = np.array([3.0, 1.0, 1.0, 7.0])
    assert quantile_edges(few).tolist() == [1.0, 3.0, 7.0]


def test_columns_that_name_rows_are_left_out_and_told(tmp_path):
    real = records().append_column("name", pa.array([f"person {i}" for i in range(600)]))
    path = write(real, tmp_path / "t.parquet")
    tables = read_tables(path, path)
    assert tables.left_out == ("name",)
    assert "name" not in tables.train.names
    only = write(real.select(["name"]), tmp_path / "n.parquet")
    with pytest.raises(AssessError, match="no column is left to compare"):
        read_tables(only, only)


def test_units_are_one_number_each_over_tables(tmp_path):
    real = records(6).append_column("unit", pa.array(["u", "v", "u", None, "w", None]))
    held = records(3, 2).append_column("unit", pa.array(["x", "v", "y"]))
    tables = read_tables(
        write(real, tmp_path / "t.parquet"),
        write(records(9, 3), tmp_path / "s.parquet"),
        holdout=write(held, tmp_path / "h.parquet"),
        unit="unit",
    )
    units, others = tables.train.units, tables.holdout.units
    assert "unit" not in tables.train.names
    assert units[0] == units[2]
    assert len(set(units.tolist())) == 5
    assert set(units.tolist()) & set(others.tolist()) == {units[1]}
    (note,) = [note for note in notes(tables) if note.what is What.SHARED_UNITS]
    assert note.share == pytest.approx(1 / 3)


def test_a_holdout_that_shares_rows_is_told(files):
    train = files / "train.parquet"
    query = f"SELECT * FROM '{train}' LIMIT 50"
    tables = read_tables(train, files / "synthetic.parquet", holdout=query)
    assert shared_rows(tables.train, tables.holdout) == (1.0, 0.0)
    assert What.SHARED_ROWS in {note.what for note in notes(tables)}


def test_rows_of_few_columns_are_alike_without_being_shared(tmp_path):
    paths = [
        write(records(400, seed).select(["group", "poor"]), tmp_path / f"{seed}.parquet")
        for seed in (1, 2)
    ]
    tables = read_tables(paths[0], paths[0], holdout=paths[1])
    assert shared_rows(tables.train, tables.holdout) == (1.0, 1.0)
    assert What.SHARED_ROWS not in {note.what for note in notes(tables)}


def test_columns_without_values_or_of_one_level_are_told(tmp_path):
    table = pa.table({"a": ["x"] * 9, "b": pa.nulls(9), "c": [1.5, None, 2.0] * 3})
    path = write(table, tmp_path / "t.parquet")
    found = {note.what: note.columns for note in notes(read_tables(path, path))}
    assert found[What.ONE_LEVEL] == ("a",)
    assert found[What.ALL_MISSING] == ("b",)
    assert What.NO_HOLDOUT in found
    assert What.OWN_BINS in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda t: t.drop_columns(["income"]), "synthetic table has no column 'income'", id="lacks"),
        pytest.param(lambda t: t.append_column("more", t["poor"]), "real table has no column 'more'", id="more"),
        pytest.param(lambda t: t.slice(0, 0), "synthetic table has no rows", id="empty"),
        pytest.param(
            lambda t: t.set_column(1, "income", pa.array(["much"] * len(t))),
            "column 'income' holds numbers here and texts there",
            id="texts",
        ),
        pytest.param(lambda t: t.rename_columns(list("vwxyz")), "none of the columns to compare", id="none"),
    ],
)  # fmt: skip
def test_tables_that_do_not_match_are_refused(files, tmp_path, change, message):
    path = write(change(records()), tmp_path / "s.parquet")
    with pytest.raises(AssessError, match=message):
        read_tables(files / "train.parquet", path)


def test_a_message_never_holds_a_value(tmp_path):
    real = tmp_path / "real.csv"
    real.write_text("Nguyễn Thị Bí Mật,79\nTrần Văn Kín,48\n")  # without a line of headers
    made = tmp_path / "made.csv"
    made.write_text("name,age\nA,1\nB,2\n")
    with pytest.raises(AssessError) as error:
        read_tables(real, made)
    assert "Mật" not in str(error.value)
    real.write_text("name,age\nTrần Văn Kín,48\n")
    number = write(pa.table({"name": [1], "age": [2]}), tmp_path / "m.parquet")
    with pytest.raises(AssessError, match="column 'name' of the real table") as error:
        read_tables(real, number)
    assert "Kín" not in str(error.value)


def test_files_that_cannot_be_read_are_told(files, tmp_path):
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 and no more")
    with pytest.raises(PrivateError, match="cannot be read"):
        read_tables(files / "train.parquet", bad)
    with pytest.raises(PrivateError, match="no such file"):
        read_tables(tmp_path / "nothing.csv", bad)
    with pytest.raises(SpecError, match="no such spec"):
        read_tables(files / "train.parquet", bad, spec=tmp_path / "no.toml")
    with pytest.raises(AssessError, match="--unit: the real table has no column 'who'"):
        read_tables(files / "train.parquet", files / "synthetic.parquet", unit="who")


def test_a_category_told_by_the_spec_is_no_unseen_one():
    column = Words(at=np.array([0, 1, -1], dtype=np.int32), words=("x", "y"))
    made = Words(at=np.array([0, 0, 1, 2], dtype=np.int32), words=("told", "new", "x"))
    coded = coded_words([column, made], told=("told", "x"))
    assert coded.n_levels == 5
    assert coded.unseen == 0.25
