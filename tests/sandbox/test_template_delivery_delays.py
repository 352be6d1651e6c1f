"""Late deliveries: the zones are the data's, the claims can fail, wrong values are told."""

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
    return nbformat.read(templates_folder() / "delivery_delays.ipynb", as_version=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.002", None, 1, "exact")
    build(Order(datasets=("logistics",), recipe=recipe, out=home / "replicas"))
    return home


def run(template, home, folder, given=None):
    notebook = with_values(template, given or {})
    return Executed(execute(notebook, Path(folder), SANDBOX_HOME=str(home)))


@pytest.fixture(scope="module")
def default(template, home, tmp_path_factory):
    return run(template, home, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def tested(home):
    """The shipments of the months tested, with the chance of delay that the spec planted."""
    connection = duckdb.connect()
    (folder,) = (home / "replicas" / "logistics").glob("s*")
    return connection.sql(f"""
        SELECT is_late, distance_class::VARCHAR AS distance_class, to_kind::VARCHAR AS to_kind,
            CASE distance_class WHEN 'local' THEN 40 WHEN 'near' THEN 70
                WHEN 'middle' THEN 120 ELSE 180 END
            + CASE to_kind WHEN 'special_zone' THEN 200 WHEN 'commune' THEN 30 ELSE 0 END
            + if(to_wet, 50, 0) + if(tet_rush, 150, 0) + if(service = 'express', 40, 0)
            + if(mode = 'inland_waterway', 30, 0) AS permille
        FROM read_parquet('{folder}/shipments/*.parquet')
        WHERE picked_up_at >= TIMESTAMP '2024-10-01' AND picked_up_at < TIMESTAMP '2024-12-10'
            AND is_late IS NOT NULL
    """).df()


def test_the_late_share_is_the_datas(default, tested):
    (late,) = [r for name, r in default.results.items() if name.startswith("Tỷ lệ giao chậm")]
    assert late["n"] == len(tested)
    assert late["value"] == pytest.approx(100 * tested["is_late"].astype(bool).mean(), abs=0.006)


def test_the_model_comes_near_the_planted_answer(default, tested):
    """Nobody foresees better than one who knows the planted chance; the model comes near."""
    late = tested["is_late"].astype(bool)
    ranks = tested["permille"].rank()
    n, m = int(late.sum()), int((~late).sum())
    best = (ranks[late].sum() - n * (n + 1) / 2) / (n * m)
    found = default.results["AUC ở các tháng kiểm"]["value"]
    assert best - 0.03 < found < best + 0.01


def test_both_conclusions_hold_by_default(default):
    assert list(default.conclusions.values()) == [True, True]


def test_the_chart_is_a_picture(default):
    assert default.cells["chart"].outputs[-1].data["image/png"]


def test_it_says_that_it_teaches_a_method(template):
    text = " ".join(cell.source for cell in template.cells if cell.cell_type == "markdown")
    assert "Giả định" in text
    assert "echoes our assumption" in text


def test_wrong_values_are_told(template, home, tmp_path):
    cells = {cell.id: cell.source for cell in template.cells}
    trial = nbformat.v4.new_notebook()
    wrong = {
        "test_from = 3": "test_from = 3",
        "n_zones = 9": "n_zones = 9",
        'origin = "99"': "origin = '99'",
    }
    for line in wrong:
        source = "\n".join([cells["parameters"], line, cells["setup"]])
        tags = {"tags": ["raises-exception"]}
        trial.cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
    executed = execute(trial, tmp_path, SANDBOX_HOME=str(home))
    for cell, message in zip(executed.cells, wrong.values(), strict=True):
        assert cell.outputs[-1].ename == "ValueError"
        assert message in cell.outputs[-1].evalue


def test_it_takes_less_than_thirty_seconds(default):
    assert default.seconds() < 30
