"""Tourism makes sense across datasets, read with SQL over the Parquet files alone."""

from __future__ import annotations

import tomllib

import pytest

from synthetic import statistics
from synthetic.generation.identifiers import is_synthetic
from synthetic.spec.load import packaged
from tests.synthetic.dataset_views import views

pytestmark = pytest.mark.slow

SCALE = "0.005"
CODES = {
    "China": "CN",
    "South Korea": "KR",
    "Taiwan": "TW",
    "United States": "US",
    "Japan": "JP",
    "India": "IN",
    "Russia": "RU",
    "Cambodia": "KH",
    "Malaysia": "MY",
    "Australia": "AU",
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("tourism", tmp_path_factory.mktemp("tourism"), scale=SCALE)


def published(dimension, period=None):
    return {
        row["category"]: float(row["value"])
        for row in statistics.rows("tourism_indicators")
        if row["indicator"] == "international_arrivals"
        and row["dimension"] == dimension
        and period in (None, row["period"])
    }


def test_arrivals_are_the_published_ones_to_the_last_person(con):
    months = published("month")
    assert dict(con.execute("SELECT month, sum(persons) FROM arrivals GROUP BY 1").fetchall()) == (
        months
    )
    found = dict(con.execute("SELECT market, sum(persons) FROM arrivals GROUP BY 1").fetchall())
    markets = {CODES[name]: n for name, n in published("source_market", "2025").items()}
    other = found.pop("other")
    assert found == markets
    assert other == sum(months.values()) - sum(markets.values())


def test_earlier_years_keep_their_published_totals(con):
    years = {
        row["year"]: 1000 * float(row["value"])
        for row in statistics.rows("gso_national_tables_2016")
        if row["table_name"] == "Number of foreign visitors to Vietnam by means of transport"
        and row["category"] == "TOTAL"
    }
    found = con.execute("SELECT year, sum(persons) FROM arrivals_history GROUP BY 1").fetchall()
    assert dict(found) == pytest.approx(years, abs=0.5)


def test_stays_are_the_arrivals_times_the_scale(con):
    for axis in ("month", "market"):
        for _, n, persons in con.execute(
            f"""SELECT {axis}, n, persons FROM
            (SELECT {axis}, count(*) AS n FROM stays GROUP BY 1) JOIN
            (SELECT {axis}, sum(persons) AS persons FROM arrivals GROUP BY 1) USING ({axis})"""
        ).fetchall():
            # Every month and market is rounded down or up; a row of them by a few at most.
            assert abs(n - persons * float(SCALE)) <= 5


def test_means_of_transport_come_near_the_published(con):
    rows = dict(con.execute("SELECT arrived_by, count(*) FROM stays GROUP BY 1").fetchall())
    wanted = published("means_of_transport")
    for means, n in wanted.items():
        share = rows[means] / sum(rows.values())
        assert share == pytest.approx(n / sum(wanted.values()), abs=0.004)


def test_stays_lie_in_their_month_and_province(con):
    assert con.execute(
        """SELECT count(*) FROM stays JOIN lodging USING (lodging_id)
        WHERE strftime(arrived_on, '%Y-%m') <> month OR left_on - arrived_on <> nights
        OR lodging.province_code <> stays.province_code"""
    ).fetchall() == [(0,)]


def test_every_province_has_lodging_and_each_reports_48_months(con):
    assert con.execute("SELECT count(DISTINCT province_code) FROM lodging").fetchall() == [(34,)]
    assert con.execute(
        """SELECT DISTINCT n, months, first::TEXT, last::TEXT FROM (SELECT lodging_id,
        count(*) AS n, count(DISTINCT month) AS months, min(month) AS first, max(month) AS last
        FROM reports GROUP BY 1)"""
    ).fetchall() == [(48, 48, "2022-01-01", "2025-12-01")]


def test_reports_fit_their_lodging(con):
    assert con.execute(
        """SELECT count(*) FROM reports JOIN lodging USING (lodging_id)
        WHERE room_nights_available <> rooms * day(last_day(month))
        OR room_nights_sold > room_nights_available OR reports.province_code <>
        lodging.province_code OR foreign_guests > guests"""
    ).fetchall() == [(0,)]


def test_guests_come_near_the_published_visitors(con):
    """130 million domestic visits expected for 2025, and 21.2 million from abroad."""
    ((guests,),) = con.execute(
        "SELECT sum(guests) FROM reports WHERE year(month) = 2025"
    ).fetchall()
    assert guests / float(SCALE) == pytest.approx(151.2e6, rel=0.2)
    ((ratio,),) = con.execute(
        """SELECT sum(guests) FILTER (year(month) = 2024) / sum(guests) FILTER
        (year(month) = 2025) FROM reports"""
    ).fetchall()
    assert ratio == pytest.approx(110 / 130, abs=0.02)


def test_operators_are_enterprises_of_accommodation_and_food(con):
    assert con.execute(
        """SELECT count(*) FROM lodging LEFT JOIN enterprises USING (tax_code)
        WHERE (lodging.kind IN ('hotel', 'resort')) <> (sector IS NOT NULL AND sector = 'I')"""
    ).fetchall() == [(0,)]


def test_names_are_marked_and_guests_have_none(con):
    names = con.execute("SELECT name FROM lodging").fetchall()
    assert all(is_synthetic("enterprise_name", name) for (name,) in names)
    spec = tomllib.loads(packaged()["tourism"].read_text("utf-8"))
    told = spec["tables"]["stays"]["columns"]
    assert not any(column.get("sensitivity") == "identifier" for column in told.values())
    assert not {"name", "passport", "birth_date", "person_id"} & set(told)


def test_beaches_are_full_in_summer_as_planted(con):
    ratio = dict(
        con.execute(
            """SELECT zone, sum(room_nights_sold) FILTER (month(month) = 7) /
            sum(room_nights_sold) FILTER (month(month) = 12)
            FROM reports JOIN lodging USING (lodging_id) GROUP BY 1"""
        ).fetchall()
    )
    # The months' shocks are the same everywhere and cancel between two zones.
    planted = (152 / 72) / (100 / 106)
    assert ratio["beach"] / ratio["city"] == pytest.approx(planted, rel=0.08)
