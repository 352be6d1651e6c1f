"""`lab.help()`, `lab.tables()` and `lab.describe()`: what a newcomer sees, and that it is true."""

from __future__ import annotations

import json
import re

import pytest

from sandbox import catalog, lab
from sandbox.errors import CatalogError
from sandbox.lab.spoken import is_run, spoken
from sandbox.settings import Settings, notebooks_folder
from synthetic import statistics
from tests.sandbox.tiny import replica


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    home = tmp_path_factory.mktemp("built")
    replica(home, "population", version="p1")
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    return home


@pytest.fixture
def home(built, monkeypatch):
    """The home of somebody who reads English."""
    monkeypatch.setenv("SANDBOX_HOME", str(built))
    monkeypatch.setenv("SANDBOX_LANG", "en")
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    return built


@pytest.fixture
def nothing_built(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def isolated(home, tmp_path, monkeypatch):
    """Give a kernel's catalog of some declared tables."""

    def make(reads):
        inputs = catalog.select(Settings(home=home), reads)
        path = tmp_path / "catalog.json"
        path.write_text(json.dumps(inputs.lab_catalog(None)), encoding="utf-8")
        monkeypatch.setenv("SANDBOX_CATALOG", str(path))

    return make


def test_help_fits_one_screen_and_names_what_is_here(home):
    told = lab.help().text
    assert len(told.splitlines()) <= 40
    for table in ("population.persons", "enterprise.enterprises"):
        assert table in told
    assert f"{len(statistics.names())} tables" in told
    for way in ("%%sql", "lab.result(", "lab.conclude(", "Submit", "lab.tables()"):
        assert way in told


def test_the_lines_to_copy_from_help_work(home):
    told = lab.help().text
    (query,) = re.findall(r"    %%sql\n((?:    .*\n)+)", told)
    assert sorted(lab.connect().sql(query).fetchall()) == [("01", 2), ("79", 2)]
    for line in re.findall(r"^    (lab\..*)$", told, re.MULTILINE):
        exec(line, {"lab": lab, "a": 2, "b": 1})


def test_the_notebooks_that_help_names_are_there(home):
    named = re.findall(r"\b\d\d_\w+", lab.help().text)
    assert named == sorted(path.stem for path in notebooks_folder().glob("*.ipynb"))


def test_tables_are_listed_with_titles_and_rows(home):
    told = lab.tables().text
    assert "Dataset (population)" in told
    assert re.search(r"^population\.persons +Table persons +4$", told, re.MULTILINE)
    assert re.search(r"^enterprise\.enterprises +Table enterprises +2$", told, re.MULTILINE)
    for name in statistics.names():
        rows = f"{len(statistics.rows(name)):,}"
        assert re.search(rf"^published\.{name} .* {rows}$", told, re.MULTILINE)


@pytest.mark.parametrize("shown", [lab.help, lab.tables])
def test_where_nothing_is_built_the_way_to_build_is_told(nothing_built, shown):
    assert "synthetic build " in shown().text


def test_in_a_kernel_that_sees_no_home_the_way_to_build_is_told(isolated):
    isolated({})
    assert "synthetic build enterprise" in lab.tables().text
    assert "synthetic build enterprise" in lab.help().text


def test_a_damaged_replica_is_named_with_its_remedy(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    replica(tmp_path, "population", version="p1")
    (tmp_path / "replicas/population/p2").mkdir()
    told = lab.tables().text
    assert "population.persons" in told
    assert "Dataset (population)" in told
    (damaged,) = [s for s in catalog.states(Settings(home=tmp_path)) if s["state"] == "damaged"]
    assert damaged["version"] == "p2"


@pytest.mark.parametrize("name", statistics.names())
def test_every_published_table_is_described(home, name):
    shown = lab.describe(f"published.{name}")
    for column in statistics.columns(name):
        assert f"\n{column.name} " in shown.text
    assert "source: " in shown.text
    assert "<table>" in shown.html


@pytest.mark.parametrize(
    ("name", "message"),
    [("population.person", "did you mean 'persons'"), ("persons", "write dataset.table")],
)
def test_a_table_that_is_not_there_is_told(home, name, message):
    with pytest.raises(CatalogError, match=message):
        lab.table(name)


def test_an_isolated_kernel_lists_only_what_it_is_shown(isolated):
    isolated({"population.persons": ["age"]})
    assert "enterprise.enterprises" not in lab.tables().text
    told = lab.describe("population.persons").text
    assert "\nage: " in told
    assert "\nsex: " not in told
    with pytest.raises(CatalogError, match="restart the kernel"):
        lab.table("enterprise.enterprises")


def test_titles_are_in_the_readers_language(home, monkeypatch):
    monkeypatch.setenv("SANDBOX_LANG", "vi")
    assert "Bộ dữ liệu (population)" in lab.tables().text
    assert "Cột sex" in lab.describe("population.persons").text
    assert "Dân số 34 tỉnh, thành phố" in lab.tables().text


def test_a_text_of_the_data_is_harmless_in_a_notebook(tmp_path, home, monkeypatch):
    folder = replica(tmp_path, "population", version="p1")
    manifest = folder / "manifest.json"
    told = manifest.read_text(encoding="utf-8").replace("Table persons", "<b>bold</b>")
    manifest.write_text(told, encoding="utf-8")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    for shown in (lab.tables(), lab.describe("population.persons")):
        assert "&lt;b&gt;bold" in shown.html
        assert "<b>" not in shown.html
        assert shown._repr_mimebundle_() == {"text/plain": shown.text, "text/html": shown.html}
        assert repr(shown) == shown.text


@pytest.mark.parametrize(
    ("environ", "is_a_run", "language"),
    [
        ({"SANDBOX_CATALOG": "x"}, True, "vi"),
        ({"SANDBOX_CATALOG": "x", "LANG": "en_US.UTF-8"}, True, "vi"),
        ({"SANDBOX_CATALOG": "x", "SANDBOX_LANG": "en"}, False, "en"),
        ({"SANDBOX_CATALOG": "", "SANDBOX_LANG": "vi"}, False, "vi"),
        ({"LANG": "vi_VN.UTF-8"}, False, "vi"),
        ({}, False, "en"),
    ],
)
def test_a_run_says_the_same_whoever_submits_it(environ, is_a_run, language):
    assert is_run(environ) is is_a_run
    assert spoken(environ) == language
