"""A disk that is full for a while: what cannot be written is told, and nothing is lost by it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.sandbox.commands import REPOSITORY

pytestmark = pytest.mark.slow

DISK_BYTES = 400_000_000  # a run begins only where 256 MiB are free


@pytest.fixture
def on_a_small_disk(bubblewrap, tmp_path):
    """Do something of `filling` in a home that is a small disk of its own."""

    def do(what):
        home = tmp_path / "home"
        home.mkdir()
        disk = ["--size", str(DISK_BYTES), "--tmpfs", str(home)]
        command = [sys.executable, "-m", "tests.sandbox.filling", what, str(home)]
        done = subprocess.run(
            ["bwrap", "--dev-bind", "/", "/", *disk, *command],
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return do


SUCCEEDED = {
    "run": ["succeeded", "completed"],
    "results": [21],
    "reproduced": "identical",
    "faults": [],
    "is_reported": True,
}
FULL = "the disk is full; free some space and try again"


def test_a_submission_that_cannot_be_kept_is_refused_whole(on_a_small_disk):
    seen = on_a_small_disk("submission")
    check_told(seen.pop("told"))
    assert seen == {"left": [], **SUCCEEDED}


def test_a_step_that_cannot_be_written_is_not_made(on_a_small_disk):
    seen = on_a_small_disk("cancel")
    check_told(seen.pop("told"))
    assert seen == {"seen": "queued", **SUCCEEDED}


def test_a_run_that_fills_its_disk_ends_so_or_is_executed_again(on_a_small_disk):
    seen = on_a_small_disk("first")
    told = seen.pop("told")
    assert told["code"] == 0 or FULL in told["words"]
    stopped = {"run": ["failed", "disk full"], "results": [], "reproduced": "not run"}
    assert seen in ({**SUCCEEDED, **stopped}, SUCCEEDED)


def test_a_repeat_on_a_full_disk_costs_the_run_nothing(on_a_small_disk):
    seen = on_a_small_disk("repeat")
    assert seen.pop("told")["code"] == 0
    assert seen in ({**SUCCEEDED, "reproduced": "failed: disk full"}, SUCCEEDED)


def check_told(ended):
    """A command on a full disk says so, and nothing else."""
    assert ended["code"] == 3
    assert FULL in ended["words"]
    assert "Traceback" not in ended["words"]
