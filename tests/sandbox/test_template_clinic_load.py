"""Clinic load: counts are the data's, small ones are hidden, and no false alarm is raised."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.sandbox.templates import bench, changed, files_of, home_with

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with("health", "0.003", tmp_path_factory)


@pytest.fixture(scope="module")
def con(home):
    connection = duckdb.connect()
    for dataset, table in (("population", "persons"), ("health", "encounters")):
        files = files_of(home, dataset, table)
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{files}'")
    return connection


@pytest.fixture(scope="module")
def template(home, tmp_path_factory):
    return bench("clinic_load", tmp_path_factory, SANDBOX_HOME=str(home))


def observed(con, disease, province):
    """Count patients by commune of residence, the plain way."""
    return dict(
        con.execute(
            """
            SELECT commune_code, count(DISTINCT patient_id) FROM encounters
            WHERE province_code = ? AND (? = 'all' OR icd10 = ?) GROUP BY 1
            """,
            [province, disease, disease],
        ).fetchall()
    )


def test_the_count_and_the_suppression_are_the_datas(template, con, tmp_path):
    executed = template.run(tmp_path, disease="J18", province="01", threshold=6, top=50)
    results, held = executed.results_en, executed.conclusions_en
    counts = observed(con, "J18", "01")
    assert results["Patients with disease J18 in 2024"]["value"] == sum(counts.values())
    small = [n for n in counts.values() if n < 6]
    assert small
    hidden = results["Places suppressed"]["value"]
    assert hidden >= max(len(small), 2)
    assert all(held[sentence] for sentence in held if sentence.startswith("No count"))
    text = executed.cells["suppressed"].outputs[-1].data["text/plain"]
    printed = [line.split() for line in text.splitlines()[1:]]
    assert printed
    assert all(int(words[-3].replace(".", "")) >= 6 for words in printed)
    at_least = sorted(n for n in counts.values() if n >= 6)
    assert len(printed) <= len(at_least)


def test_one_hidden_cell_never_stands_alone(template, con, tmp_path):
    """With a threshold that only the smallest count misses, a second place is hidden."""
    counts = sorted(observed(con, "all", "79").values())
    threshold = counts[0] + 1
    assert 2 <= threshold <= 50
    assert counts[1] >= threshold
    executed = template.run(tmp_path, disease="all", province="79", threshold=threshold)
    assert executed.results_en["Places suppressed"]["value"] >= 2


def test_communes_do_not_differ_as_was_planted(template, con, tmp_path):
    """Disease is sown without regard to communes: standardised, only chance remains."""
    executed = template.run(tmp_path, disease="J06", province="auto", threshold=5)
    dispersion = executed.value("Phân tán")
    assert 0.7 < dispersion < 1.35
    assert executed.holds("Sau chuẩn hóa, các xã khác nhau") is False
    assert executed.cpu_seconds() < 30
    # The expected numbers add up to the observed: dispersion is the plain one, nearly.
    code = max(
        con.execute(
            "SELECT province_code, count(DISTINCT patient_id) FROM encounters "
            "WHERE icd10 = 'J06' GROUP BY 1"
        ).fetchall(),
        key=lambda row: (row[1], row[0]),
    )[0]
    cases = con.execute(
        """
        WITH r AS (SELECT person_id, commune_code, sex, CASE WHEN age < 5 THEN 0 WHEN age < 15
            THEN 1 WHEN age < 30 THEN 2 WHEN age < 50 THEN 3 WHEN age < 65 THEN 4 ELSE 5 END AS b,
            CAST(person_id IN (SELECT patient_id FROM encounters WHERE icd10 = 'J06') AS INT) AS ill
            FROM persons WHERE province_code = ?),
        e AS (SELECT *, avg(ill) OVER (PARTITION BY sex, b) AS rate FROM r),
        c AS (SELECT commune_code, sum(ill) AS o, sum(rate) AS x FROM e GROUP BY 1)
        SELECT sum((o - x) * (o - x) / x) / (count(*) - 1) FROM c
        """,
        [code],
    ).fetchall()[0][0]
    assert dispersion == pytest.approx(cases, abs=0.006)


def test_communes_that_are_made_to_differ_are_found(template, home, tmp_path):
    """In every second commune nobody has the disease any more: they differ, and it is seen."""

    def change(rows):
        communes = rows["commune_code"].cast(pa.string()).to_numpy(zero_copy_only=False)
        healthy = pa.array(communes.astype(np.int64) % 2 == 0)
        codes = rows["icd10"].cast(pa.string())
        spared = pc.and_(healthy, pc.equal(codes, "J06"))
        at = rows.column_names.index("icd10")
        codes = pc.if_else(spared, "Z00", codes).combine_chunks()
        return rows.set_column(at, "icd10", codes.cast(rows.schema.field(at).type))

    other = template.on(changed(home, tmp_path / "home", "health", "encounters", change))
    executed = other.run(tmp_path, disease="J06")
    assert executed.holds("Sau chuẩn hóa, các xã khác nhau") is True
    assert executed.value("Phân tán") > 5


def test_wrong_values_are_told(template, tmp_path):
    wrong = {"threshold = 1": {"threshold": 1}, "disease = 'A00'": {"disease": "A00"}}
    template.check_told(tmp_path, wrong)
