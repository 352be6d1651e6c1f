"""The forecast: its errors are those of a plain query, and it finds what the spec planted."""

from __future__ import annotations

import copy
import re
import tomllib

import duckdb
import nbformat
import numpy as np
import pytest

from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from synthetic.spec.load import packaged
from tests.sandbox.executing import execute
from tests.sandbox.test_template_market_sizing import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template():
    return nbformat.read(templates_folder() / "tourism_forecast.ipynb", as_version=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.005", None, 1, "exact")
    build(Order(datasets=("tourism",), recipe=recipe, out=home / "replicas"))
    return home


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    return {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled")),
    }


@pytest.fixture(scope="module")
def default(template, home, environ, tmp_path_factory):
    timed = copy.deepcopy(template)
    last = nbformat.v4.new_code_cell("import time\n\nprint(time.process_time())", id="seconds")
    timed.cells.append(last)
    return run(timed, tmp_path_factory.mktemp("work"), SANDBOX_HOME=str(home), **environ)


@pytest.fixture(scope="module")
def nights(home):
    """Room nights by month, read without any of our own code."""
    files = f"{home}/replicas/tourism/*/reports/*.parquet"
    rows = duckdb.sql(
        f"SELECT month, sum(room_nights_sold) FROM '{files}' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert len(rows) == 48
    return np.array([float(n) for _, n in rows])


def value(executed, start):
    (found,) = [r["value"] for name, r in executed.results.items() if name.startswith(start)]
    return found


def test_the_naive_error_is_that_of_a_plain_query(default, nights):
    errors = [
        abs(nights[at - 12] / nights[at] - 1)
        for known in range(24, 48)
        for at in range(known, min(known + 6, 48))
    ]
    assert value(default, "Sai số trung bình của cách") == pytest.approx(
        100 * np.mean(errors), abs=0.01
    )


def test_the_model_beats_the_naive_baseline(default):
    model = value(default, "Sai số trung bình của mô hình")
    assert model < 0.6 * value(default, "Sai số trung bình của cách")
    held = list(default.conclusions.values())
    assert held[0] is True


def test_growth_is_the_planted_one(default):
    spec = tomllib.loads(packaged()["tourism"].read_text("utf-8"))
    levels = spec["tables"]["reports"]["columns"]["year_level"]["assume"]["quantiles"]
    years = np.log([levels[str(year)][0] for year in range(2022, 2026)])
    planted = 100 * (np.exp(np.polyfit(range(4), years, 1)[0]) - 1)
    assert value(default, "Giả định tìm lại được") == pytest.approx(planted, abs=2.5)


def test_the_error_is_about_the_planted_shock(default):
    """Nobody can foresee a shock of 4 %: the mean error is neither far below it nor far above."""
    spec = tomllib.loads(packaged()["tourism"].read_text("utf-8"))
    shocks = spec["tables"]["reports"]["columns"]["shock"]["assume"]["quantiles"]
    spread = np.std([low / 10 for key, (low, _) in shocks.items() if key != "*"])
    assert 0.6 * spread < value(default, "Sai số trung bình của mô hình") < 1.8 * spread


def test_intervals_are_checked_on_months_not_used_for_them(default):
    coverage = value(default, "Khoảng 80 % chứa")
    assert 50 <= coverage <= 100
    (holds,) = [h for sentence, h in default.conclusions.items() if "Khoảng 80 %" in sentence]
    assert holds is (coverage >= 70)


def test_the_forecast_lies_in_its_interval_and_the_months_follow(default):
    rows = [[int(re.sub(r"\D", "", cell)) for cell in row] for row in default.table("forecast")]
    months = [row[0] for row in rows]
    assert months == [12026, 22026, 32026, 42026, 52026, 62026]
    assert all(low < middle < high for _, low, middle, high, _ in rows)


def test_the_last_years_column_is_the_datas(default, nights):
    rows = [[int(re.sub(r"\D", "", cell)) for cell in row] for row in default.table("forecast")]
    assert [row[4] for row in rows] == [int(n) for n in nights[36:42]]


def test_arrivals_are_the_published_ones(default):
    assert value(default, "Lệch lớn nhất") == 0


def test_assumed_figures_are_marked(template, default):
    cells = {cell.id: cell.source for cell in template.cells}
    assert "> **Giả định.**" in cells["data-title"]
    assert any(name.startswith("Giả định") for name in default.results)


def test_the_chart_is_a_picture(default):
    (figure,) = default.cells["chart"].outputs
    assert figure.data["image/png"]


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """A machine that others load does not fail it: the kernel's own seconds count."""
    assert float(default.cells["seconds"].outputs[0].text) < 30


def test_one_province_is_named(template, home, environ, tmp_path):
    given = {"province": "79", "horizon": 3, "confidence": 90}
    executed = run(template, tmp_path, given, SANDBOX_HOME=str(home), **environ)
    assert any(name.endswith("Thành phố Hồ Chí Minh") for name in executed.results)
    assert len(executed.table("forecast")) == 3


def test_wrong_values_are_told(template, home, environ, tmp_path):
    wrong = {
        "province = '99': chọn all": {"province": "99"},
        "horizon = 0: cần từ 1 đến 12": {"horizon": 0},
        "horizon = 13": {"horizon": 13},
        "confidence = 99: cần từ 50 đến 90": {"confidence": 99},
    }
    cells = {cell.id: cell.source for cell in template.cells}
    trial = nbformat.v4.new_notebook()
    for given in wrong.values():
        lines = [cells["parameters"], *(f"{k} = {v!r}" for k, v in given.items()), cells["setup"]]
        trial.cells.append(
            nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["raises-exception"]})
        )
    executed = execute(trial, tmp_path, SANDBOX_HOME=str(home), **environ)
    for cell, message in zip(executed.cells, wrong, strict=True):
        assert cell.outputs[-1].ename == "ValueError"
        assert message in cell.outputs[-1].evalue
