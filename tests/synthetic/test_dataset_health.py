"""Health makes sense to an epidemiologist, read with SQL over the Parquet files alone."""

from __future__ import annotations

import pytest

from synthetic import statistics
from synthetic.generation.identifiers import is_synthetic
from tests.synthetic.dataset_views import one, views

pytestmark = pytest.mark.slow

SCALE = "0.002"


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("health", tmp_path_factory.mktemp("health"), scale=SCALE)


def test_every_province_has_the_kinds_that_are_published(con):
    codes = {
        row["former_code"]: row["new_province_code"]
        for row in statistics.rows("admin_provinces_63_former")
    }
    # The labels of these two are interchanged in the published table.
    kinds = {
        "hospital": "hospital",
        "medical service unit": "station",
        "regional polyclinic": "sanatorium",
        "sanatorium and rehabilitation hospital": "polyclinic",
    }
    published = {}
    for row in statistics.rows("health_province_2016"):
        asked = row["indicator"] == "health_establishments_provincial_dept"
        if asked and row["area_level"] == "province" and row["category"] in kinds:
            cell = (codes[row["area_code"]], kinds[row["category"]])
            published[cell] = published.get(cell, 0) + float(row["value"])
    found = {
        (area, kind): n
        for area, kind, n in con.execute(
            "SELECT province_code, kind, count(*) FROM facilities GROUP BY ALL"
        ).fetchall()
    }
    assert set(found) == {cell for cell, n in published.items() if n > 0}
    for cell, n in found.items():
        assert abs(n - published[cell] * float(SCALE)) < 1 or n == 1, cell


def test_patients_and_encounters_belong_to_the_population(con):
    assert (
        one(
            con,
            """
        SELECT count(*) FROM encounters e
        LEFT JOIN patients p USING (patient_id)
        LEFT JOIN persons r ON r.person_id = e.patient_id
        WHERE p.patient_id IS NULL OR r.person_id IS NULL
           OR r.commune_code <> e.commune_code OR r.sex <> e.sex
           OR CAST(e.arrived_at AS DATE) < r.birth_date
           OR e.age <> date_sub('year', r.birth_date, CAST(e.arrived_at AS DATE))
        """,
        )
        == 0
    )
    n_patients = one(con, "SELECT count(*) FROM patients")
    assert one(con, "SELECT count(DISTINCT patient_id) FROM encounters") == n_patients


def test_sex_and_age_fit_the_diagnosis(con):
    wrong = """
        SELECT count(*) FROM encounters WHERE
            ((chapter = 'XV' OR icd10 = 'Z34') AND (sex = 'male' OR age NOT BETWEEN 12 AND 55))
         OR (icd10 IN ('N40', 'C61') AND (sex = 'female' OR age < 40))
         OR (chapter = 'XVI' AND age > 0)
         OR (icd10 IN ('N76', 'N92', 'N95', 'D25', 'D24') AND sex = 'male')
         OR (icd10 IN ('J44', 'H25', 'M81', 'I21', 'G20') AND age < 29)
    """
    assert one(con, wrong) == 0
    for chapter in ("XV", "XVI"):
        assert one(con, f"SELECT count(*) FROM encounters WHERE chapter = '{chapter}'") > 100
    assert one(con, "SELECT count(*) FROM encounters WHERE icd10 = 'N40'") > 50


def test_a_code_lies_in_the_range_of_its_chapter(con):
    ranges = {
        row["chapter"]: row["range"].split("-") for row in statistics.rows("codes_icd10_chapters")
    }
    for chapter, code in con.execute("SELECT DISTINCT chapter, icd10 FROM encounters").fetchall():
        first, last = ranges[chapter]
        assert first <= code <= last, (chapter, code)


def test_nobody_gives_birth_or_loses_the_appendix_twice(con):
    for codes in ("('O80', 'O82')", "('K35')"):
        sql = f"SELECT patient_id FROM encounters WHERE icd10 IN {codes}"
        assert one(con, f"SELECT count(*) - count(DISTINCT patient_id) FROM ({sql})") == 0


def test_deliveries_are_near_the_births_of_the_united_nations(con):
    (births,) = (
        float(row["value"]) * 1000
        for row in statistics.rows("vital_rates_un_wpp2024")
        if row["indicator"] == "births" and row["period"] == "2024"
    )
    found = one(con, "SELECT count(*) FROM encounters WHERE icd10 IN ('O80', 'O82')")
    assert 0.85 < found / (births * float(SCALE)) < 1.05


