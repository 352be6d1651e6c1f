"""Faults of the machine: told in words, nothing half-published, and the next build ends the same."""

from __future__ import annotations

import shutil
import subprocess

import psutil
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError, StorageError
from synthetic.tables.manifest import find
from tests.needing import needed
from tests.processes import until

from .servers import command, synthetic

SCALE = "0.005"
BUILD = ("build", "population", "--scale", SCALE)


def order(out, *datasets, scale=SCALE):
    recipe = make_recipe(scale, None, 1, "exact")
    return Order(datasets=datasets, recipe=recipe, out=out, workers=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    (manifest,) = build(order(tmp_path_factory.mktemp("whole"), "population"))
    return manifest.data


@pytest.mark.slow
def test_a_disk_that_was_full_takes_the_same_replica_later(tmp_path, undisturbed):
    needed(shutil.which("bwrap"), "apt-get install -y bubblewrap")  # it makes the small disk
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    once = " ".join(command(*BUILD, "--workers", "1", "--out", disk))
    script = (
        f"head -c 38000000 /dev/zero > {disk}/other; {once}; echo exit $?; "
        f"find {disk} -name '*.parquet' -o -name manifest.json; "
        f"rm {disk}/other; {once} > /dev/null; echo exit $?; cp -r {disk} {kept}"
    )
    done = subprocess.run(
        [
            "bwrap",
            "--dev-bind",
            "/",
            "/",
            "--size",
            "40000000",
            "--tmpfs",
            disk,
            "sh",
            "-c",
            script,
        ],
        capture_output=True,
        text=True,
    )
    assert "the disk is full; free some space" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "exit 3\nexit 0\n"
    (manifest,) = find(kept)
    assert manifest.data == undisturbed


@pytest.mark.slow
def test_files_that_may_not_grow_are_told_and_the_next_build_ends_the_same(tmp_path, undisturbed):
    limited = "ulimit -f 200; exec " + " ".join(
        command(*BUILD, "--workers", "1", "--out", tmp_path)
    )
    done = subprocess.run(["sh", "-c", limited], capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert "files may not grow so large here; raise the limit (ulimit -f)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(find(tmp_path))
    (manifest,) = build(order(tmp_path, "population"))
    assert manifest.data == undisturbed


@pytest.mark.slow
def test_a_worker_that_is_killed_half_way_costs_what_it_had_not_finished(tmp_path, undisturbed):
    process = subprocess.Popen(
        command(*BUILD, "--workers", "2", "--out", tmp_path), stderr=subprocess.PIPE, text=True
    )
    until(lambda: list(tmp_path.glob(".staging/*/.done/*/*")) or process.poll() is not None)
    below = psutil.Process(process.pid).children(recursive=True)
    next(one for one in below if "spawn_main" in " ".join(one.cmdline())).kill()
    _, told = process.communicate(timeout=120)
    assert "a worker process was killed" in told
    assert not list(find(tmp_path))
    lines = []
    (manifest,) = build(order(tmp_path, "population"), lines.append)
    assert manifest.data == undisturbed
    assert any("were finished by an interrupted build" in line for line in lines)


@pytest.mark.slow
def test_builds_at_once_into_one_folder_end_as_one_after_another(tmp_path):
    """Two of the same, and one of another dataset that uses the same."""
    at_once, one_by_one = tmp_path / "at once", tmp_path / "one by one"
    datasets = ("enterprise", "enterprise", "vital_events")
    running = [
        subprocess.Popen(
            command("build", dataset, "--scale", "0.001", "--out", at_once),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for dataset in datasets
    ]
    ends = [(process.communicate(timeout=240)[1], process.returncode) for process in running]
    assert [code for _, code in ends] == [0, 0, 0], ends
    build(order(one_by_one, *sorted(set(datasets)), scale="0.001"))
    made, expected = (
        {m.dataset: (m.version, m.data) for m in find(out)} for out in (at_once, one_by_one)
    )
    assert made == expected
    assert set(made) == {"population", "enterprise", "vital_events"}
    assert not list(at_once.glob(".staging/*"))
    assert synthetic("verify", at_once).returncode == 0


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="a file has that name; choose a folder"):
        build(order(tmp_path / "file", "population"))


def test_a_scale_that_leaves_a_dataset_empty_is_refused(tmp_path):
    with pytest.raises(
        BuildError, match=r"vital_events has no row at scale 0\.0000001; take 0\.00001"
    ):
        build(order(tmp_path, "vital_events", scale="0.0000001"))
    assert [manifest.dataset for manifest in find(tmp_path)] == ["population"]


@pytest.mark.slow
def test_the_scale_that_the_refusal_names_gives_rows_and_empty_tables_are_told(tmp_path):
    told = []
    found = build(order(tmp_path, "vital_events", "enterprise", scale="0.00001"), told.append)
    assert all(sum(table["rows"] for table in manifest.tables) for manifest in found)
    build(order(tmp_path, "education", scale="0.0000001"), told.append)
    assert "education: no row in pupils, results; a larger scale may give some" in told
