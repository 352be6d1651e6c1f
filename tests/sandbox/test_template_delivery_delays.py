"""Late deliveries: the zones are the data's, the claims can fail, wrong values are told."""

from __future__ import annotations

import duckdb
import pytest

from tests.sandbox.templates import bench, changed, files_of, home_with, shuffled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with("logistics", "0.002", tmp_path_factory)


@pytest.fixture(scope="module")
def template(home, tmp_path_factory):
    return bench("delivery_delays", tmp_path_factory, SANDBOX_HOME=str(home))


@pytest.fixture(scope="module")
def default(template, tmp_path_factory):
    return template.run(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def tested(home):
    """The shipments of the months tested, with the chance of delay that the spec planted."""
    return duckdb.sql(f"""
        SELECT is_late, distance_class::VARCHAR AS distance_class, to_kind::VARCHAR AS to_kind,
            CASE distance_class WHEN 'local' THEN 40 WHEN 'near' THEN 70
                WHEN 'middle' THEN 120 ELSE 180 END
            + CASE to_kind WHEN 'special_zone' THEN 200 WHEN 'commune' THEN 30 ELSE 0 END
            + if(to_wet, 50, 0) + if(tet_rush, 150, 0) + if(service = 'express', 40, 0)
            + if(mode = 'inland_waterway', 30, 0) AS permille
        FROM '{files_of(home, "logistics", "shipments")}'
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
    text = " ".join(cell.source for cell in template.notebook.cells if cell.cell_type == "markdown")
    assert "Giả định" in text
    assert "echoes our assumption" in text


def test_nothing_is_found_where_delays_are_chance_alone(template, home, tmp_path):
    """The planted reasons taken out: every delay is dealt to another shipment."""
    change = shuffled("is_late")
    other = template.on(changed(home, tmp_path / "home", "logistics", "shipments", change))
    executed = other.run(tmp_path)
    assert list(executed.conclusions.values()) == [False, False]
    assert executed.value("AUC") == pytest.approx(0.5, abs=0.03)


def test_wrong_values_are_told(template, tmp_path):
    wrong = {
        "test_from = 3": {"test_from": 3},
        "n_zones = 9": {"n_zones": 9},
        "origin = '99'": {"origin": "99"},
    }
    template.check_told(tmp_path, wrong)


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """Ten of them go to compiling modules, which an installation does once."""
    assert default.cpu_seconds() < 30
