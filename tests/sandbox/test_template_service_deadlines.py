"""Service deadlines: the survival estimate is the data's and meets the planted answer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import nbformat
import pytest

from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute
from tests.sandbox.test_template_market_sizing import Executed, with_values

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template():
    return nbformat.read(templates_folder() / "service_deadlines.ipynb", as_version=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.003", None, 1, "exact")
    build(Order(datasets=("public_services",), recipe=recipe, out=home / "replicas"))
    return home


def run(template, home, folder, given=None):
    notebook = with_values(template, given or {})
    return Executed(execute(notebook, Path(folder), SANDBOX_HOME=str(home)))


@pytest.fixture(scope="module")
def default(template, home, tmp_path_factory):
    return run(template, home, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def dossiers(home):
    (folder,) = (home / "replicas" / "public_services").glob("s*")
    return duckdb.sql(f"""
        SELECT returned_at IS NOT NULL AS returned,
            date_diff('day', due_on, coalesce(returned_at::DATE, DATE '2024-12-31')) AS past_due,
            110 * (CASE centre_load WHEN 'high' THEN 220 WHEN 'low' THEN 60 ELSE 100 END
                * if(rush, 150, 100) * if(channel = 'online', 80, 100) // 10000) // 100 AS permille
        FROM read_parquet('{folder}/dossiers/*.parquet') WHERE field = 'land'
    """).df()


def test_the_estimate_is_kaplan_and_meiers(default, dossiers):
    """Written again the plain way, one day after another."""
    open_share = 1.0
    for day in sorted(set(dossiers["past_due"])):
        if day > 0:
            break
        risk = dossiers[dossiers["past_due"] >= day]
        done = risk[(risk["past_due"] == day) & risk["returned"]]
        open_share *= 1 - len(done) / len(risk)
    found = default.results["Quá hạn, tính cả hồ sơ mở"]
    assert found["n"] == len(dossiers)
    assert found["value"] == pytest.approx(100 * open_share, abs=0.006)


def test_the_estimate_meets_the_planted_answer(default, dossiers):
    planted = dossiers["permille"].mean() / 10
    spread = 100 * (planted / 100 * (1 - planted / 100) / len(dossiers)) ** 0.5
    found = default.results["Quá hạn, tính cả hồ sơ mở"]["value"]
    assert found == pytest.approx(planted, abs=4 * spread)


def test_dropping_open_dossiers_is_told_apart(default, dossiers):
    closed = dossiers[dossiers["returned"]]
    found = default.results["Quá hạn nếu bỏ hồ sơ mở"]
    assert found["n"] == len(closed)
    assert found["value"] == pytest.approx(100 * (closed["past_due"] > 0).mean(), abs=0.006)


def test_conclusions_hold_by_default_and_stand_for_another_group(template, home, default, tmp_path):
    assert list(default.conclusions.values()) == [True, True]
    other = run(template, home, tmp_path, {"field": "residence", "by": "rush"})
    assert len(other.conclusions) == 2


def test_the_chart_is_a_picture(default):
    assert default.cells["chart"].outputs[-1].data["image/png"]


def test_wrong_values_are_told(template, home, tmp_path):
    cells = {cell.id: cell.source for cell in template.cells}
    trial = nbformat.v4.new_notebook()
    wrong = {'by = "sex"': "by = 'sex'", "days = 1": "days = 1", 'field = "sea"': "field = 'sea'"}
    for line in wrong:
        source = "\n".join([cells["parameters"], line, cells["setup"], cells["data"]])
        tags = {"tags": ["raises-exception"]}
        trial.cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
    executed = execute(trial, tmp_path, SANDBOX_HOME=str(home))
    for cell, message in zip(executed.cells, wrong.values(), strict=True):
        assert cell.outputs[-1].ename == "ValueError"
        assert message in cell.outputs[-1].evalue


def test_it_takes_less_than_thirty_seconds(default):
    assert default.seconds() < 30
