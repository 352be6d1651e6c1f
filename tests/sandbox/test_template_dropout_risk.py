"""Dropout risk: the planted answer is found, and nothing that was not planted."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute

pytestmark = pytest.mark.slow

PLANTED = {
    "Last year's average below 5.0": 4,
    "More than 5 km to school": 2,
    "A year or more late": 4,
    "Grade 9 or above": 2,
    "Girl": 1,
    "Rural": 1,
    "Non-public school": 1,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.005", None, 1, "exact")
    build(Order(datasets=("education",), recipe=recipe, out=home / "replicas"))
    return home


@pytest.fixture(scope="module")
def run(home, tmp_path_factory):
    template = nbformat.read(templates_folder() / "dropout_risk.ipynb", as_version=4)

    def do(**given):
        notebook = copy.deepcopy(template)
        place = [cell.id for cell in notebook.cells].index("parameters") + 1
        lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
        notebook.cells.insert(place, nbformat.v4.new_code_cell(lines, id="injected"))
        done = execute(notebook, Path(tmp_path_factory.mktemp("work")), SANDBOX_HOME=str(home))
        outputs = [o.data for c in done.cells for o in c.get("outputs", []) if "data" in o]
        results = {d[RESULT]["name"]["en"]: d[RESULT] for d in outputs if RESULT in d}
        held = {
            d[CONCLUSION]["statement"]["en"]: d[CONCLUSION]["holds"]
            for d in outputs
            if CONCLUSION in d
        }
        return results, held

    return do


@pytest.fixture(scope="module")
def default(run):
    return run()


def test_the_planted_odds_are_found(default):
    results, held = default
    for name, odds in PLANTED.items():
        found = results[f"{name}: multiplies the odds of dropout"]
        # The log of a ratio of odds errs by about 1 / sqrt(dropouts that have the factor).
        error = 1.3 / math.sqrt(max(found["n"], 1))
        assert abs(math.log(found["value"] / odds)) < 3.5 * error, (name, found)
    assert held["Last year's average below 5.0 raises the risk (interval above 1)"]
    assert held["A year or more late raises the risk (interval above 1)"]


def test_the_rate_is_the_datas(default, home):
    results, _ = default
    files = f"{home}/replicas/education/*/pupils/*.parquet"
    n, gone = duckdb.sql(
        f"SELECT count(*), count(*) FILTER (dropped_out) FROM '{files}' WHERE grade >= 2"
    ).fetchall()[0]
    rate = results["Dropout rate (assumed)"]
    assert (rate["value"], rate["n"]) == (pytest.approx(100 * gone / n, abs=0.006), gone)


def test_the_model_is_better_than_chance_and_no_better_than_its_formula(default):
    results, held = default
    assert 0.65 < results["AUC on unseen pupils"]["value"] < 0.85
    assert held["Visiting by the model catches at least twice as many as at random"]


def test_a_conclusion_can_fail(run):
    """Who may visit half of all pupils catches no twice as many as chance would."""
    _, held = run(visit_share=0.5, level="upper_secondary")
    assert held["Visiting by the model catches at least twice as many as at random"] is False
    assert "Grade 9 or above raises the risk (interval above 1)" not in held


def test_a_wrong_value_is_told(run):
    with pytest.raises(CellExecutionError, match="level = 'university'"):
        run(level="university")
