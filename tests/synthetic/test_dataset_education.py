"""Education makes sense to its statistician, read with SQL over the Parquet files alone."""

from __future__ import annotations

import math

import pytest

from synthetic import statistics
from synthetic.generation.identifiers import is_synthetic
from tests.synthetic.dataset_views import one, views

pytestmark = pytest.mark.slow

SCALE = "0.004"


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("education", tmp_path_factory.mktemp("education"), scale=SCALE)


def test_learners_by_level_are_as_near_to_the_published_as_the_population_lets_them(con):
    published = {
        row["category"].split("|")[0]: float(row["value"]) * float(SCALE)
        for row in statistics.rows("education_indicators")
        if row["indicator"] == "learners" and row["category"].endswith("|total")
    }
    found = dict(con.execute("SELECT level, count(*) FROM pupils GROUP BY 1").fetchall())
    gaps = {level: n / published[level] - 1 for level, n in found.items()}
    for level in ("nursery", "kindergarten", "upper_secondary"):
        assert abs(gaps[level]) < 0.06, (level, gaps)
    for level in ("primary", "lower_secondary"):  # the replica has fewer children than pupils
        assert -0.11 < gaps[level] < -0.07, (level, gaps)


def test_pupils_are_children_and_grades_fit_their_ages(con):
    wrong = """
        SELECT count(*) FROM pupils p LEFT JOIN persons r ON r.person_id = p.pupil_id
        WHERE r.person_id IS NULL OR r.commune_code <> p.commune_code OR r.sex <> p.sex
           OR (grade > 0 AND (2024 - year(birth_date) - 5 - grade) NOT BETWEEN 0 AND 2)
           OR (level = 'kindergarten' AND r.age NOT BETWEEN 3 AND 5)
           OR (level = 'nursery' AND r.age NOT BETWEEN 1 AND 2)
    """
    assert one(con, wrong) == 0
    assert one(con, "SELECT count(*) - count(DISTINCT pupil_id) FROM pupils") == 0
    attending = one(
        con,
        """
        SELECT count(pupil_id) / count(*) FROM persons
        LEFT JOIN pupils ON pupil_id = person_id WHERE persons.age BETWEEN 6 AND 10
        """,
    )
    assert attending > 0.99


def test_the_school_teaches_the_level_in_the_pupils_province(con):
    kinds = {
        "nursery": {"preschool"},
        "kindergarten": {"preschool"},
        "primary": {"primary", "primary_lower"},
        "lower_secondary": {"lower_secondary", "primary_lower", "lower_upper"},
        "upper_secondary": {"upper_secondary", "lower_upper"},
    }
    joined = "FROM pupils p JOIN schools s USING (school_id)"
    assert one(con, f"SELECT count(*) {joined}") == one(con, "SELECT count(*) FROM pupils")
    assert one(con, f"SELECT count(*) {joined} WHERE p.province_code <> s.province_code") == 0
    for level, kind in con.execute(f"SELECT DISTINCT level, kind {joined}").fetchall():
        assert kind in kinds[level]


def test_a_school_of_the_pupils_commune_goes_first(con):
    elsewhere = """
        SELECT count(*) FROM pupils p JOIN schools s USING (school_id)
        WHERE level = 'kindergarten' AND s.commune_code <> p.commune_code
          AND p.commune_code IN (SELECT commune_code FROM schools WHERE kind = 'preschool')
    """
    assert one(con, elsewhere) == 0


def test_results_stop_when_a_pupil_leaves(con):
    assert (
        one(
            con,
            """
        SELECT count(*) FROM results r JOIN pupils p USING (pupil_id)
        WHERE left_on <= CASE term WHEN 1 THEN DATE '2025-01-18' ELSE DATE '2025-05-25' END
        """,
        )
        == 0
    )
    stayed = "SELECT count(*) FROM pupils WHERE grade > 0 AND NOT dropped_out"
    both = "SELECT count(*) FROM (SELECT pupil_id FROM results GROUP BY 1 HAVING count(*) = 2)"
    assert one(con, both) >= one(con, stayed) > 0
    assert one(con, "SELECT count(*) FROM results WHERE maths NOT BETWEEN 0 AND 10") == 0
    assert (
        one(con, "SELECT corr(maths, previous_average) FROM results JOIN pupils USING (pupil_id)")
        > 0.6
    )


def test_dropout_follows_the_planted_formula(con):
    """Odds of 3 to 1000, doubled by every point; nothing else matters."""
    points = """
        CASE WHEN previous_average < 5 THEN 2 ELSE 0 END + CASE WHEN distance > 5 THEN 1 ELSE 0 END
        + CASE WHEN years_late >= 1 THEN 2 ELSE 0 END + CASE WHEN grade >= 9 THEN 1 ELSE 0 END
    """
    rows = con.execute(
        f"""
        SELECT {points} AS points, sex, count(*), count(*) FILTER (dropped_out)
        FROM pupils WHERE grade >= 1 GROUP BY ALL
        """
    ).fetchall()
    assert {row[0] for row in rows} >= {0, 1, 2, 3, 4, 5}
    for risk, sex, n, gone in rows:
        odds = 0.003 * 2**risk
        expected = n * odds / (1 + odds)
        assert abs(gone - expected) < 4.5 * math.sqrt(expected) + 1, (risk, sex, n, gone)


def test_names_carry_their_mark(con):
    names = [row[0] for row in con.execute("SELECT name FROM schools").fetchall()]
    assert all(is_synthetic("enterprise_name", name) for name in names)
    assert len(set(names)) == len(names)
