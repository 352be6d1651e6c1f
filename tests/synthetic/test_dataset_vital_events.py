"""Births, marriages, moves and deaths make sense across datasets, read over Parquet with SQL alone."""

from __future__ import annotations

import pytest

from synthetic import statistics
from synthetic.evaluation.verify import verify
from synthetic.generation.identifiers import is_synthetic
from synthetic.spec.load import load_all
from tests.synthetic.dataset_views import only_row, replicas_of, shown

pytestmark = pytest.mark.slow

SCALE = "0.005"


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    out = tmp_path_factory.mktemp("vital_events")
    return out, replicas_of("vital_events", out, scale=SCALE)


@pytest.fixture(scope="module")
def con(replicas):
    return shown(replicas[0], "vital_events")


def published(table, **where):
    (row,) = (r for r in statistics.rows(table) if all(r[k] == v for k, v in where.items()))
    return float(row["value"])


def test_the_dataset_verifies(replicas):
    for manifest in replicas[1]:
        checks = verify(manifest, load_all(["vital_events"]))
        assert [check for check in checks if not check.ok] == []


def test_everybody_of_age_0_has_one_birth_and_the_number_is_near_the_estimate(con):
    births, infants = only_row(
        con,
        """SELECT count(*), (SELECT count(*) FROM persons WHERE age = 0)
           FROM births JOIN persons ON child_id = person_id AND age = 0""",
    )
    assert births == infants
    estimate = published("vital_rates_un_wpp2024", indicator="births", period="2024")
    assert births / float(SCALE) == pytest.approx(1000 * estimate, rel=0.04)


def test_parents_are_the_couple_of_the_household_and_their_ages_fit(con):
    assert only_row(
        con,
        """SELECT count(*) FROM births b JOIN persons m ON m.person_id = b.mother_id
           JOIN persons f ON f.person_id = b.father_id
           WHERE m.household_id <> f.household_id OR m.sex <> 'female' OR f.sex <> 'male'
              OR m.birth_date + INTERVAL 13 YEAR > b.born_on
              OR m.age - b.mother_age NOT IN (0, 1)
              OR (m.relation, f.relation) NOT IN (('spouse', 'head'), ('child_in_law', 'child'))""",
    ) == (0,)
    known, n = only_row(con, "SELECT count(mother_id), count(*) FROM births")
    assert known > 0.99 * n


def test_mothers_are_as_far_from_published_fertility_as_the_description_says(con):
    women = {
        row["age_group"]: float(row["population"])
        for row in statistics.rows("population_age_sex_national_projection")
        if row["year"] == "2024" and row["sex"] == "female"
    }
    births = {
        row["age_group"]: float(row["value"]) * women[row["age_group"]]
        for row in statistics.rows("vital_rates_un_wpp2024")
        if row["indicator"] == "fertility_age_share" and row["period"] == "2024"
    }
    found = dict(
        con.execute(
            """SELECT format('{}-{}', mother_age // 5 * 5, mother_age // 5 * 5 + 4), count(*)
               FROM births WHERE mother_age IS NOT NULL GROUP BY 1"""
        ).fetchall()
    )
    n, total = sum(found.values()), sum(births.values())
    distance = sum(abs(found.get(age, 0) / n - births[age] / total) for age in births) / 2
    assert 0.14 < distance < 0.20


def test_couples_are_married_persons_of_one_household_and_marry_once(con):
    assert only_row(
        con,
        """SELECT count(*) FROM marriages c JOIN persons w ON w.person_id = wife_id
           JOIN persons h ON h.person_id = husband_id
           WHERE w.household_id <> h.household_id OR w.marital_status <> 'married'
              OR h.marital_status <> 'married' OR w.birth_date + INTERVAL 18 YEAR > married_on
              OR h.birth_date + INTERVAL 20 YEAR > married_on""",
    ) == (0,)
    rate, wives, husbands, n = only_row(
        con,
        """SELECT 1000 * count(*) / (SELECT count(*) FROM persons), count(DISTINCT wife_id),
                  count(DISTINCT husband_id), count(*) FROM marriages""",
    )
    assert wives == husbands == n
    assert rate == pytest.approx(6, abs=0.5)


def test_ages_at_marriage_are_between_the_published_regions(con):
    """Women: 22.2 in the northern mountains to 27.3 in the south-east; men: 26.7 to 30.7."""
    wife, husband = only_row(
        con,
        """SELECT avg(wife_age + 0.5) FILTER (wife_order = 'first'), avg(husband_age + 0.5)
           FROM marriages""",
    )
    assert 22.2 < wife < 27.3
    assert 26.7 < husband < 30.7