def share(con, code, areas, months):
    """Return the share of a disease's encounters of some provinces that fall in some months."""
    counted = f"count(*) FILTER (month(arrived_at) IN {months})"
    where = f"icd10 IN {code} AND province_code IN {areas}"
    return one(con, f"SELECT {counted} / count(*) FROM encounters WHERE {where}")


def test_dengue_comes_with_the_rains_and_coughs_with_the_cold(con):
    south, north = "('79', '80', '82', '86', '91', '92', '96')", "('01', '25', '31', '33', '37')"
    assert share(con, "('A97')", south, (6, 7, 8, 9, 10, 11)) > 0.6
    airways = "('J00', 'J02', 'J06', 'J20')"
    winter = (1, 2, 11, 12)
    assert share(con, airways, north, winter) > share(con, airways, south, winter) + 0.05
    per_head = """
        SELECT count(*) FILTER (icd10 = 'A97') / count(*) FROM encounters WHERE province_code IN
    """
    assert one(con, per_head + south) > 2 * one(con, per_head + north)


def test_clinics_are_quiet_on_sundays_and_at_tet_but_wards_are_not(con):
    rates = """
        SELECT count(*) FILTER (dayofweek(arrived_at) = 0) / count(*)
        FROM encounters WHERE setting = '{}'
    """
    assert one(con, rates.format("outpatient")) < 0.05
    assert one(con, rates.format("inpatient")) > 0.11
    tet = """
        SELECT count(*) FILTER (arrived_at >= '2024-02-10' AND arrived_at < '2024-02-13')
            / count(*) FROM encounters WHERE setting = '{}'
    """
    assert one(con, tet.format("outpatient")) < 0.001
    assert one(con, tet.format("inpatient")) > 0.004


def test_inpatients_leave_after_they_came(con):
    assert (
        one(
            con,
            """
        SELECT count(*) FROM encounters
        WHERE (discharged_on IS NOT NULL AND
               (setting <> 'inpatient' OR discharged_on <= CAST(arrived_at AS DATE)))
           OR (setting = 'inpatient' AND discharged_on IS NULL
               AND arrived_at < TIMESTAMP '2024-11-20')
        """,
        )
        == 0
    )


def test_care_is_at_home_unless_referred_and_referrals_go_to_the_centres(con):
    joined = "FROM encounters e JOIN facilities f USING (facility_id)"
    assert one(con, f"SELECT count(*) {joined}") == one(con, "SELECT count(*) FROM encounters")
    away = f"SELECT count(*) {joined} WHERE f.province_code <> e.care_province_code"
    assert one(con, away) == 0
    assert (
        one(con, f"SELECT count(*) {joined} WHERE (f.province_code <> e.province_code) <> referred")
        == 0
    )
    centres = f"SELECT list_sort(list(DISTINCT f.province_code)) {joined} WHERE referred"
    assert set(one(con, centres)) <= {"01", "46", "48", "79", "92"}
    cancer = one(con, "SELECT avg(CAST(referred AS INT)) FROM encounters WHERE chapter = 'II'")
    assert cancer > 5 * one(
        con, "SELECT avg(CAST(referred AS INT)) FROM encounters WHERE chapter = 'X'"
    )


def test_medicines_fit_the_diagnosis_and_the_age(con):
    joined = "FROM prescriptions p JOIN encounters e USING (encounter_id)"
    assert (
        one(
            con,
            f"""
        SELECT count(*) {joined} WHERE
            (drug IN ('B01AC06', 'J01MA02', 'M01AC06', 'C08CA01', 'A10BA02') AND age < 14)
         OR (drug = 'A10BA02' AND icd10 <> 'E11')
         OR (drug LIKE 'L0%' AND chapter <> 'II')
         OR (drug = 'J04AM06' AND icd10 <> 'A15')
         OR (drug = 'G04CA01' AND icd10 <> 'N40')
         OR p.prescribed_on < CAST(arrived_at AS DATE)
        """,
        )
        == 0
    )
    twice = "SELECT 1 FROM prescriptions GROUP BY encounter_id, drug HAVING count(*) > 1"
    assert one(con, f"SELECT count(*) FROM ({twice})") == 0
    first = f"SELECT count(*) FILTER (drug IN ('A10BA02', 'A10BB09')) / count(*) {joined}"
    assert one(con, first + " WHERE icd10 = 'E11' AND line = 0") == 1


def test_names_carry_their_mark(con):
    names = [row[0] for row in con.execute("SELECT name FROM facilities").fetchall()]
    assert all(is_synthetic("enterprise_name", name) for name in names)
    assert len(set(names)) == len(names)
