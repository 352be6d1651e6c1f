"""The forecast: its errors are those of a plain query, and it finds what the spec planted."""

from __future__ import annotations

import re
import tomllib

import duckdb
import numpy as np
import pytest

from synthetic.spec.load import packaged
from tests.sandbox.templates import bench, changed, files_of, home_with, shuffled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with("tourism", "0.005", tmp_path_factory)


@pytest.fixture(scope="module")
def template(home, tmp_path_factory):
    return bench("tourism_forecast", tmp_path_factory, SANDBOX_HOME=str(home))


@pytest.fixture(scope="module")
def default(template, tmp_path_factory):
    return template.run(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def nights(home):
    """Room nights by month, read without any of our own code."""
    files = files_of(home, "tourism", "reports")
    rows = duckdb.sql(
        f"SELECT month, sum(room_nights_sold) FROM '{files}' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert len(rows) == 48
    return np.array([float(n) for _, n in rows])


def test_the_naive_error_is_that_of_a_plain_query(default, nights):
    errors = [
        abs(nights[at - 12] / nights[at] - 1)
        for known in range(24, 48)
        for at in range(known, min(known + 6, 48))
    ]
    assert default.value("Sai số trung bình của cách") == pytest.approx(
        100 * np.mean(errors), abs=0.01
    )


def test_the_model_beats_the_naive_baseline(default):
    model = default.value("Sai số trung bình của mô hình")
    assert model < 0.6 * default.value("Sai số trung bình của cách")
    assert default.holds("Khi thử lại, mô hình sai ít hơn") is True


def test_growth_is_the_planted_one(default):
    spec = tomllib.loads(packaged()["tourism"].read_text("utf-8"))
    levels = spec["tables"]["reports"]["columns"]["year_level"]["assume"]["quantiles"]
    years = np.log([levels[str(year)][0] for year in range(2022, 2026)])
    planted = 100 * (np.exp(np.polyfit(range(4), years, 1)[0]) - 1)
    assert default.value("Giả định tìm lại được") == pytest.approx(planted, abs=2.5)


def test_the_error_is_about_the_planted_shock(default):
    """Nobody can foresee a shock of 4 %: the mean error is neither far below it nor far above."""
    spec = tomllib.loads(packaged()["tourism"].read_text("utf-8"))
    shocks = spec["tables"]["reports"]["columns"]["shock"]["assume"]["quantiles"]
    spread = np.std([low / 10 for key, (low, _) in shocks.items() if key != "*"])
    assert 0.6 * spread < default.value("Sai số trung bình của mô hình") < 1.8 * spread


def test_intervals_are_checked_on_months_not_used_for_them(default):
    coverage = default.value("Khoảng 80 % chứa")
    assert 50 <= coverage <= 100
    assert default.holds("Khoảng 80 %") is (coverage >= 70)


def test_the_forecast_lies_in_its_interval_and_the_months_follow(default):
    rows = [[int(re.sub(r"\D", "", cell)) for cell in row] for row in default.table("forecast")]
    months = [row[0] for row in rows]
    assert months == [12026, 22026, 32026, 42026, 52026, 62026]
    assert all(low < middle < high for _, low, middle, high, _ in rows)


def test_the_last_years_column_is_the_datas(default, nights):
    rows = [[int(re.sub(r"\D", "", cell)) for cell in row] for row in default.table("forecast")]
    assert [row[4] for row in rows] == [int(n) for n in nights[36:42]]


def test_arrivals_are_the_published_ones(default):
    assert default.value("Lệch lớn nhất") == 0


def test_assumed_figures_are_marked(template, default):
    cells = {cell.id: cell.source for cell in template.notebook.cells}
    assert "> **Giả định.**" in cells["data-title"]
    assert any(name.startswith("Giả định") for name in default.results)


def test_the_chart_is_a_picture(default):
    (figure,) = default.cells["chart"].outputs
    assert figure.data["image/png"]


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """Ten of them go to compiling modules, which an installation does once."""
    assert default.cpu_seconds() < 30


def test_one_province_is_named(template, tmp_path):
    executed = template.run(tmp_path, province="79", horizon=3, confidence=90)
    assert any(name.endswith("Thành phố Hồ Chí Minh") for name in executed.results)
    assert len(executed.table("forecast")) == 3


def test_nothing_is_gained_where_nights_have_no_trend_and_no_season(template, home, tmp_path):
    """The planted pattern taken out: every report's nights are dealt to another month."""
    change = shuffled("room_nights_sold")
    other = template.on(changed(home, tmp_path / "home", "tourism", "reports", change))
    executed = other.run(tmp_path)
    assert executed.holds("Khi thử lại, mô hình sai ít hơn") is False
    assert abs(executed.value("Giả định tìm lại được")) < 5


def test_wrong_values_are_told(template, tmp_path):
    wrong = {
        "province = '99': chọn all": {"province": "99"},
        "horizon = 0: cần từ 1 đến 12": {"horizon": 0},
        "horizon = 13": {"horizon": 13},
        "confidence = 99: cần từ 50 đến 90": {"confidence": 99},
    }
    template.check_told(tmp_path, wrong)
