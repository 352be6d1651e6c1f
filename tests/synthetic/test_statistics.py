"""The packaged public tables: complete, described in two languages, typed, and named in errors."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import unicodedata

import pytest

from synthetic import statistics
from synthetic.errors import StatisticsError
from synthetic.statistics.described import Column, Text

PARSERS = {"text": str, "integer": int, "decimal": float}


def test_all_tables_have_a_source_with_terms():
    assert len(statistics.names()) == 41
    for name in statistics.names():
        source = statistics.source(name)
        assert source.description
        assert source.terms
        assert source.quality in {"official", "secondary", "estimate", "mixed"}


def test_no_source_is_without_its_table():
    text = (statistics.folder() / "sources.csv").read_text(encoding="utf-8")
    files = {line.split(",", 1)[0] for line in text.splitlines()[1:]}
    assert files == {f"{name}.csv" for name in statistics.names()}


@pytest.mark.parametrize("name", statistics.names())
def test_every_column_is_described_and_every_value_parses(name):
    table = statistics.table(name)
    assert table.title.vi != table.title.en
    assert table.description.vi != table.description.en
    for column in table.columns:
        assert column.description.vi
        assert column.description.en
        parse = PARSERS[column.type]
        for row in statistics.rows(name):
            if row[column.name]:
                parse(row[column.name])


@pytest.mark.parametrize("name", statistics.names())
def test_codes_stay_text(name):
    for column in statistics.columns(name):
        values = [row[column.name] for row in statistics.rows(name)]
        if column.name.endswith(("_code", "_codes")) or any(
            len(value) > 1 and value.isdigit() and value.startswith("0") for value in values
        ):
            assert column.type == "text", f"{name}.{column.name} would lose its leading zeros"


@pytest.mark.parametrize("name", statistics.names())
def test_every_row_has_every_column_in_composed_letters(name):
    for row in statistics.rows(name):
        assert tuple(row) == statistics.header(name)
        assert all(isinstance(value, str) for value in row.values())
        assert all(unicodedata.is_normalized("NFC", value) for value in row.values())


def test_descriptions_name_only_tables_and_columns_that_exist():
    folder = statistics.folder().parent
    tables = tomllib.loads((folder / "tables.toml").read_text(encoding="utf-8"))
    columns = tomllib.loads((folder / "columns.toml").read_text(encoding="utf-8"))
    assert set(tables) == set(statistics.names())
    headers = {name: set(statistics.header(name)) for name in statistics.names()}
    assert set(columns["shared"]) <= set().union(*headers.values())
    for table, described in columns["only"].items():
        assert set(described) <= headers[table]
    used = {column.unit for name in headers for column in statistics.columns(name)} - {None}
    assert set(columns["units"]) == used


def test_the_population_of_2024_is_the_published_one():
    total = sum(
        float(row["population_thousand"])
        for row in statistics.rows("population_province_34")
        if row["year"] == "2024"
    )
    assert total == pytest.approx(101_343.8, abs=0.1)


def test_the_hash_is_the_files():
    file = statistics.folder() / "admin_communes.csv"
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert statistics.sha256("admin_communes") == expected


def test_the_files_have_one_kind_of_line_ending():
    assert all(b"\r" not in path.read_bytes() for path in statistics.folder().glob("*.csv"))


@pytest.mark.parametrize(
    "ask",
    [
        statistics.rows,
        statistics.sha256,
        statistics.source,
        statistics.table,
        statistics.columns,
        statistics.header,
        statistics.path,
    ],
)
def test_an_unknown_table_is_told_with_the_nearest(ask):
    with pytest.raises(StatisticsError, match="did you mean 'population_province_34'"):
        ask("population_provinces_34")


def test_the_list_of_sources_is_not_a_table():
    with pytest.raises(StatisticsError, match="no published table 'sources'"):
        statistics.rows("sources")


@pytest.mark.parametrize(
    ("type", "unit", "unit_vi"),
    [
        ("integer", None, None),
        ("text", "persons", "người"),
        ("decimal", "persons", None),
        ("text", None, "người"),
    ],
)
def test_a_number_needs_a_unit_in_both_languages_and_text_has_none(type, unit, unit_vi):
    with pytest.raises(StatisticsError, match="numbers need a unit in both"):
        Column(name="x", type=type, unit=unit, unit_vi=unit_vi, description=Text("a", "b"))


def test_a_column_of_an_unknown_type_is_refused():
    with pytest.raises(StatisticsError, match="use one of text, integer, decimal"):
        Column(name="x", type="float", unit="km", unit_vi="km", description=Text("a", "b"))


def test_importing_the_tables_is_light():
    code = (
        "import sys, synthetic.statistics; "
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'pandas', 'pydantic'} & set(sys.modules); "
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
