"""The whole fit: from records to rows, strange tables, and every mistake in plain words."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from synthetic.cli import main
from synthetic.private import InsecureNoise, Order, SecureNoise, fit
from synthetic.private import model as models
from synthetic.private.accounting import rho_of
from synthetic.private.sampling import Sampler

from .private_tables import SPEC, TWO, records, spec_of, write


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def order_of(data, folder, text=SPEC, **given):
    asked = {"epsilon": 1.0, "delta": 1e-7, "mode": "fast"} | given
    return Order.of(
        str(data), spec_of(text), file="s.toml", ledger=folder / "ledger.sqlite", **asked
    )


@pytest.fixture
def survey(tmp_path):
    write(records(), tmp_path / "records.parquet")
    (tmp_path / "survey.toml").write_text(SPEC, "utf-8")
    return tmp_path


def asked(folder, *more, epsilon=1, out="model.zip"):
    return (
        *("fit", folder / "records.parquet", "--spec", folder / "survey.toml"),
        *("--epsilon", epsilon, "--delta", "1e-7", "--ledger", folder / "ledger.sqlite"),
        *("--mode", "fast", "--out", folder / out, *more),
    )


def test_from_records_to_rows(survey):
    fitted = run(*asked(survey, "--json"))
    assert fitted.exit_code == 0, fitted.output
    told = json.loads(fitted.stdout)
    assert [r["name"] for r in told["releases"]] == ["one-way", "pairs"]
    assert sum(r["share"] for r in told["releases"]) == pytest.approx(1)
    # Both sums are told at the limit's own delta, which is larger than the fit's.
    assert 0 < told["ledger"]["spent"]["epsilon"] < 1
    drawn = run("sample", survey / "model.zip", "--rows", 500, "--out", survey / "rows.parquet")
    assert drawn.exit_code == 0, drawn.output
    rows = pq.read_table(survey / "rows.parquet").to_pylist()
    assert len(rows) == 500
    assert not any(row["age"] < 10 and row["married"] for row in rows)


def test_a_plan_needs_no_records_and_no_budget(survey):
    (survey / "records.parquet").unlink()
    told = run(*asked(survey, "--plan"))
    assert told.exit_code == 0, told.output
    assert "protects: one row added or removed" in told.stdout
    assert "one-way         15.0%       6" in told.stdout
    assert "epsilon 0 of 3" in told.stdout
    assert not (survey / "ledger.sqlite").exists()


def test_a_fit_that_runs_twice_has_spent_twice_until_the_limit(survey):
    ask = {"epsilon": 1.6}
    for number in range(9):
        done = run(*asked(survey, "--insecure-seed", 1, out=f"{number}.zip", **ask))
        if done.exit_code:
            break
    assert done.exit_code == 5
    assert "budget of 'survey': epsilon 3 at delta 1e-06 is the limit" in done.stderr
    assert number == int(rho_of(3, 1e-6) / rho_of(1.6, 1e-7))
    assert not (survey / f"{number}.zip").exists()


def test_a_model_holds_what_was_paid_for_and_nothing_exact(survey):
    model = fit(order_of(survey / "records.parquet", survey), SecureNoise())
    model.save(survey / "model.zip")
    with zipfile.ZipFile(survey / "model.zip") as archive:
        told = json.loads(archive.read("model.json"))
    assert told["facts"]["releasable"] is True
    assert str(survey) not in json.dumps(told)
    cells = [sum(1 for _ in release["tables"]) for release in told["facts"]["releases"]]
    assert cells == [6, 15]
    with sqlite3.connect(survey / "ledger.sqlite") as connection:
        paid = dict(connection.execute("SELECT release, rho FROM spent").fetchall())
    connection.close()
    assert paid == {release["name"]: release["rho"] for release in told["facts"]["releases"]}
    again = fit(order_of(survey / "records.parquet", survey), SecureNoise())
    assert (again.noisy[0] != model.noisy[0]).any()


def test_seeded_noise_marks_a_model_as_not_releasable(survey):
    fitted = run(*asked(survey, "--insecure-seed", 1))
    assert "not releasable" in fitted.stderr
    assert models.load(survey / "model.zip").is_releasable is False
    secure = run(*asked(survey, out="secure.zip"))
    assert "not releasable" not in secure.stderr
    assert models.load(survey / "secure.zip").is_releasable is True


def test_the_same_noisy_tables_give_the_same_model(survey):
    first, second = (
        fit(order_of(survey / "records.parquet", survey, mode="default"), InsecureNoise(4))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.shares, second.shares)


def test_strong_signals_come_back(tmp_path):
    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 20_000)
    b = np.where(rng.random(20_000) < 0.9, a, 3)
    table = pa.table({"a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b]})
    model = fit(order_of(write(table, tmp_path / "r.parquet"), tmp_path, TWO), InsecureNoise(1))
    levels = Sampler(model, 20_000, 1).levels(np.arange(20_000))
    drawn, true = (np.bincount(x * 4 + y, minlength=12) / 20_000 for x, y in ((*levels,), (a, b)))
    assert np.abs(drawn - true).sum() / 2 < 0.02


WIDE = (
    'source = "wide"\n[limit]\nepsilon = 9\ndelta = 1e-6\n'
    '[columns.code]\ntype = "integer"\nlow = 0\nhigh = 299\n'
    '[columns.same]\ntype = "category"\nvalues = ["only"]\n'
    '[columns.gone]\ntype = "date"\nlow = 2000-01-01\nhigh = 2020-12-31\nbins = 20\nmissing = true\n'
    '[columns.tail]\ntype = "decimal"\nplaces = 2\nlow = 0\nhigh = 1e12\n'
    "edges = [1, 10, 100, 1000, 10000, 1e6, 1e9]\nmissing = true\n"
)


def strange(n):
    rng = np.random.default_rng(2)
    return pa.table(
        {
            "code": pa.array(rng.integers(0, 300, n)),
            "same": pa.array(["only"] * n, pa.string()),
            "gone": pa.array([None] * n, pa.date32()),
            "tail": pa.array(np.exp(rng.normal(4, 5, n))),
        }
    )


@pytest.mark.parametrize("n", [0, 1, 3000])
def test_strange_tables_are_fitted(tmp_path, n):
    model = fit(
        order_of(write(strange(n), tmp_path / "r.parquet"), tmp_path, WIDE, epsilon=5.0),
        InsecureNoise(3),
    )
    model.save(tmp_path / "m.zip")
    drawn = run("sample", tmp_path / "m.zip", "--rows", 2000, "--out", tmp_path / "o.parquet")
    assert drawn.exit_code == 0, drawn.output
    table = pq.read_table(tmp_path / "o.parquet")
    assert set(table["same"].to_pylist()) == {"only"}
    if n == 3000:
        assert table["gone"].null_count > 1900
        values = [float(v) for v in table["tail"].to_pylist() if v is not None]
        assert 20 < np.median(values) < 150  # true median e^4 = 55, bins of a power of ten


@pytest.mark.slow
def test_sixty_columns_are_fitted_and_neighbours_stay_alike(tmp_path):
    """Each of 60 columns repeats the one before it in nine rows of ten: 1,770 pairs."""
    rng = np.random.default_rng(4)
    columns = [rng.random(4000) < 0.5]
    for _ in range(59):
        columns.append(np.where(rng.random(4000) < 0.9, columns[-1], ~columns[-1]))
    table = pa.table({f"c{i}": column for i, column in enumerate(columns)})
    text = 'source = "broad"\n[limit]\nepsilon = 50\ndelta = 1e-6\n' + "".join(
        f'[columns.c{i}]\ntype = "boolean"\n' for i in range(60)
    )
    order = order_of(write(table, tmp_path / "r.parquet"), tmp_path, text, epsilon=10.0)
    levels = Sampler(fit(order, InsecureNoise(1)), 4000, 1).levels(np.arange(4000))
    alike = [np.mean(a == b) for a, b in pairwise(levels)]
    assert np.mean(alike) == pytest.approx(0.9, abs=0.05)
    assert np.mean(levels[0] == levels[40]) == pytest.approx(0.5, abs=0.1)


def test_records_without_any_value_are_fitted_where_values_may_be_missing(tmp_path):
    text = TWO.replace("]\n[", "]\nmissing = true\n[")
    text = text + ("" if text.endswith("missing = true\n") else "missing = true\n")
    none = pa.table({"a": pa.array([None] * 500, pa.string()), "b": [None] * 500})
    model = fit(order_of(write(none, tmp_path / "r.parquet"), tmp_path, text), InsecureNoise(1))
    levels = Sampler(model, 500, 1).levels(np.arange(500))
    sizes = [attribute.n_there for attribute in model.schema.attributes]
    assert all(np.mean(level == n) > 0.8 for level, n in zip(levels, sizes, strict=True))


def test_one_column_is_enough(tmp_path):
    text = TWO[: TWO.index("[columns.b]")]
    table = pa.table({"a": ["a0"] * 900 + ["a2"] * 100})
    model = fit(order_of(write(table, tmp_path / "r.parquet"), tmp_path, text), InsecureNoise(1))
    np.testing.assert_allclose(
        (model.class_weights / 2**31) @ (model.shares / 2**31), [0.9, 0, 0.1], atol=0.05
    )


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (["--epsilon", "0"], 2, "epsilon 0.0 must be above 0"),
        (["--epsilon", "nan"], 2, "epsilon nan must be above 0"),
        (["--delta", "0.5"], 2, "delta 0.5 must be above 0 and below 0.001"),
        (["--spec", "/nowhere.toml"], 2, "/nowhere.toml: no such spec file"),
        (["--out", "/nowhere/model.zip"], 2, "/nowhere: no such folder"),
        (["--epsilon", "50"], 5, "is the limit and epsilon 0 of it is spent"),
        (["--ledger", "/proc/nowhere/ledger.sqlite"], 3, "cannot make the folder"),
    ],
)
def test_a_mistake_costs_nothing_and_is_told(survey, change, code, message):
    result = run(*asked(survey, "--insecure-seed", 1), *change)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
    assert not (survey / "ledger.sqlite").exists()


def test_records_that_are_not_there_and_models_that_are_cost_nothing(survey):
    assert run(*asked(survey, "--insecure-seed", 1)).exit_code == 0
    again = run(*asked(survey, "--insecure-seed", 1))
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    (survey / "records.parquet").unlink()
    gone = run(*asked(survey, "--insecure-seed", 1, out="other.zip"))
    assert (gone.exit_code, "no such file" in gone.stderr) == (2, True)
    with sqlite3.connect(survey / "ledger.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM spent").fetchone() == (2,)
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "-1"], "rows -1 must be from 0"),
        (["--rows", "5", "--seed", "-1"], "seed -1 must be from 0"),
        (["--rows", "5", "--shard", "3/2"], "shard '3/2' is not a part such as 3/8"),
        (["--rows", "5", "--where", "job = 'x'"], "has no value 'x'"),
        (["--rows", "5", "--out", "x.json"], "must end in .parquet or .csv"),
    ],
)
def test_a_draw_that_cannot_be_is_told(survey, arguments, message):
    run(*asked(survey, "--insecure-seed", 1))
    out = [] if "--out" in arguments else ["--out", survey / "o.csv"]
    result = run("sample", survey / "model.zip", *arguments, *out)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert not (survey / "o.csv").exists()
