"""The command line: help for everything, plain words for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from synthetic.cli import main
from synthetic.generation import models

from .specs import SMALL


def run(*arguments, **environ):
    return CliRunner().invoke(main, [str(a) for a in arguments], env=environ)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_and_option_has_help(name):
    command = main.commands[name]
    assert command.help
    assert all(p.help for p in command.params if isinstance(p, click.Option))
    assert run(name, "--help").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["build", "populaton"], 2, "unknown dataset 'populaton'; did you mean 'population'?"),
        (["build", "--scale", "0"], 2, "scale 0 must be above 0"),
        (["build", "--scale", "3"], 2, "at most 1 (the whole country)"),
        (["build", "--scale", "abc"], 2, "'abc' is not a number"),
        (["build", "--area", "999"], 2, "unknown area '999'"),
        (["build", "--seed", "-1"], 2, "seed -1"),
        (["build", "--workers", "0", "--scale", "0.0001"], 2, "workers 0 must be 1 or more"),
        (["build", "--specs", "/nowhere"], 2, "/nowhere: not a folder of specs"),
        (["build", "--out", "/proc/nowhere"], 3, "cannot"),
        (["show", "nothing"], 2, "unknown dataset 'nothing'; known: banking"),
        (["check", "/nowhere.toml"], 2, "/nowhere.toml: no such spec file"),
        (["verify", "/nowhere"], 3, "/nowhere: no such folder"),
    ],
)
def test_a_mistake_is_told_in_plain_words(tmp_path, arguments, code, message):
    out = [] if "--out" in arguments or arguments[0] != "build" else ["--out", tmp_path]
    result = run(*arguments, *out)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_folder_without_permission_is_told(tmp_path):
    if os.geteuid() == 0:
        # Root may write anywhere that is mounted for writing; /sys/kernel is not.
        target = "/sys/kernel/replicas"
    else:
        target = tmp_path / "closed"
        target.mkdir(mode=0o555)
    result = run("build", "population", "--scale", "0.0001", "--out", target)
    assert result.exit_code == 3
    assert "choose" in result.stderr


def test_build_show_and_list_give_one_json_object(tmp_path):
    built = run("build", "population", "--scale", "0.0001", "--out", tmp_path, "--json")
    facts = json.loads(built.stdout)
    assert [r["dataset"] for r in facts["replicas"]] == ["population"]
    assert facts["replicas"][0]["tables"][1]["rows"] == 10_134
    listed = json.loads(run("list", "--json").stdout)
    assert {"population", "enterprise", "health"} <= {d["dataset"] for d in listed["datasets"]}
    shown = json.loads(run("show", "enterprise", "--json").stdout)
    assert set(shown["tables"]) == {"enterprises", "employees"}
    assert "persons" in run("list").stdout
    assert "representative_id" in run("show", "enterprise").stdout


def test_a_home_is_where_replicas_go_by_default(tmp_path):
    result = run("build", "population", "--scale", "0.0001", SANDBOX_HOME=str(tmp_path))
    assert result.exit_code == 0
    assert len(list(tmp_path.glob("replicas/population/*/manifest.json"))) == 1


def test_check_finds_a_right_spec_right_and_a_wrong_one_wrong(tmp_path):
    path = tmp_path / "shops.toml"
    path.write_text(SMALL, "utf-8")
    assert "no fault found in 1 tables" in run("check", path).stdout
    path.write_text(SMALL.replace("room >= 1", "rum >= 1"), "utf-8")
    result = run("check", path)
    assert result.exit_code == 2
    assert "shops.toml: tables.shops.rules.0: unknown column 'rum'" in result.stderr


def test_a_spec_of_ones_own_builds_and_verifies_like_a_shipped_one(tmp_path):
    (tmp_path / "shops.toml").write_text(SMALL, "utf-8")
    arguments = ("--scale", "0.01", "--out", tmp_path / "out", "--specs", tmp_path)
    assert run("build", "shops", *arguments).exit_code == 0
    verified = run("verify", tmp_path / "out", "--specs", tmp_path)
    assert verified.exit_code == 0, verified.output
    assert "Has room" in verified.stdout


def test_freeze_would_write_what_is_packaged():
    result = run("freeze", "--dry-run")
    assert result.exit_code == 0
    assert "remove" not in result.stdout
    written = {line.split()[1] for line in result.stdout.splitlines()}
    assert written == {path.name for path in models.packaged_folder().iterdir()}


def test_importing_the_command_line_is_quick():
    code = "import sys, synthetic.cli; print(sorted({m.split('.')[0] for m in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = result.stdout
    for heavy in ("numpy", "pyarrow", "duckdb", "pandas", "pydantic"):
        assert f"'{heavy}'" not in loaded
