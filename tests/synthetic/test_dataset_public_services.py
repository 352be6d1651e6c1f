"""Public services make sense across tables and datasets, seen from Parquet and SQL alone."""

from __future__ import annotations

import math

import pytest

from tests.synthetic.dataset_views import one, views

pytestmark = pytest.mark.slow

BASE = {
    "land": 110,
    "construction": 80,
    "business": 35,
    "social": 45,
    "insurance": 30,
    "civil": 12,
    "certification": 4,
    "justice": 70,
    "transport": 25,
    "health": 50,
    "education": 30,
    "environment": 90,
    "agriculture": 45,
    "culture": 35,
    "labour": 40,
    "residence": 10,
}


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    return views("public_services", tmp_path_factory.mktemp("public_services"))


def test_dossiers_are_lodged_in_the_commune_of_their_applicant(sql):
    wrong = """
        SELECT count(*) FROM public_services.dossiers d
        LEFT JOIN population.persons p USING (person_id)
        LEFT JOIN enterprise.enterprises e ON e.tax_code = d.tax_code
        WHERE coalesce(p.commune_code, e.commune_code) IS DISTINCT FROM d.commune_code
           OR coalesce(p.province_code, e.province_code) IS DISTINCT FROM d.province_code
           OR p.age < 18
    """
    assert one(sql, wrong) == 0


def test_a_dossier_has_the_term_and_field_of_its_procedure(sql):
    wrong = """
        SELECT count(*) FROM public_services.dossiers d
        LEFT JOIN public_services.procedures p USING (procedure_no)
        WHERE p.statutory_days IS DISTINCT FROM d.statutory_days OR p.field <> d.field
    """
    assert one(sql, wrong) == 0
    assert one(sql, "SELECT count(DISTINCT name) FROM public_services.procedures") == 152


def test_the_load_is_that_of_the_centre(sql):
    assert (
        one(
            sql,
            "SELECT count(*) FROM public_services.dossiers d JOIN public_services.centres c "
            "USING (commune_code) WHERE c.load <> d.centre_load",
        )
        == 0
    )


def test_deadlines_count_working_days(sql):
    """Counted again day by day, without weekends and the Tết holiday."""
    wrong = """
        SELECT count(*) FROM (
            SELECT * FROM public_services.dossiers
            WHERE received_at < TIMESTAMP '2024-06-01' ORDER BY dossier_id LIMIT 8000) d
        WHERE statutory_days <> len(list_filter(
            generate_series(counted_from + 1, due_on, INTERVAL 1 DAY),
            lambda x: isodow(x) < 6 AND x NOT BETWEEN DATE '2024-02-08' AND DATE '2024-02-14'))
    """
    assert one(sql, wrong) == 0
    assert one(sql, "SELECT bool_and(isodow(due_on) < 6) FROM public_services.dossiers")


def test_stages_follow_one_another(sql):
    wrong = """
        SELECT count(*) FROM (
            SELECT entered_at, left_at, step,
                lead(entered_at) OVER w AS next_at, lead(step) OVER w AS next_step
            FROM public_services.stages WINDOW w AS (PARTITION BY dossier_id ORDER BY step))
        WHERE next_step IS NOT NULL AND (next_step <> step + 1 OR left_at <> next_at)
    """
    assert one(sql, wrong) == 0
    assert (
        one(
            sql,
            "SELECT count(*) FROM public_services.stages s JOIN public_services.dossiers d "
            "USING (dossier_id) WHERE stage = 'returned' AND entered_at <> returned_at",
        )
        == 0
    )


def test_delay_is_the_planted_one(sql):
    base = " ".join(f"WHEN '{field}' THEN {permille}" for field, permille in BASE.items())
    cells = sql.execute(f"""
        SELECT
            (CASE field {base} END) * (CASE centre_load WHEN 'high' THEN 220 WHEN 'low' THEN 60
                ELSE 100 END * if(rush, 150, 100) * if(channel = 'online', 80, 100) // 10000)
                // 100 AS permille,
            count(*), count(*) FILTER (is_late)
        FROM public_services.dossiers WHERE received_at < TIMESTAMP '2024-07-01' GROUP BY 1
    """).fetchall()
    assert len(cells) > 20
    for permille, n, late in cells:
        chance = permille / 1000
        assert abs(late - n * chance) < 5 * math.sqrt(n * chance * (1 - chance)) + 1


def test_feedback_is_varied_vietnamese_about_its_own_dossier(sql):
    n, different, marked = sql.execute("""
        SELECT count(*), count(DISTINCT text),
            avg(regexp_matches(text, '[ăâđêôơưạảấầẩậắằẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹáàãéèíìóòõúùý]')::INT)
        FROM public_services.feedback
    """).fetchone()
    assert n > 5000
    assert different > 0.85 * n
    assert marked == 1
    wrong = """
        SELECT count(*) FROM public_services.feedback f
        LEFT JOIN public_services.dossiers d USING (dossier_id)
        WHERE d.returned_at IS NULL OR f.written_on < CAST(d.returned_at AS DATE)
           OR f.field <> d.field OR (f.topic = 'online' AND d.channel <> 'online')
           OR regexp_matches(f.text, '[{}]|  | ,')
    """
    assert one(sql, wrong) == 0
    late, timely = (
        one(
            sql,
            "SELECT avg((sentiment = 'negative')::INT) FROM public_services.feedback f "
            f"JOIN public_services.dossiers d USING (dossier_id) WHERE is_late = {flag}",
        )
        for flag in ("true", "false")
    )
    assert late > 2 * timely


def test_the_online_share_is_the_published_one(sql):
    share, n = sql.execute(
        "SELECT avg((reach = 'end_to_end')::INT), count(*) FROM public_services.dossiers"
    ).fetchone()
    assert share == pytest.approx(0.1694, abs=5 * math.sqrt(0.1694 * 0.8306 / n))
