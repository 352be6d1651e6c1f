"""`synthetic new`: a spec that checks, builds and verifies as it stands, and overwrites nothing."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest
from click.testing import CliRunner

from synthetic.cli import main

from .test_schema import as_an_editor_sees


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_a_new_spec_checks_builds_and_verifies_as_it_stands(tmp_path):
    made = run("new", "school_buses", "--out", tmp_path / "specs")
    path = tmp_path / "specs" / "school_buses.toml"
    assert (made.exit_code, made.stdout.strip()) == (0, str(path))
    assert f"synthetic check {path}" in made.stderr
    assert "no fault found in 2 tables" in run("check", path).stdout
    options = ("--specs", path.parent, "--scale", "0.0005", "--area", "48", "--out", tmp_path / "o")
    built = run("build", "school_buses", *options, "--json")
    assert built.exit_code == 0, built.stderr
    users, visits = json.loads(built.stdout)["replicas"][1]["tables"]
    assert 0 < users["rows"] < visits["rows"]
    verified = run("verify", tmp_path / "o", "--specs", path.parent)
    assert verified.exit_code == 0, verified.output


def test_it_names_a_schema_that_lies_beside_it_and_that_it_fits(tmp_path):
    run("new", "school_buses", "--out", tmp_path)
    text = (tmp_path / "school_buses.toml").read_text("utf-8")
    assert text.startswith("#:schema ./dataset.schema.json\n")
    made = json.loads((tmp_path / "dataset.schema.json").read_text("utf-8"))
    jsonschema.validate(as_an_editor_sees(tomllib.loads(text)), made)


def test_it_leads_the_writer(tmp_path):
    run("new", "school_buses", "--out", tmp_path)
    text = (tmp_path / "school_buses.toml").read_text("utf-8")
    assert "<" not in text.replace("<=", "").replace(">=", "")  # no name left open
    for word in ("synthetic check", "synthetic build", "--specs", "[margins.", "because"):
        assert word in text


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    path = tmp_path / "school_buses.toml"
    path.write_text("mine", "utf-8")
    result = run("new", "school_buses", "--out", tmp_path)
    assert result.exit_code == 2
    assert f"{path}: exists, and is left as it is; choose another name" in result.stderr
    assert path.read_text("utf-8") == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["school_buses.toml"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("School", "small letters a to z"),
        ("1bus", "a letter first"),
        ("../bus", "small letters a to z"),
        ("bus\n", "small letters a to z"),
        ("xe_buýt", "small letters a to z"),
        ("a" * 64, "at most 63"),
        ("", "small letters"),
        ("published", "'published' is reserved"),
        ("main", "'main' is reserved"),
        ("search", "'search' is reserved"),
        ("population", "'population' is a packaged dataset's"),
    ],
)
def test_a_name_that_no_dataset_can_bear_is_refused(tmp_path, name, message):
    for verb in (("new", name), ("import", tmp_path / "x.csv", "--name", name)):
        result = run(*verb, "--out", tmp_path / "out")
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    result = run("new", "school_buses", "--out", tmp_path / "file" / "specs")
    assert result.exit_code == 3
    assert "is a file, not a folder" in result.stderr
