"""A trial on a small replica before a submission: what it stops, what it only warns of, what it costs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sandbox import preflight, runs
from sandbox.language import LANGUAGES, speaking
from sandbox.preflight import small, trial, tried
from sandbox.runs import notebook as notebook_files
from sandbox.runs import submission
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.settings import Settings
from tests.sandbox import foreign, notebooks
from tests.sandbox.commands import sandbox

LAB = "from sandbox import lab\ncon = lab.connect()"
READS = {"population.persons": ["age", "sex", "province_code"]}


def offer(tmp_path, settings, *cells, reads=READS, **options):
    """Give what is about to be frozen."""
    path = notebooks.write(tmp_path / "mine.ipynb", *cells, reads=reads, **options)
    found = notebook_files.read(path)
    inputs = submission.inputs_of(settings, found, None)
    values = submission.values_of(found, {})
    return submission.Offer(notebook=found, parameters=values, inputs=inputs, attachments=())


@pytest.fixture(scope="module")
def home(replicas):
    """The home with the replicas of the tests."""
    return Settings(home=replicas)


@pytest.mark.parametrize(
    ("error", "is_stopped"),
    [
        ("ModuleNotFoundError: No module named 'polar'", True),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'", True),
        ('BinderException: Binder Error: Referenced column "agee" not found', True),
        ("CatalogException: Catalog Error: Table with name x does not exist!", True),
        ('SqlError: there is no column "agee"', True),
        ("TypeError: f() missing 1 required positional argument: 'x'", True),
        ("AttributeError: 'DataFrame' object has no attribute 'hed'", True),
        ("NameError: name 'prnt' is not defined", True),
        ("NameError: name 'last' is not defined", False),  # made in a loop over no rows
        ("KeyError: 'agee'", True),
        ("KeyError: '79'", False),
        ("KeyError: 'age'", False),
        ("TypeError: 'NoneType' object is not subscriptable", False),
        ("TypeError: '<' not supported between instances of 'str' and 'float'", False),
        ("AttributeError: Can only use .str accessor with string values!", False),
        ("ValueError: n_splits=5 cannot be greater than the number of members", False),
        ("ZeroDivisionError: division by zero", False),
        ("IndexError: single positional indexer is out-of-bounds", False),
        ("AssertionError: ", False),
    ],
)
def test_only_an_error_that_more_rows_would_not_mend_stops(home, tmp_path, error, is_stopped):
    made = offer(tmp_path, home, "for last in []:\n    pass", "last")
    ran = {
        "cells": [
            *made.notebook.cells[:1],
            {
                **made.notebook.cells[1],
                "outputs": [
                    {
                        "output_type": "error",
                        "traceback": ["\x1b[31mCell \x1b[0mIn[2], line 7", "Cell In[1], line 1"],
                    }
                ],
            },
        ]
    }
    reason = Reason(kind=Kind.CELL_ERROR, message=error, cell=1)
    finding = tried.judged(made, reason, ran)
    assert (finding.is_error, finding.cell, finding.line) == (is_stopped, 2, 7)
    for lang in LANGUAGES:
        with speaking(lang):
            assert error.partition(":")[0] in str(finding.why)


@pytest.mark.parametrize("kind", [Kind.MEMORY, Kind.KERNEL_DIED, Kind.EXIT_CALLED])
def test_an_end_that_is_no_error_of_a_cell_warns(home, tmp_path, kind):
    made = offer(tmp_path, home, "1")
    finding = tried.judged(made, Reason(kind=kind, message="so", cell=None), {"cells": []})
    assert not finding.is_error


def test_a_cell_is_counted_as_its_author_does_where_parameters_were_put_in(home, tmp_path):
    made = offer(tmp_path, home, "1", "2", parameters="n: int = 1  # n")
    extra = notebooks.cell("n = 2", name="injected-parameters")
    cells = [made.notebook.cells[0], extra, *made.notebook.cells[1:]]
    reason = Reason(kind=Kind.CELL_ERROR, message="ImportError: x", cell=3)
    assert tried.judged(made, reason, {"cells": cells}).cell == 3


def test_a_run_that_reads_little_is_its_own_trial(home, tmp_path):
    made = offer(tmp_path, home, LAB)
    assert small.n_rows(made.inputs) < small.LARGE
    assert not trial.is_usual(home, made)
    assert trial.attempt(home, made).verdict is trial.Verdict.NOT_RUN
    assert not small.is_worth(None)


def test_a_large_one_is_tried_unless_it_is_a_template_or_switched_off(home, tmp_path, monkeypatch):
    monkeypatch.setattr(small, "LARGE", 1000)
    made = offer(tmp_path, home, LAB)
    assert trial.is_usual(home, made)
    assert not trial.is_usual(replace(home, trial=False), made)
    template = notebook_files.find("market_sizing")
    assert not trial.is_usual(home, replace(made, notebook=template))


def test_one_trial_at_a_time_and_nobody_waits_unasked(settings):
    with small.turn(settings, waits=False) as first, small.turn(settings, waits=False) as second:
        assert (first, second) == (True, False)
    with small.turn(settings, waits=True) as again:
        assert again


def test_what_came_of_a_trial_is_told_in_both_languages():
    for verdict in trial.Verdict:
        record = trial.Trial(verdict=verdict, seconds=2.25, asked=True).to_record()
        for lang in LANGUAGES:
            with speaking(lang):
                assert trial.told(record)
    assert trial.told(None) == trial.told(trial.NONE.to_record()) == ""


@pytest.mark.slow
def test_a_trial_executes_on_few_rows_and_leaves_nothing(bubblewrap, home, tmp_path):
    made = offer(
        tmp_path,
        home,
        LAB,
        "n = con.sql('SELECT count(*) FROM population.persons').fetchall()[0][0]\n"
        "assert 1000 < n < 20_000, n",
        "assert wanted == 2",
        parameters="wanted: int = 2  # two",
    )
    shown = trial.attempt(home, made, asked=True)
    assert (shown.verdict, shown.scale) == (trial.Verdict.PASSED, "0.0001")
    assert list((home.trials / "runs").iterdir()) == []
    assert not home.runs.exists() or not list(home.runs.glob("trial-*"))


@pytest.mark.slow
def test_a_notebook_that_needs_more_rows_is_tried_on_more(bubblewrap, home, tmp_path, monkeypatch):
    monkeypatch.setattr(small, "SCALES", ("0.0001", "0.0002"))
    monkeypatch.setattr(small, "WORTH", 2)
    count = "n = con.sql('SELECT count(*) FROM population.persons').fetchall()[0][0]\n"
    enough = f"{count}if n < 15_000:\n    raise ValueError('too few rows')"
    shown = trial.attempt(home, offer(tmp_path, home, LAB, enough), asked=True)
    assert (shown.verdict, shown.scale) == (trial.Verdict.PASSED, "0.0002")
    never = "raise ValueError('never enough')"
    shown = trial.attempt(home, offer(tmp_path, home, LAB, never), asked=True)
    assert shown.verdict is trial.Verdict.UNSURE
    assert [one.is_error for one in shown.findings] == [False]


@pytest.mark.slow
def test_a_typo_stops_a_submission_in_the_trial(bubblewrap, home, tmp_path):
    cells = [LAB, "frame = con.sql('FROM population.persons').df()\n\nframe.hed()"]
    path = notebooks.write(tmp_path / "a.ipynb", *cells, reads=READS)
    done = sandbox(home.home, "run", "submit", path, "--trial", "--wait", SANDBOX_LANG="en")
    assert done.returncode == 1
    assert "error, cell 2, line 3: tried on a small replica, this cell fails" in done.stderr
    assert "'DataFrame' object has no attribute 'hed'" in done.stderr
    checked = sandbox(home.home, "run", "check", path, "--trial", "--json")
    told = json.loads(checked.stdout)
    assert (checked.returncode, told["trial"]["verdict"]) == (1, "failed")
    assert [(one["code"], one["cell"], one["line"]) for one in told["findings"]] == [
        ("trial", 2, 3)
    ]


@pytest.mark.slow
def test_attached_files_go_into_the_trial(bubblewrap, home, tmp_path):
    foreign.csv(tmp_path)
    cells = [
        LAB,
        "%%sql\nSELECT count(*) FROM attached.customers",
        "open(lab.attachment('customers.csv'))",
    ]
    path = notebooks.write(tmp_path / "a.ipynb", *cells, reads=READS)
    run_id = runs.submit(
        home,
        path,
        attached=preflight.gather(path, notebook_files.read(path)),
        check=lambda made: preflight.passed(made, settings=home, trial=True),
    )
    assert runs.show(home, run_id)["trial"]["verdict"] == "passed"
    assert runs.show(home, run_id)["findings"] == []


@pytest.mark.slow
def test_a_notebook_without_an_end_says_nothing_in_its_trial(
    bubblewrap, home, tmp_path, monkeypatch
):
    monkeypatch.setattr(trial, "LIMITS", replace(trial.LIMITS, wall_s=4))
    made = offer(tmp_path, home, "import time\nwhile True:\n    time.sleep(0.1)")
    shown = trial.attempt(home, made, asked=True)
    assert (shown.verdict, shown.findings) == (trial.Verdict.UNFINISHED, ())
