"""Submitting: what is refused before anything is written, and what a submission freezes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox import runs
from sandbox.errors import IsolationError, NotebookError, ParameterError, RunError
from sandbox.runs import evidenced, registry
from sandbox.runs.folder import RUN_ID, RunFolder, new_id
from sandbox.runs.notebook import find, match
from sandbox.runs.record import Reason
from sandbox.runs.report.render import render
from sandbox.runs.states import NEXT, Kind, Status
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings, templates_folder
from synthetic.errors import StorageError
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY

PARAMETERS = 'name: str = "An"  # whose\ntimes: int = 1  # repeats'


def test_a_submission_freezes_notebook_parameters_and_person(settings, write):
    path = write("print(name * times)", parameters=PARAMETERS, title="Tên", question={"vi": "?"})
    run_id = runs.submit(
        settings, path, {"times": "3"}, team="Đội 1", author="Bình", why="thử\nnghiệm"
    )
    folder = RunFolder.find(settings, run_id)
    assert folder.status() is Status.QUEUED
    assert folder.notebook.read_bytes() == path.read_bytes()
    told = folder.submission()
    assert told["notebook_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["notebook_name"] == "experiment"
    assert told["title"] == {"vi": "Tên", "en": "Tên"}
    assert told["template"] is None
    assert [(one["name"], one["value"]) for one in told["parameters"]] == [
        ("name", "An"),
        ("times", 3),
    ]
    assert (told["team"], told["author"], told["why"]) == ("Đội 1", "Bình", "thử nghiệm")
    assert told["inputs"] == []


def test_runs_of_one_second_are_named_in_the_order_of_their_submission():
    second = datetime(2026, 11, 23, 14, 27, 48, tzinfo=UTC)
    moments = [second + timedelta(milliseconds=one) for one in range(0, 1000, 3)]
    names = [new_id(moment) for moment in moments]
    assert names == sorted(names)
    assert all(RUN_ID.fullmatch(name) for name in names)
    assert len({new_id(second) for _ in range(50)}) > 40  # two machines, one moment


def test_changed_parameters_reach_the_notebook_and_defaults_stay(bubblewrap, settings, write):
    path = write("print(name, times)", parameters=PARAMETERS)
    run_id = runs.submit(settings, path, {"name": 'Tí"\\n'})
    assert runs.execute(settings, run_id).succeeded
    executed = json.loads(RunFolder.find(settings, run_id).executed.read_text())
    assert executed["cells"][1]["metadata"]["tags"] == ["injected-parameters"]
    assert notebooks.text_of(executed, 2) == 'Tí"\\n 1\n'


def test_what_a_killed_submission_leaves_is_swept_by_the_next(settings, write, tmp_path):
    path, attached = write("1"), tmp_path / "more.csv"
    attached.write_text("a\n1\n")
    killed = (
        "import os, signal, sys; from pathlib import Path; from sandbox import runs;"
        "from sandbox.settings import Settings;"
        "runs.submit(Settings(home=Path(sys.argv[1])), Path(sys.argv[2]),"
        " attached=[Path(sys.argv[3])], check=lambda offer: os.kill(os.getpid(), signal.SIGKILL))"
    )
    command = [sys.executable, "-c", killed, settings.home, path, attached]
    assert subprocess.run(command, check=False, cwd=REPOSITORY).returncode == -9
    (left,) = settings.runs.iterdir()
    assert [one.name for one in left.rglob("more.csv")] == ["more.csv"]
    run_id = runs.submit(settings, path)
    assert [one.name for one in settings.runs.iterdir()] == [run_id]


def test_what_a_killed_writer_left_is_swept_by_whoever_takes_the_run(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("1"))
    folder = RunFolder.find(settings, run_id)
    for file in (folder.record_file, folder.state_file, folder.evidence_file, folder.report):
        (folder.path / f".{file.name}-6dalktpj").write_bytes(b"{")
    assert runs.execute(settings, run_id).succeeded
    assert not [one for one in folder.path.iterdir() if one.name.startswith(".")]


def test_a_report_whose_writer_was_killed_is_drawn_by_whoever_looks_at_the_run(
    bubblewrap, settings, write, monkeypatch
):
    run_id = runs.submit(settings, write("1"))
    assert runs.execute(settings, run_id).succeeded
    folder = RunFolder.find(settings, run_id)
    cancelled = Reason(kind=Kind.CANCELLED, message=evidenced.CANCELLED)
    evidenced.close(folder, Verdict.FAILED, cancelled)
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", lambda self, target: sys.exit("killed"))
        killed.setattr(Path, "unlink", lambda self, missing_ok=False: None)
        with pytest.raises(SystemExit):
            render(folder.path, settings=settings)
    before = folder.report.read_bytes()
    assert [one.name for one in folder.path.iterdir() if one.name.startswith(".")]
    with folder.locked():  # somebody is drawing it
        runs.show(settings, run_id)
        assert folder.report.read_bytes() == before
    runs.show(settings, run_id)
    assert not [one.name for one in folder.path.iterdir() if one.name.startswith(".")]
    drawn = folder.report.read_bytes()
    assert drawn != before
    render(folder.path, settings=settings)
    assert folder.report.read_bytes() == drawn


BAD_FILES = {
    "not JSON": b"hello",
    "no notebook": b'{"a": 1}',
    "a list": b"[]",
    "binary": b"\xff\xfe\x00",
    "an old format": b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}',
    "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "wrong cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}',
    "nothing to run": json.dumps(notebooks.content("  ")).encode(),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_notebook_is_refused(settings, tmp_path, name):
    path = tmp_path / "x.ipynb"
    path.write_bytes(BAD_FILES[name])
    with pytest.raises(NotebookError):
        runs.submit(settings, path)
    assert not settings.home.exists()


def test_a_notebook_in_another_language_is_refused(settings, tmp_path):
    content = notebooks.content("1")
    content["metadata"]["kernelspec"]["language"] = "R"
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(content))
    with pytest.raises(NotebookError, match="written in r; only Python"):
        runs.submit(settings, path)


@pytest.mark.parametrize(
    "reads", [[], "population.persons", {"population.persons": "age"}, {"a": [1]}]
)
def test_a_wrong_declaration_of_inputs_is_refused(settings, tmp_path, reads):
    content = notebooks.content("1")
    content["metadata"]["sandbox"]["reads"] = reads
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(content))
    with pytest.raises(NotebookError, match="must map tables to lists of columns"):
        runs.submit(settings, path)


def test_an_unknown_template_is_refused_with_the_nearest(settings):
    with pytest.raises(NotebookError, match="no template 'nothing_like_it' and no such file"):
        runs.submit(settings, "nothing_like_it")
    with pytest.raises(NotebookError, match="cannot read the notebook"):
        runs.submit(settings, "folder/none.ipynb")
    with pytest.raises(NotebookError, match="is a folder"):
        runs.submit(settings, Path("/"))


def test_a_wrong_parameter_leaves_nothing_behind(settings, write):
    path = write("print(name)", parameters=PARAMETERS)
    with pytest.raises(ParameterError, match="did you mean 'times'"):
        runs.submit(settings, path, {"time": "3"})
    assert not settings.home.exists()


def test_a_home_that_is_a_file_is_told(tmp_path, write):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file, not a folder"):
        runs.submit(Settings(home=tmp_path / "file" / "home"), write("1"))


def test_a_full_disk_is_told_and_nothing_half_written_stays(bubblewrap, tmp_path, write):
    small = tmp_path / "small"
    small.mkdir()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sandbox import runs\n"
        "from sandbox.settings import Settings\n"
        "home = Path(sys.argv[1])\n"
        "try: runs.submit(Settings(home=home), sys.argv[2])\n"
        "finally: print(list((home / 'runs').iterdir()))\n"
    )
    done = subprocess.run(
        [
            *["bwrap", "--dev-bind", "/", "/", "--size", "8192", "--tmpfs", str(small), "--"],
            *[sys.executable, "-c", script, str(small), str(write("x = '" + "x" * 9000 + "'"))],
        ],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )
    assert "StorageError" in done.stderr, done.stderr
    assert "the disk is full; free some space" in done.stderr
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("run_id", ["", "..", "../x", "20261122-000000-abcdef", "a" * 300, "\0"])
def test_a_run_that_is_not_there_is_told(settings, run_id):
    with pytest.raises(RunError, match="run list"):
        runs.show(settings, run_id)


def test_a_frozen_notebook_that_was_changed_is_not_executed(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("print(1)"))
    folder = RunFolder.find(settings, run_id)
    folder.notebook.chmod(0o644)
    folder.notebook.write_bytes(folder.notebook.read_bytes().replace(b"print(1)", b"print(2)"))
    outcome = runs.execute(settings, run_id)
    assert outcome.status is Status.FAILED
    assert outcome.reason.kind == "could not start"
    assert "not the one that was submitted" in outcome.reason.message


def test_a_run_is_executed_once(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("1"))
    assert runs.execute(settings, run_id).succeeded
    with pytest.raises(RunError, match="is succeeded and cannot become running"):
        runs.execute(settings, run_id)


def test_a_queued_run_is_cancelled_and_then_never_runs(settings, write, bubblewrap):
    run_id = runs.submit(settings, write("1"))
    assert runs.cancel(settings, run_id) is Status.CANCELLED
    with pytest.raises(RunError, match="cannot become running"):
        runs.execute(settings, run_id)


def test_the_list_is_rebuilt_from_the_folders(settings, write, bubblewrap):
    ids = [runs.submit(settings, write("1")) for _ in range(3)]
    assert [one["id"] for one in runs.listed(settings)] == sorted(ids, reverse=True)
    settings.registry.unlink()
    assert {one["id"] for one in runs.listed(settings)} == set(ids)
    settings.registry.write_bytes(b"damaged" * 1000)
    assert {one["id"] for one in runs.listed(settings)} == set(ids)
    (settings.runs / ids[0] / "run.json").unlink()
    assert {one["id"] for one in runs.listed(settings)} == set(ids[1:])


def test_only_the_table_of_states_moves_a_run(settings, write, bubblewrap):
    folder = RunFolder.find(settings, runs.submit(settings, write("1")))
    with pytest.raises(RunError, match="is queued and cannot become succeeded"):
        folder.move(Status.SUCCEEDED, by="test")
    folder.move(Status.RUNNING, by="test")
    folder.move(Status.LOST, by="test")
    state = json.loads(folder.state_file.read_text())
    assert [(one["from"], one["to"]) for one in state["history"]] == [
        (None, "queued"),
        ("queued", "running"),
        ("running", "lost"),
    ]
    assert all(set(steps) <= set(Status) for steps in NEXT.values())
    assert registry.look_after(folder) is Status.LOST


# ------------------------------------------------------------------------------------------------
# Without isolation


@pytest.fixture
def without_bubblewrap(tmp_path, monkeypatch):
    """A machine whose bubblewrap does not work."""
    from sandbox.kernels import isolation

    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    isolation.available.cache_clear()
    yield
    isolation.available.cache_clear()


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A shipped template that reads nothing."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    path = notebooks.write(shipped / "counting.ipynb", "print(n + 1)", parameters="n: int = 1")
    monkeypatch.setattr("sandbox.runs.notebook.templates_folder", lambda: shipped)
    return path


def test_without_isolation_a_foreign_notebook_is_refused(without_bubblewrap, settings, write):
    with pytest.raises(IsolationError) as caught:
        runs.submit(settings, write("1"))
    assert "No permissions" in str(caught.value)
    assert "not an unchanged template" in str(caught.value)
    assert not settings.home.exists()


def test_without_isolation_an_unchanged_template_runs_and_says_so(
    without_bubblewrap, settings, template
):
    run_id = runs.submit(settings, "counting", {"n": "41"})
    assert runs.execute(settings, run_id).succeeded
    facts = runs.show(settings, run_id)
    assert facts["template"] == {"name": "counting", "unchanged": True}
    assert facts["isolation"]["mechanism"] == "none"
    assert "without isolation" in facts["isolation"]["note"]
    executed = json.loads(Path(facts["executed_notebook"]).read_text())
    assert notebooks.text_of(executed, 2) == "42\n"


def test_without_isolation_a_changed_template_is_refused(
    without_bubblewrap, settings, template, tmp_path
):
    copy = tmp_path / "counting.ipynb"
    copy.write_text(template.read_text().replace("n + 1", "n + 2"))
    assert match(find(copy)) == {"name": "counting", "unchanged": False}
    with pytest.raises(IsolationError):
        runs.submit(settings, copy)


def test_a_template_that_changes_after_it_was_queued_is_not_run_unisolated(
    without_bubblewrap, settings, template
):
    run_id = runs.submit(settings, "counting")
    template.write_text(template.read_text().replace("n + 1", "n + 2"))
    outcome = runs.execute(settings, run_id)
    assert outcome.reason.kind == "could not start"
    assert "unchanged template" in outcome.reason.message


def test_a_machine_without_the_program_is_told_how_to_install_it(monkeypatch, tmp_path):
    from sandbox.kernels import isolation

    monkeypatch.setenv("PATH", str(tmp_path))
    found = isolation.probe()
    assert not found
    assert "bwrap is not installed" in found.message
    assert "apt-get install bubblewrap" in found.message


def test_an_old_program_is_told(monkeypatch, tmp_path):
    from sandbox.kernels import isolation

    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert "bubblewrap 0.6.1 is too old: 0.8 or newer" in isolation.probe().message


def test_the_shipped_templates_are_recognised():
    for path in templates_folder().glob("*.ipynb"):
        assert match(find(path.stem)) == {"name": path.stem, "unchanged": True}
