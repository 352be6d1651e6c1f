"""Insurance makes sense across datasets, read with SQL over the Parquet files alone."""

from __future__ import annotations

import pytest

from synthetic import statistics
from synthetic.evaluation.verify import verify
from synthetic.generation.identifiers import is_synthetic
from synthetic.spec.load import load_all
from tests.synthetic.dataset_views import only_row, replicas_of, shown

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    out = tmp_path_factory.mktemp("insurance")
    return out, replicas_of("insurance", out)


@pytest.fixture(scope="module")
def con(replicas):
    return shown(replicas[0], "insurance")


def test_the_dataset_verifies(replicas):
    for manifest in replicas[1]:
        checks = verify(manifest, load_all(["insurance"]))
        assert [check for check in checks if not check.ok] == []


def test_the_published_share_of_people_has_a_card_and_nobody_two(con):
    (row,) = (
        row
        for row in statistics.rows("health_indicators")
        if row["indicator"] == "health_insurance_coverage"
    )
    cards, holders, persons = only_row(
        con,
        """SELECT count(*), count(DISTINCT person_id), (SELECT count(*) FROM persons)
           FROM health_cards""",
    )
    assert cards == holders
    assert 100 * cards / persons == pytest.approx(float(row["value"]), abs=0.25)


def test_all_children_and_the_oldest_have_a_card(con):
    assert only_row(
        con,
        """SELECT count(*) FROM persons ANTI JOIN health_cards USING (person_id)
           WHERE age < 6 OR age >= 80""",
    ) == (0,)


def test_categories_fit_age_sex_and_ethnic_group(con):
    assert only_row(
        con,
        """SELECT count(*) FROM health_cards JOIN persons USING (person_id) WHERE NOT CASE category
             WHEN 'child' THEN age < 6
             WHEN 'pupil' THEN age BETWEEN 6 AND 17
             WHEN 'student' THEN age BETWEEN 18 AND 22
             WHEN 'pensioner' THEN age >= if(sex = 'female', 55, 60)
             WHEN 'elder' THEN age >= 80
             WHEN 'minority' THEN ethnic_group NOT IN ('Kinh', 'Hoa') AND residence = 'rural'
             WHEN 'employee' THEN age BETWEEN 18 AND 60
             ELSE age >= 18 END""",
    ) == (0,)


def test_card_numbers_are_marked_distinct_and_tell_level_and_province(con):
    rows = con.execute(
        "SELECT card_number, benefit_level, province_code FROM health_cards USING SAMPLE 5000 ROWS"
    ).fetchall()
    assert all(is_synthetic("health_card", number) for number, _, _ in rows)
    assert all(number[2:5] == f"{level}{area}" for number, level, area in rows)
    assert only_row(con, "SELECT count(*) - count(DISTINCT card_number) FROM health_cards") == (0,)


def test_an_employees_card_names_the_employer_and_other_cards_none(con):
    assert only_row(
        con,
        """SELECT count(*) FROM health_cards c LEFT JOIN employees e USING (person_id)
           WHERE (c.tax_code IS DISTINCT FROM e.tax_code)
              OR (c.category = 'employee') <> (e.tax_code IS NOT NULL)""",
    ) == (0,)


def test_the_compulsorily_insured_are_the_employees_with_a_card(con):
    assert only_row(
        con,
        """SELECT count(*) FROM (FROM employees SEMI JOIN health_cards USING (person_id)) e
           FULL JOIN (FROM participants WHERE kind = 'compulsory') p
             ON p.person_id = e.person_id AND p.tax_code = e.tax_code
           WHERE e.person_id IS NULL OR p.person_id IS NULL""",
    ) == (0,)


def test_nobody_is_insured_voluntarily_who_has_an_employer(con):
    assert only_row(
        con,
        """SELECT count(*) FROM participants SEMI JOIN employees USING (person_id)
           WHERE kind = 'voluntary'""",
    ) == (0,)
    rural, urban = only_row(
        con,
        """SELECT avg((v.person_id IS NOT NULL)::INT) FILTER (residence = 'rural'),
                  avg((v.person_id IS NOT NULL)::INT) FILTER (residence = 'urban')
           FROM health_cards c JOIN persons p USING (person_id)
           LEFT JOIN (FROM participants WHERE kind = 'voluntary') v USING (person_id)
           WHERE age BETWEEN 18 AND 59 AND category IN ('household', 'minority')""",
    )
    assert rural == pytest.approx(0.06, abs=0.006)
    assert urban == pytest.approx(0.04, abs=0.006)


def test_nobody_is_insured_before_being_hired_or_before_the_firm_exists(con):
    assert only_row(
        con,
        """SELECT count(*) FROM participants p JOIN employees e USING (person_id)
           JOIN enterprises f ON f.tax_code = p.tax_code
           WHERE year(insured_since) <> since_year OR year(insured_since) < year(registered_on)""",
    ) == (0,)


def test_contributions_cover_every_month_since_joining_and_no_other(con):
    assert only_row(
        con,
        """SELECT count(*) FROM participants p LEFT JOIN (
             SELECT person_id, count(*) n, min(month) first, max(month) last, count(DISTINCT month) d
             FROM contributions GROUP BY 1) USING (person_id)
           WHERE n IS DISTINCT FROM months_2024 OR d <> n OR last <> 12
              OR make_date(2024, first, 1)
                 <> greatest(insured_since, DATE '2024-01-01')""",
    ) == (0,)


def test_rates_of_the_law_hold_in_every_row(con):
    assert only_row(
        con,
        """SELECT count(*) FROM contributions WHERE NOT CASE WHEN tax_code IS NOT NULL
             THEN employer_vnd * 1000 = base_vnd * 215 AND employee_vnd * 1000 = base_vnd * 105
              AND social_vnd * 1000 = base_vnd * 255 AND state_vnd = 0
             ELSE social_vnd * 100 = base_vnd * 22 AND state_vnd = 33000
              AND employee_vnd = social_vnd - state_vnd AND employer_vnd = 0 END""",
    ) == (0,)


def test_pay_rises_in_july_and_never_falls_in_the_year(con):
    falls, raised, n = only_row(
        con,
        """SELECT count(*) FILTER (h2 < h1), count(*) FILTER (h2 > h1), count(*) FROM (
             SELECT person_id, max(base_vnd) FILTER (month < 7) h1, max(base_vnd) FILTER (month > 6) h2
             FROM contributions WHERE tax_code IS NOT NULL GROUP BY 1 HAVING h1 NOT NULL)""",
    )
    assert falls == 0
    assert raised / n == pytest.approx(0.55, abs=0.02)


def test_unpaid_months_are_recent_ones_alone(con):
    late, (oldest,) = (
        only_row(con, "SELECT avg(is_late::INT) FROM contributions")[0],
        only_row(con, "SELECT min(month) FROM contributions WHERE paid_on IS NULL"),
    )
    assert 0.05 < late < 0.11
    assert oldest >= 9
    assert only_row(
        con,
        """SELECT count(*) FROM contributions
           WHERE is_late <> (coalesce(paid_on, DATE '2025-06-01')
                             > last_day(make_date(2024, month, 1)))
             AND NOT (paid_on IS NULL AND month = 12)""",
    ) == (0,)
