"""What a notebook imports: quick to load, locked to its data, and exact about what it claims."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import subprocess
import sys
import time
from decimal import Decimal

import duckdb
import nbformat
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sandbox import catalog, lab
from sandbox.errors import CatalogError
from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.lab.wording import number
from sandbox.settings import Settings
from synthetic import statistics
from tests.sandbox.executing import execute
from tests.sandbox.tiny import replica


def linked(home):
    replica(home, "population", version="p1")
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    return home


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return linked(tmp_path_factory.mktemp("built"))


@pytest.fixture
def home(built, monkeypatch):
    """A home that several tests read."""
    monkeypatch.setenv("SANDBOX_HOME", str(built))
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    return built


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """A home that one test changes."""
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    return linked(tmp_path)


@pytest.fixture
def declared(home, tmp_path, monkeypatch):
    inputs = catalog.select(Settings(home=home), {"population.persons": ["age"]})
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(inputs.lab_catalog(None)), encoding="utf-8")
    monkeypatch.setenv("SANDBOX_CATALOG", str(path))
    return path


@pytest.fixture
def con(home):
    return lab.connect()


def python(code, **environ):
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environ},
    ).stdout


def test_importing_it_loads_nothing_slow():
    heavy = "{'duckdb', 'pandas', 'numpy', 'IPython', 'pydantic', 'pyarrow', 'matplotlib', 'click'}"
    found = python(f"import sys; from sandbox import lab; print({heavy} & set(sys.modules))")
    assert found.strip() == "set()"


def test_importing_it_takes_less_than_a_tenth_of_a_second():
    code = "import time; t = time.process_time(); import sandbox.lab; print(time.process_time()-t)"
    assert min(float(python(code)) for _ in range(3)) < 0.1


def test_connecting_takes_less_than_three_tenths_of_a_second(home):
    spent = []
    for _ in range(3):
        start = time.process_time()
        con = lab.connect()
        spent.append(time.process_time() - start)
        con.close()
    assert min(spent) < 0.3


def test_each_table_of_the_newest_replicas_is_a_view(con):
    assert con.sql("SELECT count(*) FROM population.persons").fetchall() == [(4,)]
    assert con.sql("SELECT count(*) FROM enterprise.enterprises").fetchall() == [(2,)]


def test_a_relation_joins_with_sql_of_the_same_connection(con):
    persons = lab.table("population.persons")
    provinces = lab.table("published.admin_provinces_34").project("province_code, name")
    joined = persons.join(provinces, "province_code").aggregate("name, count(*)").order("name")
    assert joined.fetchall() == [("Hà Nội", 2), ("Hồ Chí Minh", 2)]
    assert lab.connect() is con


def test_a_result_that_is_being_read_is_not_disturbed(con):
    reading = con.execute("SELECT * FROM range(3)")
    assert reading.fetchone() == (0,)
    assert lab.connect() is con
    assert reading.fetchall() == [(1,), (2,)]


def test_a_closed_connection_is_opened_again(con):
    con.close()
    assert lab.connect().sql("SELECT 1").fetchall() == [(1,)]


def test_a_newer_replica_is_seen_by_the_next_connection(own_home):
    con = lab.connect()
    replica(own_home, "population", version="p9", scale="0.1", time_s=9_000)
    assert lab.connect() is not con
    with pytest.raises(CatalogError, match="dataset 'enterprise'"):
        lab.table("enterprise.enterprises")


def test_every_published_table_reads_as_its_file_says(con):
    expected = {"text": str, "integer": int, "decimal": float}
    for name in statistics.names():
        columns = statistics.columns(name)
        read = con.sql(f"SELECT * FROM published.{name}")
        assert read.columns == [column.name for column in columns]
        assert read.fetchall() == [
            tuple(expected[c.type](row[c.name]) if row[c.name] else None for c in columns)
            for row in statistics.rows(name)
        ], name


def test_published_tables_carry_titles_units_and_sources(con):
    ((view,),) = con.sql(
        "SELECT comment FROM duckdb_views() WHERE view_name = 'population_province_34'"
    ).fetchall()
    assert "Dân số 34 tỉnh, thành phố, 2020-2024 / Population of the 34 provinces" in view
    assert "National Statistics Office" in view
    ((column,),) = con.sql(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'population_province_34' "
        "AND column_name = 'urban_thousand'"
    ).fetchall()
    assert column == (
        "Dân số thành thị trung bình (nghìn người) / Average urban population (thousand persons)"
    )


def test_no_view_or_column_is_without_a_comment(con):
    for listing in ("duckdb_views()", "duckdb_columns()"):
        silent = con.sql(
            f"SELECT count(*) FROM {listing} WHERE schema_name IN "
            "('published', 'population', 'enterprise') AND comment IS NULL"
        )
        assert silent.fetchall() == [(0,)]


def test_a_replicas_columns_say_how_faithful_they_are(con):
    told = dict(
        con.sql(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'persons'"
        ).fetchall()
    )
    assert told["age"] == "Cột age / Column age (năm). hiệu chỉnh theo số công bố / calibrated"
    assert told["sex"].endswith("giả định / assumed")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/taken.csv'",
        "ATTACH '/tmp/taken.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SET lock_configuration = false",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "RESET allowed_directories",
        "SET autoload_known_extensions = true",
    ],
)
def test_the_connection_is_locked(con, statement):
    with pytest.raises(duckdb.Error):
        con.execute(statement).fetchall()


def test_built_replicas_are_shown_whole_and_described(replicas, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(replicas))
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    con = lab.connect()
    inputs = catalog.select(Settings(home=replicas), None)
    for built in inputs.replicas:
        for name, table in built.tables.items():
            shown = lab.table(f"{built.dataset}.{name}")
            assert shown.columns == list(built.columns(name))
            assert shown.count("*").fetchall() == [(table["rows"],)]
    silent = con.sql("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL")
    assert silent.fetchall() == [(0,)]


def test_a_frame_is_read_by_the_name_it_is_given_only(con):
    frame = pd.DataFrame({"x": [1, 2]})
    with pytest.raises(duckdb.CatalogException):
        con.sql("SELECT * FROM frame")
    con.register("frame", frame)
    assert con.sql("SELECT sum(x) FROM frame").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("population.person", r"no table 'person'; did you mean 'persons'\?"),
        ("published.admin_region", r"did you mean 'admin_regions'\?"),
        ("populatio.persons", r"no dataset 'populatio'; did you mean 'population'\?"),
        ("persons", "write dataset.table"),
        ("population.", "write dataset.table"),
        ("population.persons; DROP SCHEMA published", "no table"),
    ],
)
def test_an_unknown_table_is_told_with_the_nearest(home, name, message):
    with pytest.raises(CatalogError, match=message):
        lab.table(name)


def test_a_dataset_that_is_not_built_is_told_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    with pytest.raises(CatalogError, match="synthetic build population"):
        lab.table("population.persons")
    assert lab.table("published.admin_regions").count("*").fetchall() == [(12,)]


def test_in_a_run_only_declared_tables_are_shown(declared):
    assert lab.table("population.persons").count("*").fetchall() == [(4,)]
    with pytest.raises(CatalogError, match='name it under "reads" in the notebook'):
        lab.table("enterprise.enterprises")
    with pytest.raises(duckdb.CatalogException):
        lab.connect().sql("SELECT * FROM enterprise.enterprises")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"datasets": 1}'])
def test_a_catalog_that_cannot_be_read_is_told(declared, content):
    declared.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogError, match="is not a catalog"):
        lab.connect()
    declared.unlink()
    with pytest.raises(CatalogError, match="is not a catalog"):
        lab.connect()


@pytest.mark.parametrize("harm", ["gone", "broken", "without a column"])
def test_a_replica_whose_file_is_not_as_it_was_built_is_told(own_home, harm):
    file = own_home / "replicas/population/p1/persons/part-00000.parquet"
    if harm == "without a column":
        pq.write_table(pq.read_table(file, columns=["age"]), file)
    else:
        file.write_bytes(b"PAR1")
    if harm == "gone":
        file.unlink()
    with pytest.raises(CatalogError, match="synthetic verify"):
        lab.connect()


def test_a_name_with_a_quote_does_not_break_the_views(tmp_path, monkeypatch):
    strange = tmp_path / 'nhà d\'ữ "liệu"'
    replica(strange, "population", version="p1")
    monkeypatch.setenv("SANDBOX_HOME", str(strange))
    assert lab.table("population.persons").count("*").fetchall() == [(4,)]


def test_outside_a_notebook_claims_are_printed(capsys):
    lab.result("Số phụ nữ", 1_234_567, unit="người", n=12_345)
    lab.conclude("A nhiều hơn B", holds=np.bool_(False))
    assert capsys.readouterr().out.splitlines() == [
        "Kết quả: Số phụ nữ = 1.234.567 người (n = 12.345)",
        "Kết luận (không đúng trên dữ liệu này): A nhiều hơn B",
    ]


def claimed(folder, *lines):
    """Run the lines in a kernel of their own and give the outputs of each."""
    source = "import datetime, decimal\nimport numpy as np\nimport pandas as pd\n"
    cells = [nbformat.v4.new_code_cell(source + "from sandbox import lab")]
    cells += [nbformat.v4.new_code_cell(line) for line in lines]
    notebook = execute(nbformat.v4.new_notebook(cells=cells), folder)
    return [cell.outputs for cell in notebook.cells[1:]]


def test_in_a_notebook_claims_travel_with_their_own_type(tmp_path):
    values = {
        "1": 1,
        "1.5": 1.5,
        "np.int64(7)": 7,
        "np.float32(0.5)": 0.5,
        "np.array(3)": 3,
        "pd.Series([4]).sum()": 4,
        "np.bool_(True)": True,
        "'Đà Nẵng'": "Đà Nẵng",
        "decimal.Decimal('2.50')": 2.5,
        "decimal.Decimal('2')": 2,
        "datetime.date(2024, 12, 31)": "2024-12-31",
        "pd.Timestamp('2024-12-31 10:00')": "2024-12-31T10:00:00",
        "np.datetime64('2024-12-31')": "2024-12-31",
    }
    lines = [f"lab.result('x', {value}, unit='người', n=np.int32(9))" for value in values]
    outputs = claimed(tmp_path, *lines, "lab.conclude('A > B', holds=np.int64(2) > 1)")
    for (output,), value in zip(outputs, values.values(), strict=False):
        claim = output.data[RESULT]
        assert claim == {"name": "x", "value": value, "unit": "người", "n": 9}
        assert type(claim["value"]) is type(value)
        assert output.data["text/plain"].startswith("Kết quả: x = ")
    ((conclusion,),) = outputs[-1:]
    assert conclusion.output_type == "display_data"
    assert conclusion.data == {
        CONCLUSION: {"statement": "A > B", "holds": True},
        "text/plain": "Kết luận (đúng trên dữ liệu này): A > B",
    }


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (math.nan, ValueError, "not a number"),
        (math.inf, ValueError, "not a number"),
        (np.float64("nan"), ValueError, "not a number"),
        (Decimal("NaN"), ValueError, "not a number"),
        (pd.NaT, TypeError, "NaTType"),
        (np.datetime64("NaT"), TypeError, "give one number"),
        (pd.NA, TypeError, "NAType"),
        (None, TypeError, r"missing \(None\)"),
        ([1, 2], TypeError, "a list; give one number"),
        (pd.Series([1]), TypeError, "a Series; .* such as one cell of it"),
        (np.array([1.0]), TypeError, "a ndarray"),
        (1 + 2j, TypeError, "a complex"),
        (dt.timedelta(1), TypeError, "a timedelta"),
        (object(), TypeError, "a object"),
    ],
)
def test_what_is_no_single_value_is_refused(value, error, message):
    with pytest.raises(error, match=message):
        lab.result("x", value)


@pytest.mark.parametrize("name", ["", "  ", 3, None])
def test_a_result_needs_a_name(name):
    with pytest.raises(ValueError, match="name must be a text"):
        lab.result(name, 1)


@pytest.mark.parametrize("n", [-1, 1.5, True, "9"])
def test_n_is_a_count_of_rows(n):
    with pytest.raises(ValueError, match="n must be a count of rows"):
        lab.result("x", 1, n=n)


def test_a_unit_is_a_text():
    with pytest.raises(ValueError, match="unit must be a text"):
        lab.result("x", 1, unit=5)


def test_words_may_be_said_in_both_languages(tmp_path):
    told = "{'vi': 'Số nữ', 'en': 'Women'}"
    (output,), (conclusion,) = claimed(
        tmp_path,
        f"lab.result({told}, 5, unit={{'en': 'persons', 'vi': 'người'}})",
        f"lab.conclude({told}, holds=True)",
    )
    assert output.data[RESULT]["name"] == {"vi": "Số nữ", "en": "Women"}
    assert output.data[RESULT]["unit"] == {"vi": "người", "en": "persons"}
    assert output.data["text/plain"] == "Kết quả: Số nữ / Women = 5 người / persons"
    assert conclusion.data[CONCLUSION]["statement"] == {"vi": "Số nữ", "en": "Women"}


@pytest.mark.parametrize("words", [{"vi": "Số nữ"}, {"vi": "a", "en": ""}, {"vi": "a", "fr": "b"}])
def test_words_in_one_language_of_two_are_refused(words):
    with pytest.raises(ValueError, match="must be a text"):
        lab.result(words, 1)


@pytest.mark.parametrize("holds", [1, "yes", None, pd.Series([True])])
def test_a_conclusion_holds_or_does_not(holds):
    with pytest.raises(TypeError, match="holds must be True or False"):
        lab.conclude("A > B", holds=holds)


def test_a_conclusion_needs_a_sentence():
    with pytest.raises(ValueError, match="statement must be a text"):
        lab.conclude("", holds=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-1234567, "-1.234.567"),
        (1.5, "1,5"),
        (101343.8, "101.343,8"),
        (4360000.75, "4.360.000,8"),
        (0.012345678, "0,0123457"),
        (1e-9, "1e-09"),
        (2.0, "2"),
        (1e300, "1e+300"),
        (math.nan, "không có"),
    ],
)
def test_numbers_are_written_the_vietnamese_way(value, text):
    assert number(value) == text


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert number(-0.001, places=2) == "0,00"
    assert number(1234, places=1) == "1.234,0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "đúng"),
        (False, "sai"),
        ("2024-12-31", "31/12/2024"),
        ("không phải", "không phải"),
        ("Đà Nẵng", "Đà Nẵng"),
        (np.int64(12_345), "12.345"),
        (np.float64(1.5), "1,5"),
        (dt.date(2024, 12, 31), "31/12/2024"),
    ],
)
def test_other_values_are_written_in_words(value, text):
    assert lab.written(value) == text
