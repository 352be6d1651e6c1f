"""`lab.describe()`: columns and how far to trust them, rows, and questions that can be pasted."""

from __future__ import annotations

import html
import json
import re

import pytest

from sandbox import catalog, lab
from sandbox.catalog import words
from sandbox.errors import CatalogError
from sandbox.lab import magic
from sandbox.look.kinds import KINDS
from sandbox.settings import Settings
from synthetic import statistics
from synthetic.build import Order, build, make_recipe
from synthetic.spec.load import load, packaged
from tests.sandbox.tiny import PERSONS, replica
from tests.synthetic.specs import SMALL

PERSONS_SPEC = load(packaged()["population"]).tables["persons"]


@pytest.fixture
def home(replicas, monkeypatch):
    """The home of somebody who reads English, with two small replicas."""
    monkeypatch.setenv("SANDBOX_HOME", str(replicas))
    monkeypatch.setenv("SANDBOX_LANG", "en")
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    return replicas


@pytest.fixture
def isolated(home, tmp_path, monkeypatch):
    """Give a kernel's catalog, of a run or of a person's notebook."""

    def make(reads, *, figures):
        inputs = catalog.select(Settings(home=home), reads)
        path = tmp_path / "catalog.json"
        told = inputs.lab_catalog(None, figures=figures)
        path.write_text(json.dumps(told), encoding="utf-8")
        monkeypatch.setenv("SANDBOX_CATALOG", str(path))
        if not figures:
            monkeypatch.delenv("SANDBOX_LANG")

    return make


def shown_columns(shown):
    """The rows of the first table, with the text of their cells."""
    body = html.unescape(shown).partition("<tbody>")[2].partition("</tbody>")[0]
    rows = (re.findall(r"<td.*?>(.*?)</td>", row) for row in body.split("</tr>") if row)
    return {name: cells for name, *cells in rows}


# ---------------------------------------------------------------- a table


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_table_shows_all_its_parts(home, monkeypatch, language):
    monkeypatch.setenv("SANDBOX_LANG", language)
    shown = lab.describe("population.persons")
    for text in (PERSONS_SPEC.title, PERSONS_SPEC.description):
        assert getattr(text, language) in shown.text
        assert getattr(text, language) in shown.html
    columns = shown_columns(shown.html)
    assert list(columns) == [n for n, column in PERSONS_SPEC.columns.items() if not column.hidden]
    for name, (kind, meaning, sensitivity, fidelity) in columns.items():
        column = PERSONS_SPEC.columns[name]
        assert kind.startswith(words.TYPES[column.type][language])
        assert f"<strong>{getattr(column.title, language)}" in meaning
        if column.description is not None:
            assert getattr(column.description, language) in meaning
        assert sensitivity == words.SENSITIVITY[column.sensitivity][language]
        badge = re.match(r"<strong>(.*?)</strong>", fidelity)
        assert badge is not None
        assert badge[1] in [word[language] for word in words.FIDELITY.values()]
        for part in (kind, badge[1], getattr(column.title, language)):
            assert part in shown.text
    for question in PERSONS_SPEC.questions:
        assert getattr(question, language) in shown.text
        assert f"<strong>{getattr(question, language)}</strong>" in shown.html
    assert shown._repr_mimebundle_() == {"text/plain": shown.text, "text/html": shown.html}


def test_fidelity_is_worded_as_the_catalogue_words_it(home):
    columns = shown_columns(lab.describe("population.persons").html)
    assert columns["age"][0] == "whole number, years"
    assert re.fullmatch(
        r"<strong>calibrated</strong><br>Published table: .+<br>off by [\d.]+% from the published "
        r"table; sampling alone would give [\d.]+%",
        columns["age"][3],
    )
    assert re.match("<strong>assumed</strong><br>[A-Z]", columns["birth_date"][3])
    assert columns["household_id"][3] == "<strong>derived</strong>"


def test_ten_rows_are_shown_as_a_query_gives_them(home):
    shown = lab.describe("population.persons")
    rows = shown.html.split("<table>")[2]
    assert rows.count("<tr>") == 11
    (total,) = lab.table("population.persons").count("*").fetchall()[0]
    assert f"rows 1–10 of {total:,}" in shown.text
    first = lab.connect().execute("SELECT * FROM population.persons LIMIT 1").fetchall()[0]
    assert all(f">{value}<" in rows for value in (first[0], first[3], first[-2]))


def test_each_question_can_be_pasted_and_is_answered(home):
    shown = lab.describe("population.persons")
    cells = re.findall(r"^    %%sql\n((?:    .*\n?)+)", shown.text, re.MULTILINE)
    assert len(cells) == len(PERSONS_SPEC.questions) >= 3
    for cell, question in zip(cells, PERSONS_SPEC.questions, strict=True):
        text = "\n".join(line[4:] for line in cell.splitlines())
        assert text.strip() == question.sql.strip()
        assert "<table>" in magic.sql("", text, {}).html
    for pasted in re.findall(r"<pre[^>]*>%%sql\n(.*?)</pre>", shown.html, re.DOTALL):
        assert "SELECT" in pasted


def test_no_script_is_shown_and_no_text_of_the_data_becomes_markup(tmp_path, monkeypatch):
    folder = replica(tmp_path, "population", version="p1")
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_bytes())
    hostile = "<script>alert(1)</script>"
    table = told["tables"][0]
    table["questions"] = [{"vi": hostile, "en": hostile, "sql": f"SELECT '{hostile}' AS x"}]
    table["columns"][0]["unit"] = hostile
    table["columns"][1]["fidelity"]["because"] = {"vi": hostile, "en": hostile}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    for name in ("population.persons", "population.persons.person_id", "population"):
        assert "<script" not in lab.describe(name).html
    assert lab.describe("population.persons").html.count("&lt;script") >= 4


