"""Builds on a Dask cluster: the same replica as here, whoever dies; faults are told in words."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError
from synthetic.generation import cluster
from synthetic.tables.manifest import find
from synthetic.tables.staging import WorkerKilledError
from tests.needing import needed
from tests.processes import until

from .servers import command, scheduler, synthetic, worker

SCALE = "0.01"
SMALL = ("build", "enterprise", "--scale", "0.0005")
HALF_WAY = ".staging/*/.done/persons/*.json"


def order(out, address=None, scale=SCALE):
    recipe = make_recipe(scale, None, 1, "exact")
    return Order(datasets=("population",), recipe=recipe, out=out, cluster=address)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What this process alone makes."""
    (manifest,) = build(order(tmp_path_factory.mktemp("here")))
    return manifest.data


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler for tests that leave it as it was; each starts its own workers."""
    with scheduler(tmp_path_factory.mktemp("scheduler")) as (_, found):
        yield found


@pytest.fixture
def started():
    """Start builds on a cluster, in processes that are ended afterwards."""
    running = []

    def start(out, address):
        process = subprocess.Popen(
            command("build", "population", "--scale", SCALE, "--out", out, "--dask", address),
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        until(lambda: list(out.glob(HALF_WAY)) or process.poll() is not None)
        assert process.poll() is None
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def told(process):
    _, errors = process.communicate(timeout=240)
    assert "Traceback" not in errors, errors
    return errors


@pytest.mark.slow
def test_a_cluster_makes_the_same_replicas(tmp_path, address):
    with (
        worker(address, tmp_path, "one"),
        worker(address, tmp_path, "two", "--nthreads", "2"),
    ):
        done = synthetic(*SMALL, "--out", tmp_path / "cluster", "--dask", address)
        assert done.returncode == 0, done.stderr
    synthetic(*SMALL, "--out", tmp_path / "here", "--workers", "1")
    made, expected = ({m.dataset: m.data for m in find(tmp_path / n)} for n in ("cluster", "here"))
    assert made == expected
    assert set(made) == {"population", "enterprise"}


@pytest.mark.slow
def test_the_parts_of_a_killed_worker_are_made_by_another(tmp_path, here, started, address):
    with (
        worker(address, tmp_path, "one") as one,
        worker(address, tmp_path, "two"),
    ):
        process = started(tmp_path / "out", address)
        one.kill()
        assert told(process)
    (manifest,) = find(tmp_path / "out")
    assert manifest.data == here
    assert not list((tmp_path / "out").glob(".staging/*"))


@pytest.mark.slow
def test_a_part_that_kills_its_workers_ends_the_build_and_the_next_takes_the_rest(
    tmp_path, here, started
):
    once = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with (
        scheduler(tmp_path, **once) as (_, address),
        worker(address, tmp_path, "one") as one,
        worker(address, tmp_path, "two"),
    ):
        process = started(tmp_path / "out", address)
        one.kill()
        assert "each Dask worker that computed a part was killed" in told(process)
        assert process.returncode == 2
    assert not list(find(tmp_path / "out"))
    lines = []
    (manifest,) = build(order(tmp_path / "out"), lines.append)
    assert manifest.data == here
    assert any("were finished by an interrupted build" in line for line in lines)


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_told_and_the_next_build_ends_the_same(
    tmp_path, here, started
):
    with scheduler(tmp_path) as (process, address), worker(address, tmp_path, "one"):
        building = started(tmp_path / "out", address)
        process.kill()
        assert "the Dask scheduler is gone" in told(building)
    assert not list(find(tmp_path / "out"))
    (manifest,) = build(order(tmp_path / "out"))
    assert manifest.data == here


@pytest.mark.slow
def test_an_interrupted_build_on_a_cluster_publishes_nothing(tmp_path, started, address):
    with worker(address, tmp_path, "one"):
        process = started(tmp_path / "out", address)
        process.send_signal(signal.SIGTERM)
        assert "interrupted: finished replicas are kept" in told(process)
        assert process.returncode == 130
    assert not list(find(tmp_path / "out"))


@pytest.mark.slow
def test_a_cluster_without_workers_is_told(tmp_path, here, started, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_S", 1)
    monkeypatch.setattr(cluster, "_WITHOUT_WORKERS_S", 1)
    monkeypatch.setattr(cluster, "_LOOK_S", 0.5)
    with scheduler(tmp_path) as (_, address):
        with pytest.raises(BuildError, match="has no workers; start one or more with 'dask worker"):
            build(order(tmp_path / "none", address))
        with worker(address, tmp_path, "one") as one:

            def kill_half_way(line):
                if line.startswith("model ready"):
                    threading.Thread(target=kill, daemon=True).start()

            def kill():
                until(lambda: list((tmp_path / "out").glob(HALF_WAY)))
                one.kill()

            with pytest.raises(WorkerKilledError, match="the cluster has had no worker for 1 s"):
                build(order(tmp_path / "out", address), kill_half_way)
    assert not list(find(tmp_path / "out"))
    (manifest,) = build(order(tmp_path / "out"))
    assert manifest.data == here


@pytest.mark.slow
def test_a_worker_with_other_code_is_refused(tmp_path, address):
    other = tmp_path / "other"
    shutil.copytree(
        Path(cluster.__file__).parent.parent,
        other / "synthetic",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    spec = other / "synthetic" / "specs" / "population.toml"
    spec.write_text(f"{spec.read_text('utf-8')}\n# changed\n", "utf-8")
    with worker(address, tmp_path, "one", PYTHONPATH=str(other)):
        done = synthetic(*SMALL, "--out", tmp_path / "out", "--dask", address)
    assert done.returncode == 2
    assert "install the same versions there and start it again" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("--tmpfs", "must be a folder that all machines share, or an address such as s3://"),
        ("--ro-bind", "the file system is read-only; choose another folder"),
    ],
    ids=["not shared", "read-only"],
)
def test_a_worker_that_cannot_write_to_the_folder_is_told(tmp_path, address, mount, message):
    needed(shutil.which("bwrap"), "apt-get install -y bubblewrap")
    out = tmp_path / "out"
    out.mkdir()
    source = [] if mount == "--tmpfs" else [out]
    inside = ["bwrap", "--dev-bind", "/", "/", mount, *source, out, "--die-with-parent"]
    with worker(address, tmp_path, "one", inside=inside):
        done = synthetic(*SMALL, "--out", out, "--dask", address)
    assert done.returncode == 3
    assert "on Dask worker tcp://127.0.0.1:" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(find(out))


@pytest.mark.parametrize(
    "address", ["10.0.0.5:8786", "tcp://10.0.0.5", "http://10.0.0.5:8786", "tcp://:1"]
)
def test_what_is_no_address_is_told(tmp_path, address):
    with pytest.raises(BuildError, match="is no address of a scheduler, such as tcp://"):
        build(order(tmp_path, address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:99999"])
def test_an_address_without_a_scheduler_is_told_at_once(tmp_path, address):
    with pytest.raises(BuildError, match="no Dask scheduler answers at tcp://127"):
        build(order(tmp_path, address))


def test_a_server_of_another_kind_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        threading.Thread(target=lambda: door.accept()[0].close(), daemon=True).start()
        with pytest.raises(BuildError, match="no Dask scheduler answers"):
            build(order(tmp_path, f"tcp://127.0.0.1:{port}"))


def test_workers_of_both_kinds_are_refused(tmp_path):
    recipe = make_recipe("0.0005", None, 1, "exact")
    both = Order(
        datasets=("population",), recipe=recipe, out=tmp_path, workers=2, cluster="tcp://h:1"
    )
    with pytest.raises(BuildError, match="give --workers or --dask"):
        build(both)


def test_a_missing_extra_is_told_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BuildError, match=r"pip install 'vietnam-data-sandbox\[cluster\]'"):
        build(order(tmp_path, "tcp://127.0.0.1:1"))
    assert not list(find(tmp_path))
