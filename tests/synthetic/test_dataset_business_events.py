"""Business events make sense across datasets, read with SQL over the Parquet files alone."""

from __future__ import annotations

from fractions import Fraction

import pytest

from synthetic import statistics
from synthetic.generation.identifiers import is_synthetic
from tests.synthetic.dataset_views import none, views

pytestmark = pytest.mark.slow

SCALE = "0.01"
NAMES = {
    "new_registered": "registered",
    "returned_to_operation": "returned",
    "temporarily_suspended": "suspended",
    "stopped_pending_dissolution": "pending_dissolution",
    "dissolved": "dissolved",
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("business_events", tmp_path_factory.mktemp("business_events"), scale=SCALE)


def test_every_published_month_has_its_events_and_no_other_has_any(con):
    wanted = {
        (NAMES[row["indicator"]], row["period"]): Fraction(row["value"]) * Fraction(SCALE)
        for row in statistics.rows("enterprise_indicators")
        if row["indicator"] in NAMES and row["dimension"] == "month"
    }
    rows = con.execute("SELECT event, month, count(*) FROM events GROUP BY ALL").fetchall()
    found = {(event, month): n for event, month, n in rows}
    assert set(found) == set(wanted)
    for cell, value in wanted.items():
        assert abs(found[cell] - value) < 1
    assert abs(sum(found.values()) - sum(wanted.values())) <= 1


def test_events_are_dated_on_working_days_of_their_month(con):
    none(con, "events WHERE strftime(occurred_on, '%Y-%m') <> month OR isodow(occurred_on) > 5")
    none(con, "events WHERE occurred_on = DATE '2025-09-02'")


def test_no_enterprise_has_two_events_so_none_acts_after_its_end(con):
    none(
        con,
        "(SELECT 1 FROM events WHERE tax_code IS NOT NULL GROUP BY tax_code HAVING count(*) > 1)",
    )
    none(con, "events JOIN enterprises USING (tax_code) WHERE occurred_on <= registered_on")
    none(
        con, "events e JOIN enterprises u USING (tax_code) WHERE e.province_code <> u.province_code"
    )
    none(
        con,
        """events WHERE (event = 'returned') <> (suspended_on IS NOT NULL)
        OR suspended_on < DATE '2025-01-01' OR suspended_on >= occurred_on""",
    )


def test_a_closed_enterprise_hires_nobody(con):
    none(
        con,
        """events JOIN employees USING (tax_code)
        WHERE event IN ('dissolved', 'pending_dissolution', 'suspended')
        AND since_year >= year(occurred_on)""",
    )
    none(
        con,
        """events JOIN establishments USING (tax_code)
        WHERE event IN ('dissolved', 'pending_dissolution') AND opened_on >= occurred_on""",
    )


def test_new_codes_meet_no_code_of_the_register(con):
    codes = [
        c
        for (c,) in con.execute(
            "SELECT new_tax_code FROM events WHERE event = 'registered'"
        ).fetchall()
    ]
    assert len(set(codes)) == len(codes) > 900
    assert all(is_synthetic("new_tax_code", code) for code in codes)
    assert not any(is_synthetic("tax_code", code) for code in codes)
    none(con, "events JOIN enterprises ON new_tax_code = enterprises.tax_code")


def test_every_enterprise_has_one_head_office_where_it_is_registered(con):
    none(
        con,
        """enterprises LEFT JOIN (SELECT tax_code, count(*) AS n FROM establishments
        WHERE kind = 'head_office' GROUP BY 1) USING (tax_code) WHERE n IS DISTINCT FROM 1""",
    )
    none(
        con,
        """establishments e JOIN enterprises u USING (tax_code) WHERE kind = 'head_office'
        AND (e.commune_code <> u.commune_code OR opened_on <> registered_on
        OR unit_code <> tax_code)""",
    )


def test_a_dependent_unit_leads_to_its_head_office(con):
    none(
        con,
        """establishments e LEFT JOIN establishments h ON e.head_office_id = h.establishment_id
        WHERE e.kind <> 'head_office' AND (h.kind IS DISTINCT FROM 'head_office'
        OR h.tax_code <> e.tax_code OR e.opened_on < h.opened_on
        OR NOT regexp_full_match(e.unit_code, '[0-9]{10}-[0-9]{3}'))""",
    )
    none(con, "(SELECT 1 FROM establishments GROUP BY unit_code HAVING count(*) > 1)")
    (away,) = con.execute(
        """SELECT avg((located_in <> province_code)::INT) FROM establishments
        WHERE kind <> 'head_office'"""
    ).fetchone()
    assert 0.1 < away < 0.3
