"""City sensors make sense across tables, seen from Parquet and SQL alone."""

from __future__ import annotations

import pytest

from tests.synthetic.dataset_views import one, views

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    return views("city_sensors", tmp_path_factory.mktemp("city_sensors"), scale="0.001")


@pytest.mark.parametrize("table", ["air", "traffic", "rain"])
def test_every_station_has_every_hour_of_the_year(sql, table):
    stations = one(sql, f"SELECT count(*) FROM city_sensors.stations WHERE kind = '{table}'")
    rows, pairs, first, last = sql.execute(
        f"SELECT count(*), count(DISTINCT (station_id, measured_at)), "
        f"min(measured_at)::VARCHAR, max(measured_at)::VARCHAR FROM city_sensors.{table}"
    ).fetchone()
    assert rows == pairs == stations * 366 * 24
    assert (first, last) == ("2024-01-01 00:00:00", "2024-12-31 23:00:00")


@pytest.mark.parametrize(
    ("table", "value"), [("air", "pm2_5"), ("traffic", "vehicles"), ("rain", "rain_mm")]
)
def test_faults_of_the_hours_are_those_of_the_day(sql, table, value):
    wrong = f"""
        SELECT count(*) FROM city_sensors.{table} h
        JOIN city_sensors.station_days d USING (station_id, day)
        WHERE h.fault <> CASE WHEN d.fault <> 'none' AND h.hour >= d.fault_from
                AND h.hour < d.fault_from + d.fault_hours THEN d.fault::VARCHAR ELSE 'none' END
           OR (h.fault = 'gap') <> (h.{value} IS NULL)
    """
    assert one(sql, wrong) == 0
    stuck = f"""
        SELECT max(n) FROM (SELECT count(DISTINCT {value}) n FROM city_sensors.{table}
        WHERE fault = 'stuck' GROUP BY station_id, day)
    """
    assert one(sql, stuck) == 1
    for fault in ("gap", "stuck", "spike"):
        assert one(sql, f"SELECT count(*) FROM city_sensors.{table} WHERE fault = '{fault}'") > 0


def test_cheap_sensors_fail_more_often(sql):
    cheap, good = (
        one(
            sql,
            "SELECT avg((fault <> 'none')::INT) FROM city_sensors.station_days "
            f"WHERE sensor_class = '{kind}'",
        )
        for kind in ("low_cost", "reference")
    )
    assert cheap == pytest.approx(0.14, abs=0.02)
    assert good == pytest.approx(0.045, abs=0.01)


def test_stations_stand_beside_an_urban_household(sql):
    assert (
        one(
            sql,
            "SELECT count(*) FROM city_sensors.stations s LEFT JOIN population.households h "
            "ON h.household_id = s.near_household WHERE h.residence IS DISTINCT FROM 'urban' "
            "OR h.commune_code <> s.commune_code",
        )
        == 0
    )


def test_series_have_their_shapes(sql):
    """Rush hours on working days, dust in the northern winter, rain in the southern summer."""
    peak = one(
        sql,
        "SELECT arg_max(hour, v) FROM (SELECT hour, avg(vehicles) v FROM city_sensors.traffic "
        "WHERE fault = 'none' AND isodow(day) < 6 GROUP BY hour)",
    )
    assert peak in (7, 17)
    winter, summer = (
        one(
            sql,
            "SELECT avg(pm2_5) FROM city_sensors.air WHERE fault = 'none' "
            f"AND province_code = '01' AND month(day) IN {months}",
        )
        for months in ("(12, 1)", "(6, 7)")
    )
    assert winter > 1.5 * summer
    wet, dry = (
        one(
            sql,
            f"SELECT sum(rain_mm) FROM city_sensors.city_days WHERE province_code = '79' "
            f"AND month(day) IN {months}",
        )
        for months in ("(6, 7, 8, 9)", "(1, 2, 3, 4)")
    )
    assert wet > 3 * dry
    tet, before = (
        one(
            sql,
            f"SELECT avg(vehicles) FROM city_sensors.traffic WHERE fault = 'none' AND day {days}",
        )
        for days in (
            "BETWEEN DATE '2024-02-08' AND DATE '2024-02-14'",
            "BETWEEN DATE '2024-01-15' AND DATE '2024-01-21'",
        )
    )
    assert tet < 0.8 * before