def test_a_replica_built_before_there_were_questions_is_described_without(tmp_path, monkeypatch):
    replica(tmp_path, "population", version="p1")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("SANDBOX_LANG", "en")
    told = lab.describe("population.persons").text
    assert [name for name in PERSONS if f"\n{name}: " in told] == list(PERSONS)
    assert "%%sql" not in told


def test_rows_that_cannot_be_read_are_told_and_the_rest_is_shown(tmp_path, monkeypatch):
    folder = replica(tmp_path, "population", version="p1")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("SANDBOX_LANG", "en")
    lab.connect()
    file = folder / "persons" / "part-00000.parquet"
    file.write_bytes(b"PAR1" + b"\0" * (file.stat().st_size - 4))
    told = lab.describe("population.persons").text
    assert "The rows cannot be read" in told
    assert "\nage: " in told


def test_a_dataset_of_ones_own_specs_shows_its_own_questions(tmp_path, monkeypatch):
    specs = tmp_path / "specs"
    specs.mkdir()
    question = """
[[tables.shops.questions]]
vi = "Có bao nhiêu cửa hàng mỗi cỡ?"
en = "How many shops of each size?"
sql = "SELECT size, count(*) AS shops FROM shops.shops GROUP BY ALL ORDER BY size"
"""
    (specs / "shops.toml").write_text(SMALL + question, encoding="utf-8")
    recipe = make_recipe("0.001", None, 1, "exact")
    build(Order(datasets=("shops",), recipe=recipe, out=tmp_path / "home/replicas", specs=(specs,)))
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SANDBOX_LANG", "vi")
    told = lab.describe("shops.shops").text
    assert "Có bao nhiêu cửa hàng mỗi cỡ?" in told
    assert "    %%sql\n    SELECT size, count(*) AS shops" in told


# ---------------------------------------------------------------- in a kernel of its own


def test_a_persons_kernel_tells_figures_and_a_runs_kernel_none(isolated):
    reads = {"population.persons": ["age", "sex"]}
    isolated(reads, figures=True)
    told = lab.describe("population.persons")
    assert "off by" in told.text
    assert list(shown_columns(told.html)) == ["sex", "age"]
    isolated(reads, figures=False)
    told = lab.describe("population.persons")
    assert "Hiệu chỉnh" in told.text
    assert "lệch" not in told.text.partition("%%sql")[0]


def test_a_run_is_not_told_to_build(isolated):
    isolated({"population.persons": ["age"]}, figures=False)
    with pytest.raises(CatalogError) as raised:
        lab.describe("health")
    assert "health" in str(raised.value)
    assert "synthetic build" not in str(raised.value)


# ---------------------------------------------------------------- a dataset, a column


def test_a_dataset_lists_its_tables(home):
    told = lab.describe("population").text
    assert told.partition("\n")[0].endswith("(population)")
    for table in ("population.households", "population.persons"):
        assert re.search(rf"^{table} .* [\d,]+$", told, re.MULTILINE)
    assert "enterprise.enterprises" not in told
    example = re.search(r"lab\.describe\('(.+)'\)", told)
    assert example is not None
    assert lab.describe(example[1]).text


def test_the_published_tables_are_listed_too(home):
    assert all(name in lab.describe("published").text for name in statistics.names())


def test_a_column_shows_its_codes(home):
    told = lab.describe("population.persons.sex").text
    assert re.search(r"^female +Female$", told, re.MULTILINE)
    assert "calibrated" in told
    told = lab.describe("population.persons.household_id").text
    assert "leads to population.households.household_id" in told
    told = lab.describe("population.persons.commune_code").text
    assert "3,321 codes" in told
    assert "lab.table('published.admin_communes')" in told


def test_a_published_column_is_shown(home):
    told = lab.describe("published.population_province_34.year").text
    assert "\nyear " in told
    assert "\nprovince_code " not in told


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("population.person", "did you mean 'persons'"),
        ("persons", "did you mean 'population.persons'"),
        ("populaton", "did you mean 'population'"),
        ("population.persons.sexx", "has no column 'sexx'; did you mean 'sex'"),
        ("published.admin_communes.nam", "has no column 'nam'; did you mean 'name'"),
        ("published.admin_commune", "did you mean 'admin_communes'"),
        ("", "there is no dataset ''"),
        (None, "there is no dataset 'None'"),
        ("a.b.c.d", "there is no dataset 'a'"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_nearest(home, name, message):
    with pytest.raises(CatalogError, match=re.escape(message)):
        lab.describe(name)


def test_a_dataset_that_is_not_built_says_how_to_build_it(tmp_path, home, monkeypatch):
    replica(tmp_path, "population", version="p1")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    with pytest.raises(CatalogError, match=r"build it with: synthetic build health --scale 0\.01"):
        lab.describe("health")


# ---------------------------------------------------------------- words


def test_words_are_those_of_the_pages():
    for kind, mine in (("fidelity", words.FIDELITY), ("sensitivity", words.SENSITIVITY)):
        for word, pair in mine.items():
            theirs = KINDS[kind][word]
            assert (pair["vi"], pair["en"]) == (theirs.vi, theirs.en)


def test_every_unit_that_needs_vietnamese_has_it():
    units = {
        column.unit
        for path in packaged().values()
        for table in load(path).tables.values()
        for column in table.columns.values()
        if column.unit and not column.hidden
    }
    assert units - set(words.UNITS) <= {"TEU", "kg", "km", "km/h", "mm", "µg/m³"}
