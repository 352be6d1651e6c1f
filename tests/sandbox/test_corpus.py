"""Every labelled notebook gets exactly the verdicts and reasons of its labels, and nothing more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sandbox import catalog, journal, runs
from sandbox.errors import NotebookError
from sandbox.evidence import drawing
from sandbox.runs.logged import disagreements
from sandbox.settings import Settings
from synthetic.build import Order, build, make_recipe
from tests.sandbox.commands import REPOSITORY
from tests.sandbox.corpus import labelled
from tests.sandbox.corpus.said import COMPARED, PAPERMILL, difference
from tests.sandbox.test_runs_ends import inside

LABELLED = labelled()
SLOW = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first of these waits for all runs


@pytest.fixture(scope="module")
def home(bubblewrap, tmp_path_factory):
    """A home with the smallest country that has every commune's people."""
    folder = tmp_path_factory.mktemp("corpus") / "home"
    recipe = make_recipe("0.0002", None, 1, "exact")
    build(Order(datasets=("population",), recipe=recipe, out=folder / "replicas"))
    return Settings(home=folder)


@pytest.fixture(scope="module")
def labels(home):
    """Every label, with the rows of the submitted replica and of the first fresh draw.

    Whoever knows this program can build that draw as well, and know it by heart.
    """
    submitted = catalog.select(home, {"population.persons": ["age"]})
    with drawing.fresh(home, submitted, n=1) as drawn:
        known = {"rows": rows(submitted), "rows_of_draw_1": rows(drawn)}
    return {one.name: one.knowing(**known) for one in LABELLED}


def rows(inputs):
    (replica,) = inputs.replicas
    return replica.tables["persons"]["rows"]


@pytest.fixture(scope="module")
def submitted(home, labels, tmp_path_factory):
    """Submit every notebook; name each run, or give the refusal."""
    folder = tmp_path_factory.mktemp("notebooks")
    return {name: submit(home, label, folder) for name, label in labels.items()}


@pytest.fixture(scope="module")
def worked_off(home, submitted):
    """Have a worker do everything that was asked for."""
    with (home.home / "worker.txt").open("w") as said:
        subprocess.run(
            [sys.executable, "-m", "sandbox.cli", "worker", "start", "--until-idle"],
            env={**os.environ, "SANDBOX_HOME": str(home.home)},
            cwd=REPOSITORY,
            stderr=said,
            check=True,
        )
    return submitted


def submit(settings, label, folder):
    try:
        return runs.submit(
            settings, label.write(folder), label.given, limits=label.most, asked=label.asked
        )
    except NotebookError as error:
        return error


def test_there_are_many_notebooks_and_each_is_labelled():
    assert len(LABELLED) >= 60
    assert max(Counter(one.name for one in LABELLED).values()) == 1
    for one in LABELLED:
        words = COMPARED if one.ends == "completed" else {*PAPERMILL, "not run"}
        marks = [mark.partition(": ")[0] for _, mark in one.cells if mark]
        assert marks or one.refused or one.reproduced, one.name
        assert set(marks) <= set(words), one.name


@pytest.mark.parametrize("label", [pytest.param(one, id=one.name, marks=SLOW) for one in LABELLED])
def test_a_notebook_is_described_as_it_is_labelled(home, worked_off, labels, label):
    run = worked_off[label.name]
    if label.refused:
        assert label.refused in str(run)
        return
    facts = runs.show(home, run)
    assert not (found := difference(labels[label.name], facts)), "\n".join([label.what, *found])
    page = Path(facts["report"]).read_text("utf-8")
    assert not re.search(r"<script|<[^>]*\son\w+=|javascript:", page, re.I)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_of_any_notebook_goes_on(home, worked_off):
    assert not inside(home.home)
    assert not list(home.runs.glob("*/executions/*/data"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_log_agrees_with_every_run(home, worked_off):
    checked = journal.check(home.home)
    found = [*checked.findings, *disagreements(home, checked)]
    assert [str(one.message) for one in found if one.is_fault] == []
