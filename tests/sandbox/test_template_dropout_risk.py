"""Dropout risk: the planted answer is found, and nothing that was not planted."""

from __future__ import annotations

import math

import duckdb
import pytest

from tests.sandbox.templates import bench, changed, files_of, home_with

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
    return home_with("education", "0.005", tmp_path_factory)


@pytest.fixture(scope="module")
def template(home, tmp_path_factory):
    return bench("dropout_risk", tmp_path_factory, SANDBOX_HOME=str(home))


@pytest.fixture(scope="module")
def default(template, tmp_path_factory):
    return template.run(tmp_path_factory.mktemp("work"))


def test_the_planted_odds_are_found(default):
    results, held = default.results_en, default.conclusions_en
    for name, odds in PLANTED.items():
        found = results[f"{name}: multiplies the odds of dropout"]
        # The log of a ratio of odds errs by about 1 / sqrt(dropouts that have the factor).
        error = 1.3 / math.sqrt(max(found["n"], 1))
        assert abs(math.log(found["value"] / odds)) < 3.5 * error, (name, found)
    assert held["Last year's average below 5.0 raises the risk (interval above 1)"]
    assert held["A year or more late raises the risk (interval above 1)"]


def test_the_rate_is_the_datas(default, home):
    results = default.results_en
    files = files_of(home, "education", "pupils")
    n, gone = duckdb.sql(
        f"SELECT count(*), count(*) FILTER (dropped_out) FROM '{files}' WHERE grade >= 2"
    ).fetchall()[0]
    rate = results["Dropout rate (assumed)"]
    assert (rate["value"], rate["n"]) == (pytest.approx(100 * gone / n, abs=0.006), gone)


def test_the_model_is_better_than_chance_and_no_better_than_its_formula(default):
    results, held = default.results_en, default.conclusions_en
    assert 0.65 < results["AUC on unseen pupils"]["value"] < 0.85
    assert held["Visiting by the model catches at least twice as many as at random"]


def test_a_conclusion_can_fail(template, tmp_path):
    """Who may visit half of all pupils catches no twice as many as chance would."""
    held = template.run(tmp_path, visit_share=0.5, level="upper_secondary").conclusions_en
    assert held["Visiting by the model catches at least twice as many as at random"] is False
    assert "Grade 9 or above raises the risk (interval above 1)" not in held


def test_nothing_is_found_where_pupils_leave_by_chance(template, home, tmp_path):
    """The formula taken out: every outcome is dealt to another pupil of grade 2 or above."""

    def change(rows):
        table = rows.to_pandas()
        asked = table.index[table["grade"] >= 2]
        left = table.loc[asked, "dropped_out"].sample(frac=1, random_state=1).to_numpy()
        table.loc[asked, "dropped_out"] = left
        at = rows.column_names.index("dropped_out")
        return rows.set_column(at, rows.schema.field(at), [table["dropped_out"].to_list()])

    other = template.on(changed(home, tmp_path / "home", "education", "pupils", change))
    executed = other.run(tmp_path)
    assert not any(executed.conclusions.values())
    assert executed.value("AUC") == pytest.approx(0.5, abs=0.06)


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """Ten of them go to compiling modules, which an installation does once."""
    assert default.cpu_seconds() < 30


def test_wrong_values_are_told(template, tmp_path):
    template.check_told(tmp_path, {"level = 'university'": {"level": "university"}})
