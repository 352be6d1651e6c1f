"""`synthetic evaluate`, as a custodian calls it."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from click.testing import CliRunner

from synthetic.cli import main
from tests.synthetic.assess_tables import records, write


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    for seed, name in enumerate(("train", "holdout", "synthetic"), 1):
        write(records(200, seed), folder / f"{name}.parquet")
    return folder


def evaluate(folder, *more, real="train", synthetic="synthetic", holdout="holdout"):
    words = ["evaluate", "--real", f"{folder}/{real}.parquet"]
    words += ["--synthetic", f"{folder}/{synthetic}.parquet"]
    if holdout:
        words += ["--holdout", f"{folder}/{holdout}.parquet"]
    return CliRunner().invoke(main, [*words, *map(str, more)])


def marked(value):
    """Every object that says whether it may be released."""
    if isinstance(value, dict):
        if "releasable" in value:
            yield value
        for one in value.values():
            yield from marked(one)


def test_json_is_complete_and_every_section_says_that_it_must_stay_inside(files):
    done = evaluate(files, "--json", "--target", "poor")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["format"] == 1
    sections = ["tables", "fidelity", "utility", "privacy"]
    assert [key for key in told if isinstance(told[key], dict)] == sections
    found = list(marked(told))
    assert len(found) == 1 + len(sections)
    assert all(one["releasable"] is False and one["why"] for one in found)
    assert told["tables"]["rows"] == {"train": 200, "holdout": 200, "synthetic": 200}
    assert [one["width"] for one in told["fidelity"]["marginals"]] == [1, 2, 3]
    for one in told["fidelity"]["marginals"]:
        assert set(one["mean"]) == {"synthetic", "bootstrap", "holdout", "shuffled"}
    assert told["fidelity"]["associations"]["n_pairs"] == 10
    assert told["fidelity"]["conditional_independence"]["n_possible"] == 30
    (prediction,) = told["utility"]["predictions"]["predictions"]
    assert prediction["target"] == "poor"
    assert told["utility"]["conclusions"]["synthetic"]["same"] > 0
    names = {attack["name"] for attack in told["privacy"]["attacks"]}
    assert {"singling out", "linkability", "attribute inference"} <= names
    assert "without a --spec" in done.stderr
    assert not any(word in done.output for word in ("north", "south", "west"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(files):
    one, same, other = (
        evaluate(files, "--json", "--target", "poor", "--seed", seed).stdout for seed in (3, 3, 4)
    )
    assert one == same != other


@pytest.mark.slow
def test_the_terminal_shows_every_part_and_ends_with_the_warning(files):
    done = evaluate(files, "--target", "poor")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    for word in ("total variation, 3-way, mean of 10", "associations", "conclusions", "  poor"):
        assert any(word in line for line in lines), word
    assert any(line.startswith("  singling out") for line in lines)
    assert lines[-1].startswith("not releasable: ")
    assert max(map(len, lines[:-1])) < 200


@pytest.mark.slow
def test_the_page_is_printed_whole(files):
    done = evaluate(files, "--html", "--lang", "en", holdout=None)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.endswith("</html>")
    assert "NOT RELEASABLE" in done.stdout
    assert "not releasable" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [
        pytest.param(pa.table({"a": ["x", "y"] * 30}), id="one-column"),
        pytest.param(pa.table({"a": ["x", "y"], "b": [1, 2]}), id="two-rows"),
        pytest.param(pa.table({"a": ["x"], "b": [1.5]}), id="one-row"),
        pytest.param(pa.table({"a": pa.nulls(40), "b": pa.nulls(40)}), id="all-missing"),
        pytest.param(pa.table({"a": ["x"] * 40, "b": [7] * 40}), id="one-level"),
        pytest.param(pa.table({"a": [0.5, None] * 40, "b": ["x", "y"] * 40}), id="gaps-follow"),
    ],
)
@pytest.mark.parametrize("has_holdout", [False, True], ids=["alone", "held"])
def test_poor_tables_are_assessed_as_far_as_they_go(tmp_path, table, has_holdout):
    write(table, tmp_path / "train.parquet")
    done = evaluate(
        tmp_path,
        "--json",
        synthetic="train",
        holdout="train" if has_holdout else None,
    )
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert all(one["mean"]["synthetic"] == 0 for one in told["fidelity"]["marginals"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param(["--json", "--html"], "give one of them", id="both"),
        pytest.param(["--seed", "-1"], "--seed (-1) must be 0 or more", id="seed"),
        pytest.param(["--unit", "who"], "has no column 'who'", id="unit"),
        pytest.param(["--target", "pour"], "did you mean 'poor'?", id="target"),
        pytest.param(["--spec", "no.toml"], "no such spec file", id="spec"),
    ],
)  # fmt: skip
def test_wrong_options_are_told(files, more, message):
    done = evaluate(files, *more)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_a_broken_file_gives_no_traceback_and_no_value(files, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text('group,income\n"Nguyễn Văn Kín,1\n')
    done = subprocess.run(
        [
            *(sys.executable, "-m", "synthetic.cli", "evaluate", "--real", str(broken)),
            *("--synthetic", str(files / "synthetic.parquet")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "Kín" not in done.stderr
