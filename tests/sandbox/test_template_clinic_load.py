"""Clinic load: counts are the data's, small ones are hidden, and no false alarm is raised."""

from __future__ import annotations

import copy
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.003", None, 1, "exact")
    build(Order(datasets=("health",), recipe=recipe, out=home / "replicas"))
    return home


@pytest.fixture(scope="module")
def con(home):
    connection = duckdb.connect()
    for dataset, table in (("population", "persons"), ("health", "encounters")):
        files = f"{home}/replicas/{dataset}/*/{table}/*.parquet"
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{files}'")
    return connection


@pytest.fixture(scope="module")
def run(home, tmp_path_factory):
    template = nbformat.read(templates_folder() / "clinic_load.ipynb", as_version=4)

    def do(**given):
        notebook = copy.deepcopy(template)
        place = [cell.id for cell in notebook.cells].index("parameters") + 1
        lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
        notebook.cells.insert(place, nbformat.v4.new_code_cell(lines, id="injected"))
        done = execute(notebook, Path(tmp_path_factory.mktemp("work")), SANDBOX_HOME=str(home))
        outputs = [o.data for c in done.cells for o in c.get("outputs", []) if "data" in o]
        results = {d[RESULT]["name"]["en"]: d[RESULT] for d in outputs if RESULT in d}
        held = {
            d[CONCLUSION]["statement"]["en"]: d[CONCLUSION]["holds"]
            for d in outputs
            if CONCLUSION in d
        }
        return {cell.id: cell for cell in done.cells}, results, held

    return do


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


def test_the_count_and_the_suppression_are_the_datas(run, con):
    cells, results, held = run(disease="J18", province="01", threshold=6, top=50)
    counts = observed(con, "J18", "01")
    assert results["Patients with disease J18 in 2024"]["value"] == sum(counts.values())
    small = [n for n in counts.values() if n < 6]
    assert small
    hidden = results["Places suppressed"]["value"]
    assert hidden >= max(len(small), 2)
    assert all(held[sentence] for sentence in held if sentence.startswith("No count"))
    text = cells["suppressed"].outputs[-1].data["text/plain"]
    printed = [line.split() for line in text.splitlines()[1:]]
    assert printed
    assert all(int(words[-3].replace(".", "")) >= 6 for words in printed)
    at_least = sorted(n for n in counts.values() if n >= 6)
    assert len(printed) <= len(at_least)


def test_one_hidden_cell_never_stands_alone(run, con):
    """With a threshold that only the smallest count misses, a second place is hidden."""
    counts = sorted(observed(con, "all", "79").values())
    threshold = counts[0] + 1
    assert 2 <= threshold <= 50
    assert counts[1] >= threshold
    _, results, _ = run(disease="all", province="79", threshold=threshold)
    assert results["Places suppressed"]["value"] >= 2


def test_communes_do_not_differ_as_was_planted(run, con):
    """Disease is sown without regard to communes: standardised, only chance remains."""
    _, results, held = run(disease="J06", province="auto", threshold=5)
    (dispersion,) = [r for name, r in results.items() if name.startswith("Dispersion")]
    assert 0.7 < dispersion["value"] < 1.35
    (differ,) = [holds for sentence, holds in held.items() if sentence.startswith("Once")]
    assert differ is False
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
    assert dispersion["value"] == pytest.approx(cases, abs=0.006)


def test_a_wrong_value_is_told(run):
    with pytest.raises(CellExecutionError, match="threshold = 1"):
        run(threshold=1)
    with pytest.raises(CellExecutionError, match="disease = 'A00'"):
        run(disease="A00")
