"""The commands `sandbox run …`, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox.cli import main
from tests.processes import PATIENCE_S
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY, performed, sandbox
from tests.sandbox.conftest import NOBODY, user_folder

KINDS = ["as a user"]
if os.geteuid() == 0:
    KINDS.append(pytest.param("as root", marks=pytest.mark.slow))
KEYS = {
    "id",
    "status",
    "reason",
    "cells",
    "inputs",
    "isolation",
    "results",
    "conclusions",
    "executed_notebook",
    "report",
    "record",
}


@pytest.fixture(params=KINDS)
def user(request, bubblewrap):
    """A home of a person, and the command as that person runs it."""
    with user_folder(request.param) as (folder, words):

        def command(*given):
            return sandbox(folder / "home", *given, before=words, HOME=folder)

        command.folder = folder
        command.as_root = request.param == "as root"
        yield command


def test_submit_wait_show_list(user):
    path = notebooks.write(
        user.folder / "n.ipynb", "print(age)", parameters="age: int = 1  # years"
    )
    done = user("run", "submit", str(path), "-p", "age=30", "--team", "T", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert set(facts) >= KEYS
    assert facts["status"] == "succeeded"
    assert facts["isolation"]["as_root"] is user.as_root
    assert [one["state"] for one in facts["cells"]] == ["succeeded"] * 3
    assert json.loads(user("run", "show", facts["id"], "--json").stdout) == facts
    assert facts["id"] in user("run", "show", facts["id"]).stdout
    (one,) = json.loads(user("run", "list", "--json").stdout)["runs"]
    assert (one["id"], one["status"], one["team"]) == (facts["id"], "succeeded", "T")
    assert f"{facts['id']}  succeeded  n  T" in user("run", "list").stdout


def test_a_failed_run_has_another_exit_code(user):
    path = notebooks.write(user.folder / "n.ipynb", "1 / 0")
    done = user("run", "submit", str(path), "--wait")
    assert done.returncode == 1
    assert "cell error: ZeroDivisionError: division by zero" in done.stdout


def test_a_hog_that_hides_its_memory_from_an_ordinary_user_is_seen(bubblewrap):
    with user_folder("as a user") as (folder, words):
        path = notebooks.write(
            folder / "n.ipynb",
            "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"
            "x = [bytearray(b'x' * 20_000_000) for _ in range(1000)]",
        )
        told = {
            "work": str(folder / "work"),
            "data": str(folder),
            "limits": {"memory_bytes": 400 << 20, "wall_s": 60},
            "notebook": str(path),
        }
        assert performed(told, before=words)["reason"]["kind"] == "memory"


def test_a_home_that_cannot_be_written_is_told(bubblewrap):
    with user_folder("as a user") as (folder, words):
        path = notebooks.write(folder / "n.ipynb", "1")
        closed = folder / "closed"
        closed.mkdir()
        if os.geteuid() == 0:
            os.chown(closed, NOBODY, NOBODY)
        closed.chmod(0o500)
        done = sandbox(closed / "home", "run", "submit", path, before=words)
        assert done.returncode == 3
        assert "no permission to write there; choose a folder that is yours" in done.stderr
        assert "Traceback" not in done.stderr


BAD_WORDS = [
    (["run", "submit", "no_such_template"], "market_sizing"),
    (["run", "submit", "pyproject.toml"], "give a notebook that Jupyter saved (.ipynb)"),
    (["run", "submit", "/dev/zero"], "is not a file"),
    (["run", "submit", "no/such.ipynb"], "or the name of a template: "),
    (["run", "submit", "market_sizing", "-p", "class=1"], "is no Python keyword"),
    (["run", "submit", "market_sizing", "-p", "foo=1"], "'foo'; declared: age_from (int)"),
    (
        ["run", "submit", "market_sizing", "-p", "age_to=x"],
        "in 25; 'x' does not fit; on the command line: -p age_to=25",
    ),
    (["run", "submit", "market_sizing", "--scale", "x"], "a number above 0 and up to 1"),
    (["data", "show", "published.nope"], "`sandbox data list` shows"),
    (["run", "show", "../../x"], "is not the name of a run"),
    (["run", "cancel", "20261122-000000-abcdef"], "there is no run"),
    (["run", "submit", "x", "-p", "age"], "is not NAME=VALUE"),
    (["run", "submit", "x", "-p", "a=1", "-p", "a=2"], "is given twice"),
]


@pytest.mark.parametrize(("words", "message"), BAD_WORDS)
def test_bad_input_is_one_message_and_a_code(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(REPOSITORY)
    environ = {"SANDBOX_HOME": str(tmp_path / "home"), "SANDBOX_LANG": "en"}
    done = CliRunner().invoke(main, words, env=environ)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("words", [["run", "list"], ["data", "list"], ["demo"]])
def test_a_home_that_cannot_be_read_is_told(bubblewrap, words):
    with user_folder("as a user") as (folder, before):
        closed = folder / "closed"
        closed.mkdir(mode=0o000)
        done = sandbox(closed / "home", *words, before=before)
        assert done.returncode == 3, done.stderr
        assert "no permission" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_notebook_that_cannot_be_read_is_told(bubblewrap):
    with user_folder("as a user") as (folder, before):
        closed = folder / "closed"
        closed.mkdir(mode=0o000)
        done = sandbox(folder / "home", "run", "submit", closed / "n.ipynb", before=before)
        assert done.returncode == 2
        assert "cannot read the notebook" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_full_output_is_told(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.cli", "data", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SANDBOX_HOME": str(tmp_path / "home")},
            cwd=REPOSITORY,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == (
        "Error: cannot read or write the output: the disk is full; free some space and try again\n"
    )


@pytest.mark.parametrize("words", [[], ["submit"], ["list"], ["show"], ["cancel"]])
def test_every_command_has_help(words):
    done = CliRunner().invoke(main, ["run", *words, "--help"], env={"SANDBOX_LANG": "en"})
    assert done.exit_code == 0
    assert "Usage:" in done.output
