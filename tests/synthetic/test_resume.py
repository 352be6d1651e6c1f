"""An interrupted build: its finished shards wait unseen, and the next build ends the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.tables.manifest import find
from synthetic.tables.staging import remove_abandoned, staging

SCALE = "0.02"
CODE = """
import sys
from pathlib import Path
from synthetic.build import Order, build, make_recipe
recipe = make_recipe("{scale}", None, 1, "exact")
build(Order(datasets=("population",), recipe=recipe, out=Path(sys.argv[1]), workers=int(sys.argv[2]),
            shard_groups=40_000))
"""


def order(out, scale=SCALE):
    recipe = make_recipe(scale, None, 1, "exact")
    return Order(datasets=("population",), recipe=recipe, out=out, workers=1, shard_groups=40_000)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    (manifest,) = build(order(tmp_path_factory.mktemp("whole")))
    return manifest.data


def killed(out, workers, how):
    """A build that is ended once a shard of persons is finished."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(scale=SCALE), str(out), str(workers)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while (
        not list(out.glob(".staging/*/.done/persons/part-*.json")) and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    os.killpg(process.pid, how)
    process.wait(timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGINT)]
)
def test_a_killed_build_resumes_and_ends_in_the_same_replica(tmp_path, undisturbed, workers, how):
    killed(tmp_path, workers, how)
    assert not list(find(tmp_path)), "what waits is in no list"
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob(".staging/*/persons/part-*")}
    assert before
    told = []
    (manifest,) = build(order(tmp_path), told.append)
    assert manifest.data == undisturbed
    assert any("were finished by an interrupted build" in line for line in told)
    kept = {p.name: p.stat().st_mtime_ns for p in manifest.folder.glob("persons/part-*")}
    assert any(kept[name] == before[name] for name in before), "nothing was kept"
    assert not list(tmp_path.glob(".staging/*"))
    found = {p.relative_to(manifest.folder).parts[0] for p in manifest.folder.rglob("*")}
    assert found == {"manifest.json", "households", "persons"}


# Each look at the clock is years from the last.
WRONG_CLOCK = """
import itertools, time
leaps, now, now_ns = itertools.cycle([-10**9, 10**9, 0]), time.time, time.time_ns
time.time = lambda: now() + next(leaps)
time.time_ns = lambda: now_ns() + next(leaps) * 10**9
"""


@pytest.mark.slow
@pytest.mark.parametrize("changed_at", [0, 4_000_000_000], ids=["1970", "2096"])
def test_a_clock_that_was_set_changes_nothing(tmp_path, undisturbed, changed_at):
    killed(tmp_path, 1, signal.SIGKILL)
    for path in tmp_path.rglob("*"):
        os.utime(path, (changed_at, changed_at))
    code = WRONG_CLOCK + CODE.format(scale=SCALE)
    subprocess.run([sys.executable, "-c", code, str(tmp_path), "1"], check=True)
    (manifest,) = find(tmp_path)
    assert manifest.data == undisturbed
    kept = [p for p in manifest.folder.glob("persons/*") if p.stat().st_mtime == changed_at]
    assert kept, "what was finished is kept, however old it seems"


@pytest.mark.slow
def test_a_damaged_or_foreign_shard_is_made_again(tmp_path, undisturbed):
    killed(tmp_path, 1, signal.SIGKILL)
    (done, *_) = tmp_path.glob(".staging/*/.done/persons/*.json")
    path = done.parents[2] / json.loads(done.read_text())["path"]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (done.parents[2] / "persons" / "part-99999.parquet").write_bytes(b"of another sharding")
    (manifest,) = build(order(tmp_path))
    assert manifest.data == undisturbed
    assert len(list(manifest.folder.glob("persons/*"))) == len(undisturbed["tables"][1]["files"])


def test_a_build_of_another_version_removes_what_waits(tmp_path):
    killed(tmp_path, 1, signal.SIGKILL)
    build(order(tmp_path, "0.0001"))
    assert not list(tmp_path.glob(".staging/*"))


def test_a_folder_that_a_living_build_holds_is_left_alone(tmp_path):
    with staging(tmp_path, "x") as ours:
        remove_abandoned(tmp_path, [])
        assert ours.is_dir()
        with staging(tmp_path, "x") as other:
            assert other != ours
    assert not list(tmp_path.glob(".staging/*"))


def test_a_fault_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="a defect"), staging(tmp_path, "x"):
        raise ValueError("a defect")
    assert not list(tmp_path.glob(".staging/*"))
