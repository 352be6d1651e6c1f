"""Tables and columns that SQL names, before a run: those that the run will not have are told."""

from __future__ import annotations

import time

import pytest
from nbformat import v4, writes

from sandbox.preflight import Given, checked, inspect
from sandbox.runs import notebook as notebook_files
from sandbox.settings import Settings, notebooks_folder, templates_folder
from tests.sandbox import tiny

LAB = "from sandbox import lab\ncon = lab.connect()\n"
READS = {"population.persons": ["age", "sex"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with small replicas written by hand."""
    home = tmp_path_factory.mktemp("home")
    tiny.replica(home, "population", version="v1")
    return Settings(home=home)


@pytest.fixture
def told(home):
    """Check a notebook of these cells; give severity, code, cell, line and the reason."""

    def do(*cells, reads=READS):
        made = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
        made.metadata["sandbox"] = {"reads": reads}
        found = inspect(home, notebook_files.parse("small", writes(made).encode())).findings
        return [(str(o.severity), o.code, o.cell, o.line, str(o.why)) for o in found]

    return do


FAULTS = [
    ("con.sql('SELECT agee FROM population.persons')", "unknown_column", 1, "'age'?"),
    ("con.sql('SELECT p.agee FROM population.persons p')", "unknown_column", 1, "'age'?"),
    ("con.sql('''\nSELECT sex,\n  agee FROM population.persons''')", "unknown_column", 3, "?"),
    ("con.sql('SELECT person_id FROM population.persons')", "unknown_column", 1, "person_id"),
    ("con.sql('SELECT 1 FROM population.person')", "unknown_table", 1, "population.persons'?"),
    ("con.sql('FROM population.households')", "unknown_table", 1, "households"),
    ("con.sql('FROM populatoin.persons')", "unknown_table", 1, "population.persons'?"),
    ("con.sql('FROM enterprise.enterprises')", "unknown_table", 1, "enterprise"),
    ("con.sql('FROM published.admin_province')", "unknown_table", 1, "provinces_34'?"),
    ("con.sql('FROM attached.mine')", "unknown_table", 1, "attached.mine"),
    ("x = 1\ncon.sql(f'SELECT {x} FROM population.person')", "unknown_table", 2, "persons'?"),
    ("lab.table('population.person')", "unknown_table", 1, "population.persons'?"),
    ("lab.describe('population.person.age')", "unknown_table", 1, "population.persons'?"),
    (
        "con.sql('CREATE TEMP TABLE t AS SELECT agee FROM population.persons')",
        "unknown_column",
        1,
        "'age'?",
    ),
]


def test_what_the_run_will_not_have_stops_a_submission(told):
    found = told(LAB, *(cell for cell, *_ in FAULTS))
    assert [one[:4] for one in found] == [
        ("error", code, number, line) for number, (_, code, line, _) in enumerate(FAULTS, start=2)
    ]
    for (*_, why), (*_, words) in zip(found, FAULTS, strict=True):
        assert words in why


def test_a_cell_of_sql_is_read_with_its_lines(told):
    ((*place, _why),) = told("%%sql\nSELECT\n  age,\n  sexx\nFROM population.persons")
    assert place == ["error", "unknown_column", 1, 4]


SOUND = [
    "con.sql('SELECT age, sex FROM population.persons')",
    "con.execute('SELECT age FROM population.persons WHERE sex = ? AND age > ?', ['male', 3])",
    "con.execute('SELECT age FROM Population.PERSONS WHERE sex = $sex', {'sex': 'male'})",
    "con.sql('WITH a AS (SELECT age AS b FROM population.persons) SELECT b FROM a ORDER BY b')",
    "con.sql('CREATE TEMP TABLE t AS SELECT age FROM population.persons')\n"
    "con.sql('SELECT whatever FROM t JOIN population.persons USING (age)')",
    "col = 'age'\ncon.sql(f'SELECT {col} FROM population.persons WHERE age > {col}')",
    "import pandas as pd\nframe = pd.DataFrame({'x': [1]})\ncon.register('frame', frame)\n"
    "con.sql('SELECT x FROM frame')",
    "con.sql('CREATE SCHEMA populations')\ncon.sql('CREATE TABLE populations.x (a int)')\n"
    "con.sql('SELECT a FROM populations.x')",
    "con.sql('SELECT my_function(age) FROM population.persons')",
    "con.sql('SELECT a FROM somewhere.else')",
    "con.sql('DESCRIBE population.persons')\ncon.sql('SUMMARIZE population.persons')",
    "con.sql('SELECT province_code FROM published.admin_provinces_34')",
    "import sqlite3\nsqlite3.connect('a.db').execute('SELECT x FROM orders')",
    "lab.table('population.persons')\nlab.describe('population')\nlab.describe('published')",
    "con.sql('SELECT sum(age) AS s FROM population.persons GROUP BY sex HAVING s > 3')",
    "con.sql('SELECT age, count(*) FILTER (sex = \\'male\\') FROM population.persons GROUP BY ALL')",
]


def test_nothing_is_told_of_sql_that_would_run_or_that_only_the_run_can_judge(told):
    assert told(LAB, *SOUND) == []


@pytest.mark.parametrize(
    "cell",
    [
        "if con:\n    con.sql('SELECT agee FROM population.persons')",
        "try:\n    con.sql('SELECT agee FROM population.persons')\nexcept Exception:\n    pass",
    ],
)
def test_what_may_not_run_or_is_caught_warns(told, cell):
    assert [one[0] for one in told(LAB + cell)] == ["warning"]


def test_names_in_the_declaration_are_judged_too(told):
    ((*place, why),) = told("1", reads={"population.persons": ["agee"]})
    assert place == ["error", "reads", None, None]
    assert "'age'?" in why


def test_a_dataset_that_is_not_built_here_is_not_the_notebooks_fault(told):
    assert told(LAB + "con.sql('FROM land.parcels')", reads={"land.parcels": []}) == []


def test_without_a_catalogue_names_are_not_judged():
    made = v4.new_notebook(cells=[v4.new_code_cell(LAB + "con.sql('FROM population.person')")])
    assert checked(notebook_files.parse("a", writes(made).encode()), Given()).findings == []


def test_what_a_query_would_compute_is_not_computed(told):
    began = time.process_time()
    told(LAB + "con.sql('SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b')")
    assert time.process_time() - began < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [*templates_folder().glob("*.ipynb"), *notebooks_folder().glob("*.ipynb")],
    ids=lambda path: path.stem,
)
def test_nothing_is_found_in_what_ships(replicas, path):
    """Only population and enterprise are built here; the templates' own tests build the rest."""
    assert inspect(Settings(home=replicas), notebook_files.read(path)).findings == []