def test_marriages_avoid_tet_and_the_seventh_lunar_month(con):
    tet, august, december = only_row(
        con,
        """SELECT count(*) FILTER (married_on BETWEEN '2024-02-10' AND '2024-02-12'),
                  count(*) FILTER (month(married_on) = 8), count(*) FILTER (month(married_on) = 12)
           FROM marriages""",
    )
    assert tet < 10
    assert december > 2 * august


def test_arrivals_and_departures_are_the_published_rates(con):
    """In all, and for Hà Nội, which no merger has changed."""
    rates = {
        row["area_code"]: float(row["value"])
        for row in statistics.rows("social_province_2016")
        if row["indicator"] == "migration_rate" and row["category"] == "in-migration rate"
    }
    people = {
        row["former_code"]: float(row["population_thousand"])
        for row in statistics.rows("population_province_63")
        if row["year"] == "2024"
    }
    expected = {code: rates[code] * n * float(SCALE) for code, n in people.items()}
    (all_of_them,) = only_row(con, "SELECT count(*) FROM moves")
    assert all_of_them == pytest.approx(sum(expected.values()), abs=1)
    (hanoi,) = only_row(con, "SELECT count(*) FROM moves WHERE province_code = '01'")
    assert hanoi == pytest.approx(expected["01"], abs=1)


def test_communes_of_origin_lie_in_the_province_of_origin(con):
    con.execute("CREATE OR REPLACE TABLE communes (commune VARCHAR, province VARCHAR)")
    rows = [(r["commune_code"], r["province_code"]) for r in statistics.rows("admin_communes")]
    con.executemany("INSERT INTO communes VALUES (?, ?)", rows)
    matched, same, n = only_row(
        con,
        """SELECT count(*) FILTER (province = from_province_code),
                  count(*) FILTER (from_commune_code = commune_code), count(*)
           FROM moves LEFT JOIN communes ON commune = from_commune_code""",
    )
    assert matched == n
    assert same < n / 200


def test_movers_live_at_the_destination_and_most_are_young(con):
    young, wrong, n = only_row(
        con,
        """SELECT count(*) FILTER (age BETWEEN 15 AND 34),
                  count(*) FILTER (m.commune_code <> p.commune_code OR moved_on < birth_date),
                  count(*) FROM moves m JOIN persons p USING (person_id)""",
    )
    assert wrong == 0
    assert young / n == pytest.approx(0.68, abs=0.04)


def test_students_move_in_autumn_and_workers_after_tet(con):
    months = dict(
        con.execute(
            "SELECT reason, mode(month(moved_on)) FROM moves WHERE reason IN ('study', 'work') "
            "GROUP BY 1"
        ).fetchall()
    )
    assert months["study"] == 9
    assert months["work"] in (2, 3)


def test_deaths_follow_the_estimate_in_number_and_in_expected_sex_and_age(con):
    n, men, old, infants = only_row(
        con,
        """SELECT count(*), count(*) FILTER (sex = 'male'), count(*) FILTER (age >= 60),
                  count(*) FILTER (age = 0) FROM deaths""",
    )
    estimate = published("vital_rates_un_wpp2024", indicator="deaths", period="2024")
    assert n == pytest.approx(1000 * estimate * float(SCALE), abs=1)
    assert 0.55 < men / n < 0.65
    assert old > 0.6 * n
    assert 0.02 < infants / n < 0.05


def test_nobody_who_died_is_a_person_of_the_replica(con):
    assert only_row(con, "SELECT count(*) FROM deaths JOIN persons ON deceased_id = person_id") == (
        0,
    )
    numbers = [row[0] for row in con.execute("SELECT deceased_id FROM deaths").fetchall()]
    assert len(set(numbers)) == len(numbers)
    assert all(is_synthetic("deceased_number", number) for number in numbers)
    assert not any(is_synthetic("personal_number", number) for number in numbers)


def test_the_household_of_a_death_stands_where_the_death_does(con):
    assert only_row(
        con,
        """SELECT count(*) FROM deaths d JOIN households h USING (household_id)
           WHERE d.commune_code = h.commune_code AND d.residence = h.residence AND size <= 7""",
    ) == only_row(con, "SELECT count(*) FROM deaths")


@pytest.mark.parametrize(
    ("table", "event", "term", "late"),
    [
        ("births", "born_on", 60, 1 / 6),
        ("moves", "moved_on", 30, 1 / 6),
        ("deaths", "died_on", 15, 1 / 3),
    ],
)
def test_most_register_in_time_and_nobody_before_the_event(con, table, event, term, late):
    early, beyond, n = only_row(
        con,
        f"""SELECT count(*) FILTER (registered_on < {event}),
                   count(*) FILTER (registered_on > {event} + {term}),
                   count(registered_on) FROM {table}""",
    )
    assert early == 0
    assert 0 < beyond / n < late
