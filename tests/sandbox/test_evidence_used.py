"""What a run could read and reports as read, how true each column is, and what carries a result."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from sandbox.evidence.carried import columns_of
from sandbox.evidence.lineage import Lineage
from sandbox.evidence.reported import LARGEST_BYTES, reported
from sandbox.evidence.used import fidelity, verdict
from sandbox.lab.reads import NAME
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from synthetic.spec.load import digest, load_all
from tests.sandbox import notebooks
from tests.sandbox.tiny import replica

PERSONS = "population.persons"


def log(cells, **told):
    return json.dumps({"format": 1, "is_lost": False, "cells": cells, **told})


# ------------------------------------------------------------------------ the log


def test_the_log_is_read_cell_by_cell(tmp_path):
    (tmp_path / NAME).write_text(log({"3": {PERSONS: ["age", "sex"]}, "4": {}}))
    assert reported(tmp_path) == {3: {PERSONS: {"age", "sex"}}, 4: {}}


HOSTILE = {
    "none": None,
    "no JSON": "{",
    "a list": "[]",
    "deep": "[" * 100_000,
    "large": log({"3": {PERSONS: ["x" * LARGEST_BYTES]}}),
    "lost": log({}, is_lost=True),
    "unsaid": '{"cells": {}}',
    "cells of another kind": log([1]),
}


@pytest.mark.parametrize("written", HOSTILE.values(), ids=HOSTILE)
def test_a_log_that_is_none_or_not_whole_tells_nothing(tmp_path, written):
    if written is not None:
        (tmp_path / NAME).write_text(written)
    assert reported(tmp_path) is None


def test_a_log_of_odd_parts_keeps_what_can_be_read(tmp_path):
    odd = {"3": {PERSONS: ["age"]}, "x": {}, "-1": {}, "9" * 5000: {}, "5": 7, "6": {"t": 8}}
    (tmp_path / NAME).write_text(log(odd))
    assert reported(tmp_path) == {3: {PERSONS: {"age"}}, 6: {"t": set()}}


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_not_followed_and_not_waited_for(tmp_path, kind):
    (tmp_path / "secret").write_text(log({"3": {PERSONS: ["age"]}}))
    path = tmp_path / NAME
    if kind == "link":
        path.symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert reported(tmp_path) is None


# ------------------------------------------------------------------------ the verdict


def column(status="calibrated", *, is_key=False, on_assumed=False):
    return {"status": status, "is_key": is_key, "on_assumed": on_assumed}


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ([], "no data"),
        ([column()], "measured"),
        ([column("derived"), column()], "measured"),
        ([column("derived", on_assumed=True)], "assumed"),
        ([column(), column("assumed")], "partly assumed"),
        ([column("assumed"), column("derived", is_key=True)], "assumed"),
        ([column("derived", is_key=True)], "measured"),
        ([column("assumed")], "assumed"),
        ([column("unknown"), column()], "partly assumed"),
    ],
    ids=str,
)
def test_a_verdict_rests_on_what_carries(columns, wanted):
    assert verdict(columns) == wanted


# ------------------------------------------------------------------------ what carries a result


def executed(*sources):
    """Give an executed notebook of these cells."""
    notebook = notebooks.content(*sources)
    for count, cell in enumerate(notebook["cells"], start=1):
        cell["execution_count"] = count
    return notebook


CARRIED = {
    "the cell itself": (["a = con.sql('…').df()\nlab.result('x', a)"], {"age"}),
    "a cell before": (["a = con.sql('…')", "b = 1", "lab.result('x', a)"], {"age"}),
    "over two cells": (["a = q()", "b = a + 1", "lab.result('x', b)"], {"age"}),
    "another one": (["a = q()", "b = 1", "lab.result('x', b)"], set()),
    "a table of SQL": (
        [
            "con.execute('CREATE OR REPLACE TEMP TABLE chosen AS …')",
            "b = con.sql('SELECT n FROM chosen')",
            "lab.result('x', b)",
        ],
        {"age"},
    ),
    "a frame of %%sql": (["%%sql --page 1 kept <<\nSELECT 1", "lab.result('x', kept)"], {"age"}),
    "a registered frame": (
        ["con.register('mine', frame)", "lab.result('x', con.sql('FROM mine'))"],
        {"age"},
    ),
}


@pytest.mark.parametrize(("sources", "wanted"), CARRIED.values(), ids=CARRIED)
def test_a_result_is_carried_by_what_its_cells_read(sources, wanted):
    found = columns_of(executed(*sources), {1: {PERSONS: frozenset({"age"})}}, len(sources) - 1)
    assert found.get(PERSONS, set()) == wanted


def test_a_later_cell_carries_nothing():
    notebook = executed("lab.result('x', a)", "a = q()")
    assert columns_of(notebook, {2: {PERSONS: frozenset({"age"})}}, 0) == {}
    assert columns_of(notebook, {}, 99) == {}


# ------------------------------------------------------------------------ where columns come from


@pytest.fixture(scope="module")
def lineage():
    specs = load_all(["enterprise"])
    told = [
        {"dataset": dataset, "hashes": {"spec": digest(spec)}} for dataset, spec in specs.items()
    ]
    return Lineage.of(told)


def test_a_derived_column_names_what_it_was_computed_from(lineage):
    found = lineage.computed_from("population", "persons", "full_name")
    assert {"population.persons.surname", "population.persons.given_name"} <= set(found)
    assert lineage.computed_from("population", "persons", "ethnic_group") == [
        "population.households.ethnic_group"
    ]


def test_only_columns_that_are_seen_are_named(lineage):
    for dataset, spec in lineage.specs.items():
        for table, told in spec.tables.items():
            for name in told.columns:
                for found in lineage.computed_from(dataset, table, name):
                    owner, other, seen = found.split(".")
                    assert not lineage.specs[owner].tables[other].columns[seen].hidden


@pytest.mark.parametrize("dataset", ["population", "nobody's", "../x"])
def test_of_a_replica_of_another_spec_nothing_is_known(dataset):
    known = Lineage.of([{"dataset": dataset, "hashes": {"spec": "another"}}])
    assert known.computed_from(dataset, "persons", "full_name") == []
    assert known.computed_from("population", "nobody", "x") == []


# ------------------------------------------------------------------------ the whole


@pytest.fixture
def ran(tmp_path):
    """A run as its supervisor leaves it, that read the small replica."""
    settings = Settings(home=tmp_path / "home")
    replica(settings.home, "population", version="v1")
    manifest = settings.replicas / "population" / "v1" / "manifest.json"
    folder = RunFolder(settings.runs / "20261122-120000-aaaaaa")
    folder.first.make()
    folder.work.mkdir()
    notebook = executed("a = q()", "b = r()", "lab.result('A', a)\nlab.result('B', b)")
    folder.executed.write_text(json.dumps(notebook))
    declared = {"name": "persons", "columns": ["age", "sex", "person_id"]}
    inputs = {"dataset": "population", "version": "v1", "tables": [declared]}
    record = {
        "inputs": [
            {**inputs, "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest()}
        ],
        "results": [
            {"name": "A", "value": 1, "n": 29, "cell": 2},
            {"name": "B", "value": 2, "n": 30, "cell": 2},
        ],
    }
    folder.record_file.write_text(json.dumps(record))
    return settings, folder, manifest


def test_both_what_could_be_read_and_what_was_have_their_figures(ran):
    settings, folder, _manifest = ran
    (folder.work / NAME).write_text(
        log({"1": {PERSONS: ["age", "optional"]}, "2": {PERSONS: ["person_id"]}, "3": {"x.y": []}})
    )
    told = fidelity(settings, folder)
    assert told["verdict"] == "measured"
    assert [one["column"] for one in told["could_read"]] == ["age", "sex", "person_id"]
    age, person = told["read"]
    assert (age["column"], age["status"], age["figure"]) == ("age", "calibrated", 0.0125)
    assert age["against"] == "population_province_34"
    assert (person["column"], person["is_key"]) == ("person_id", True)


def test_a_column_that_was_not_declared_and_yet_read_is_told(ran):
    settings, folder, _manifest = ran
    (folder.work / NAME).write_text(log({"1": {PERSONS: ["province_code"]}}))
    told = fidelity(settings, folder)
    assert [one["column"] for one in told["read"]] == ["province_code"]
    assert told["verdict"] == "assumed"


def test_without_a_log_what_could_be_read_counts(ran):
    settings, folder, _manifest = ran
    told = fidelity(settings, folder)
    assert told["read"] is None
    assert told["verdict"] == "partly assumed"
    assert [one["kind"] for one in told["warnings"]] == ["few rows"]


def test_few_rows_and_assumed_columns_are_warned_of(ran):
    settings, folder, _manifest = ran
    (folder.work / NAME).write_text(log({"1": {PERSONS: ["age"]}, "2": {PERSONS: ["sex"]}}))
    told = fidelity(settings, folder)
    # Both results stand in one cell, which rests on both columns.
    assert [(one["kind"], one["result"], one["n"]) for one in told["warnings"]] == [
        ("few rows", "A", 29)
    ]
    (folder.work / NAME).write_text(log({"2": {PERSONS: ["sex"]}}))
    told = fidelity(settings, folder)
    assert [(one["kind"], one["result"]) for one in told["warnings"]] == [
        ("few rows", "A"),
        ("only assumed columns", "A"),
        ("only assumed columns", "B"),
    ]
    assert told["warnings"][1]["columns"] == ["population.persons.sex"]


@pytest.mark.parametrize("change", ["gone", "another"])
def test_without_the_very_manifest_nothing_is_said(ran, change):
    settings, folder, manifest = ran
    if change == "gone":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text() + " ")
    told = fidelity(settings, folder)
    assert told["verdict"] == "failed"
    assert "population/v1 is gone, or is not the one of the run" in told["reason"]["message"]


def test_a_run_without_data_has_nothing_to_measure(ran):
    settings, folder, _manifest = ran
    folder.record_file.write_text(json.dumps({"inputs": [], "results": []}))
    assert fidelity(settings, folder)["verdict"] == "no data"
