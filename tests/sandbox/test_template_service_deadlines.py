"""Service deadlines: the survival estimate is the data's and meets the planted answer."""

from __future__ import annotations

import duckdb
import pyarrow.compute as pc
import pytest

from tests.sandbox.templates import bench, changed, files_of, home_with, shuffled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with("public_services", "0.003", tmp_path_factory)


@pytest.fixture(scope="module")
def template(home, tmp_path_factory):
    return bench("service_deadlines", tmp_path_factory, SANDBOX_HOME=str(home))


@pytest.fixture(scope="module")
def default(template, tmp_path_factory):
    return template.run(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def dossiers(home):
    return duckdb.sql(f"""
        SELECT returned_at IS NOT NULL AS returned,
            date_diff('day', due_on, coalesce(returned_at::DATE, DATE '2024-12-31')) AS past_due,
            110 * (CASE centre_load WHEN 'high' THEN 220 WHEN 'low' THEN 60 ELSE 100 END
                * if(rush, 150, 100) * if(channel = 'online', 80, 100) // 10000) // 100 AS permille
        FROM '{files_of(home, "public_services", "dossiers")}' WHERE field = 'land'
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


def test_conclusions_hold_by_default_and_stand_for_another_group(template, default, tmp_path):
    assert list(default.conclusions.values()) == [True, True]
    other = template.run(tmp_path, field="residence", by="rush")
    assert len(other.conclusions) == 2


def test_the_chart_is_a_picture(default):
    assert default.cells["chart"].outputs[-1].data["image/png"]


def test_load_slows_nothing_where_it_is_dealt_by_chance(template, home, tmp_path):
    """The planted reason taken out: every dossier has the load of another one's centre."""
    change = shuffled("centre_load")
    other = template.on(changed(home, tmp_path / "home", "public_services", "dossiers", change))
    executed = other.run(tmp_path)
    assert executed.holds("Trong bản sao, nhóm tải cao trả chậm hơn") is False
    assert abs(executed.value("Quá hạn của nhóm tải cao")) < 4


def test_dropping_open_dossiers_changes_nothing_where_none_is_open(template, home, tmp_path):
    def closed(rows):
        return rows.filter(pc.is_valid(rows["returned_at"]))

    other = template.on(changed(home, tmp_path / "home", "public_services", "dossiers", closed))
    assert other.run(tmp_path).holds("Trong bản sao, bỏ hồ sơ mở") is False


def test_wrong_values_are_told(template, tmp_path):
    wrong = {
        "by = 'sex'": {"by": "sex"},
        "days = 1": {"days": 1},
        "field = 'sea'": {"field": "sea"},
    }
    template.check_told(tmp_path, wrong, "data")


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """Ten of them go to compiling modules, which an installation does once."""
    assert default.cpu_seconds() < 30
