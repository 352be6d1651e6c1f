"""The connection's log: which columns each cell of a run truly read, whatever way it asked."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from sandbox import catalog
from sandbox.lab import connection
from sandbox.lab.reads import Reads
from sandbox.settings import Settings
from tests.sandbox.tiny import replica

PERSONS = "population.persons"
COLUMNS = {"age", "person_id", "province_code", "sex"}


@pytest.fixture
def noted(tmp_path):
    """A connection as a run has it, its log, and a look at what a cell was noted to read."""
    replica(tmp_path / "home", "population", version="v1")
    shown = catalog.select(Settings(home=tmp_path / "home"), None).lab_catalog(None)
    path = tmp_path / "reads.json"
    reads = Reads(shown, path)

    def opened():
        found = connection.locked(shown, [], noted=True)
        reads.follow(found)
        return found

    def cell(count=1):
        reads.note(SimpleNamespace(execution_count=count))
        found = json.loads(path.read_text())["cells"].get(str(count), {})
        # Words of a filter that are no columns are left out by whoever reads the file.
        return {table: sorted({*columns} & COLUMNS) for table, columns in found.items()}

    return SimpleNamespace(connection=opened(), again=opened, cell=cell, path=path)


QUERIES = {
    "columns": ("SELECT age FROM population.persons", {"age"}),
    "a condition": ("SELECT age FROM population.persons WHERE sex = 'male'", {"age", "sex"}),
    "a star over less": ("SELECT age FROM (SELECT * FROM population.persons)", {"age"}),
    "a star": ("FROM population.persons", COLUMNS),
    "statistics": ("SELECT max(p.age) FROM population.persons AS p -- sex", {"age"}),
    "what is there": ("SELECT count(*) FROM population.persons WHERE sex IS NOT NULL", {"sex"}),
    "rows alone": ("SELECT count(*) FROM population.persons", set()),
    "a join": (
        "SELECT a.age FROM population.persons a JOIN population.persons b "
        "ON a.person_id = b.person_id",
        {"age", "person_id"},
    ),
    "a part of it": ("WITH x AS (FROM population.persons) SELECT max(age) FROM x", {"age"}),
    "a table of it": ("CREATE TEMP TABLE x AS SELECT sex FROM population.persons", {"sex"}),
    "a function": (
        "SELECT sex FROM population.persons WHERE abs(age) > 5",
        {"age", "sex"},
    ),
    "a list": (
        "SELECT count(*) FROM population.persons WHERE province_code IN ('01', 'sex', 'x')",
        {"province_code"},
    ),
}


@pytest.mark.parametrize(("sql", "columns"), QUERIES.values(), ids=QUERIES)
def test_the_log_names_what_a_query_truly_reads(noted, sql, columns):
    noted.connection.execute(sql)
    assert set(noted.cell().get(PERSONS, [])) == columns


def test_values_relations_views_and_cursors_are_noted_too(noted):
    own = noted.connection
    own.execute("SELECT sex FROM population.persons WHERE age > $1", [5]).fetchall()
    assert noted.cell(1) == {PERSONS: ["age", "sex"]}
    own.sql("FROM population.persons").filter("age > 5").project("province_code").fetchall()
    assert noted.cell(2) == {PERSONS: ["age", "province_code"]}
    own.execute("CREATE VIEW old AS SELECT * FROM population.persons WHERE age > 60")
    assert noted.cell(3) == {PERSONS: ["age"]}  # it names it
    own.cursor().execute("SELECT sex FROM old").fetchall()
    assert noted.cell(4) == {PERSONS: ["age", "sex"]}


def test_a_result_that_is_still_being_read_is_not_disturbed(noted):
    noted.connection.execute("SELECT age FROM population.persons ORDER BY age")
    assert noted.connection.fetchone() == (3,)
    assert noted.cell() == {PERSONS: ["age"]}
    assert noted.connection.fetchall() == [(25,), (34,), (80,)]


def test_each_cell_has_its_own_line_and_what_came_before_stays(noted):
    noted.connection.execute("SELECT age FROM population.persons").fetchall()
    noted.cell(1)
    noted.connection.execute("SELECT sex FROM population.persons").fetchall()
    noted.cell(2)
    cells = json.loads(noted.path.read_text())["cells"]
    assert cells == {"1": {PERSONS: ["age"]}, "2": {PERSONS: ["sex"]}}
    assert noted.cell(3) == {}


def test_a_connection_that_read_nothing_says_so(noted):
    assert noted.cell() == {}
    told = json.loads(noted.path.read_text())
    assert told == {"format": 1, "is_lost": False, "cells": {}}


@pytest.mark.parametrize("opens_again", [False, True])
def test_a_log_that_was_closed_away_is_told_to_be_lost(noted, opens_again):
    noted.connection.execute("SELECT age FROM population.persons").fetchall()
    noted.cell(1)
    noted.connection.close()
    if opens_again:
        noted.again().execute("SELECT sex FROM population.persons").fetchall()
    assert noted.cell(2) == ({PERSONS: ["sex"]} if opens_again else {})
    told = json.loads(noted.path.read_text())
    assert told["is_lost"] is True
    assert told["cells"]["1"] == {PERSONS: ["age"]}


def test_a_log_that_cannot_be_written_stops_no_notebook(noted):
    noted.path.mkdir()
    noted.connection.execute("SELECT age FROM population.persons").fetchall()
    with pytest.raises(IsADirectoryError):
        noted.cell()  # raised by this test's own look at the file


def test_a_person_at_work_leaves_no_log(tmp_path):
    replica(tmp_path / "home", "population", version="v1")
    shown = catalog.select(Settings(home=tmp_path / "home"), None).lab_catalog(None)
    with connection.locked(shown, []) as opened:
        opened.execute("SELECT age FROM population.persons").fetchall()
        assert opened.execute("SELECT count(*) FROM duckdb_logs").fetchall() == [(0,)]
