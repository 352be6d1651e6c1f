"""`sandbox demo` as a newcomer meets it: with isolation, without, and stopped half-way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.processes import PATIENCE_S
from tests.sandbox import notebooks
from tests.sandbox.commands import sandbox

SANDBOX = [sys.executable, "-m", "sandbox.cli"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(home):
    """The first call on a fresh home."""
    return sandbox(home, "demo", "--json")


@pytest.mark.usefixtures("bubblewrap")
def test_the_demo_goes_from_statistics_to_an_isolated_report(demo, home):
    assert demo.returncode == 0, demo.stderr
    facts = json.loads(demo.stdout)
    assert facts["status"] == "succeeded"
    assert facts["reason"]["kind"] == "completed"
    assert facts["isolation"]["mechanism"] == "bubblewrap"
    assert {cell["state"] for cell in facts["cells"]} == {"succeeded"}
    assert [r["dataset"] for r in facts["replicas"]] == ["population", "enterprise"]
    assert facts["replicas"][0]["rows"]["persons"] == 1_013_437
    assert len(facts["results"]) >= 4
    assert len(facts["conclusions"]) >= 1
    for name in ("report", "record", "executed_notebook"):
        assert Path(facts[name]).is_relative_to(home)
        assert Path(facts[name]).stat().st_size > 1000
    steps = [line for line in demo.stderr.splitlines() if line.startswith("[")]
    assert any("population: 1,295,545 rows" in step for step in steps)
    assert any("cell 1 of" in step for step in steps)


@pytest.mark.usefixtures("bubblewrap")
def test_the_record_names_the_replicas_it_read_by_content(demo, home):
    record = json.loads(Path(json.loads(demo.stdout)["record"]).read_text("utf-8"))
    for entry in record["inputs"]:
        folder = home / "replicas" / entry["dataset"] / entry["version"]
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        known = {table["name"]: table["content_hash"] for table in manifest["tables"]}
        assert {t["name"]: t["content_hash"] for t in entry["tables"]}.items() <= known.items()


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "demo")
def test_a_second_call_keeps_the_replicas(home):
    before = {p: p.stat().st_mtime_ns for p in home.glob("replicas/*/*/*/*.parquet")}
    again = sandbox(home, "demo")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("already built") == 2
    assert {p: p.stat().st_mtime_ns for p in home.glob("replicas/*/*/*/*.parquet")} == before
    assert again.stdout.splitlines()[-1].startswith("report: ")
    assert "\nholds: " in again.stdout
    assert "đúng" not in again.stdout
    assert "Thành phố Hồ Chí Minh" in again.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "demo")
def test_in_vietnamese_nothing_is_left_in_english(home):
    told = sandbox(home, "--lang", "vi", "demo")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1].startswith("báo cáo: ")
    assert "\nđúng: " in told.stdout
    assert "holds:" not in told.stdout
    assert told.stderr.count("đã có sẵn") == 2
    assert "ô 9/9: thành công" in told.stderr
    assert not re.search(r"\b(cell|built|submitted|succeeded|model)\b", told.stderr)


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_without_bubblewrap_only_an_unchanged_template_runs(home, tmp_path):
    bare = {"PATH": str(tmp_path / "no-programs")}
    alone = sandbox(home, "demo", "--json", **bare)
    assert alone.returncode == 0, alone.stderr
    facts = json.loads(alone.stdout)
    assert facts["isolation"]["mechanism"] == "none"
    assert "isolat" in alone.stderr
    assert "bubblewrap" in alone.stderr
    report = Path(facts["report"]).read_text("utf-8")
    assert "không cách ly" in report.lower() or "không được cách ly" in report.lower()

    own = notebooks.write(tmp_path / "own.ipynb", "print(1)")
    runs_before = sorted((home / "runs").iterdir())
    refused = sandbox(home, "run", "submit", own, "--wait", **bare)
    assert refused.returncode != 0
    assert "apt-get install bubblewrap" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted((home / "runs").iterdir()) == runs_before


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "demo")
def test_ctrl_c_records_a_cancelled_run_and_leaves_nothing_running(home):
    before = {p.name for p in (home / "runs").iterdir()}
    process = subprocess.Popen(
        [*SANDBOX, "demo"],
        env={**os.environ, "SANDBOX_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stderr:
        if "cell 1 of" in line:
            break
    below = psutil.Process(process.pid).children(recursive=True)
    assert below
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    _, alive = psutil.wait_procs(below, timeout=PATIENCE_S)
    assert alive == []
    (new,) = {p.name for p in (home / "runs").iterdir()} - before
    shown = json.loads(sandbox(home, "run", "show", new, "--json").stdout)
    assert shown["status"] == "cancelled"
    assert shown["reason"]["kind"] == "cancelled"
    assert len(list(home.glob("replicas/*/*/manifest.json"))) == 2


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    told = sandbox(tmp_path / "file" / "home", "demo")
    assert told.returncode == 3
    assert "Traceback" not in told.stderr
    assert told.stdout == ""
