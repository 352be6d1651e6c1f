"""Replicas in a real store of S3: the same as in a folder, seen whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import fsspec
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.cli import main
from synthetic.errors import StorageError
from synthetic.tables import buckets
from synthetic.tables.buckets import Bucket
from tests.needing import needed
from tests.processes import until

from .servers import bucket, command, scheduler, synthetic, worker

SMALL = ("build", "enterprise", "--scale", "0.0005")
LARGE = ("build", "population", "--scale", "0.005")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The same replicas in a folder of this machine."""
    out = tmp_path_factory.mktemp("here")
    build(Order(datasets=("enterprise",), recipe=make_recipe("0.0005", None, 1, "exact"), out=out))
    build(Order(datasets=("population",), recipe=make_recipe("0.005", None, 1, "exact"), out=out))
    return out


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store's folder and environment; each test has its own prefix."""
    folder = tmp_path_factory.mktemp("store") / "s3"
    with bucket(folder) as environment:
        yield folder / "replicas", environment


def forget():
    """Let the next question to the store be asked as the environment then says."""
    buckets._files.cache_clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def contents(root):
    """Every file below a folder."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def same(root, here):
    """Whether each replica there is byte for byte one that is here."""
    expected = contents(here)
    found = contents(root)
    assert found
    return all(expected.get(path) == told for path, told in found.items())


def fails(done, *words):
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.slow
def test_a_bucket_holds_what_a_folder_would(store, here):
    folder, environment = store
    done = synthetic(*SMALL, "--out", "s3://replicas/a/b/", "--json", **environment)
    assert done.returncode == 0, done.stderr
    told = {one["folder"] for one in json.loads(done.stdout)["replicas"]}
    below = [p.relative_to(folder).as_posix() for p in folder.glob("a/b/*/*")]
    assert told == {f"s3://replicas/{path}" for path in below}
    assert same(folder / "a" / "b", here)
    again = synthetic(*SMALL, "--out", "s3://replicas/a/b", **environment)
    assert again.stderr.count("already built") == 2

    (place,) = (f"s3://replicas/{path}" for path in below if "enterprise" in path)
    verified = synthetic("verify", place, **environment)
    assert verified.returncode == 0, verified.stderr
    assert "references 4 of 4" in verified.stdout
    measured = synthetic("fidelity", place, "--json", **environment)
    assert json.loads(measured.stdout)["replicas"][0]["dataset"] == "enterprise"


@pytest.mark.slow
def test_a_damaged_object_is_found(store, here):
    folder, environment = store
    shutil.copytree(here / "population", folder / "damaged" / "population")
    path = next(folder.glob("damaged/population/s0.005-*/persons/part-00000.parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    place = f"s3://replicas/{path.parent.parent.relative_to(folder)}"
    verified = synthetic("verify", place, **environment)
    assert verified.returncode == 4
    assert "FAILED persons" in verified.stdout
    fails(
        synthetic("fidelity", place, **environment),
        f"{place}/persons/part-00000.parquet is not the file that was built",
    )
    fails(
        synthetic(*LARGE, "--out", "s3://replicas/damaged", **environment),
        f"{place}: the replica there is damaged",
        "delete all below this address and build again",
    )


@pytest.mark.slow
def test_a_killed_build_shows_nothing_and_the_next_ends_the_same(store, here):
    folder, environment = store
    out = "s3://replicas/killed"
    process = subprocess.Popen(
        command(*LARGE, "--out", out, "--workers", "2"),
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: list(folder.glob("killed/**/.done/persons/*")) or process.poll() is not None)
    process.kill()
    process.wait()
    before = {p: p.stat().st_mtime_ns for p in folder.glob("killed/*/*/persons/*.parquet")}
    assert before
    fails(synthetic("verify", out, **environment), "no such folder")
    stray = next(iter(before)).with_name("part-99999.parquet")
    stray.write_bytes(b"of another sharding")
    done = synthetic(*LARGE, "--out", out, **environment)
    assert done.returncode == 0, done.stderr
    assert "were finished by an interrupted build" in done.stderr
    assert any(path.stat().st_mtime_ns == at for path, at in before.items()), "nothing was kept"
    assert same(folder / "killed", here)


@pytest.mark.slow
def test_a_cluster_writes_to_a_bucket_though_a_worker_dies(store, here, tmp_path):
    folder, environment = store
    with (
        scheduler(tmp_path) as (_, address),
        worker(address, tmp_path, "one", **environment) as one,
        worker(address, tmp_path, "two", **environment),
    ):
        process = subprocess.Popen(
            command(*LARGE, "--out", "s3://replicas/cluster", "--dask", address),
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: list(folder.glob("cluster/**/.done/*/*")) or process.poll() is not None)
        one.kill()
        _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told
    assert same(folder / "cluster", here)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "changed", "message"),
    [
        ("s3://nowhere/a", {}, "s3://nowhere/a: there is no such bucket; make it first"),
        ("s3://replicas/a", {"AWS_SECRET_ACCESS_KEY": "another"}, "the store refuses; check AWS_"),
        ("s3://replicas/a", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "does the store run"),
        ("s3://replicas/a", {"AWS_ENDPOINT_URL": "nonsense"}, "is AWS_ENDPOINT_URL right"),
    ],
    ids=["no bucket", "denied", "unreachable", "no address"],
)
def test_what_the_store_refuses_or_lacks_is_told(store, monkeypatch, address, changed, message):
    _, environment = store
    for name, value in (environment | changed).items():
        monkeypatch.setenv(name, value)
    forget()
    with Bucket.opened(address) as opened, pytest.raises(StorageError, match=message):
        opened.check()


@pytest.mark.slow
def test_a_full_disk_of_this_machine_is_told_and_shows_nothing(store, tmp_path):
    needed(shutil.which("bwrap"), "apt-get install -y bubblewrap")  # it makes the small disk
    folder, environment = store
    small_disk = ["bwrap", "--dev-bind", "/", "/", "--size", "2000000", "--tmpfs", str(tmp_path)]
    done = subprocess.run(
        [*small_disk, *command(*LARGE, "--out", "s3://replicas/full")],
        env=os.environ | environment | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    fails(done, "the disk is full; free some space and try again")
    assert not list(folder.glob("full/**/manifest.json"))


@pytest.mark.parametrize("address", ["s3://", "gs://bucket/a", "s3:///a"])
def test_what_is_no_address_is_told(address):
    order = Order(
        datasets=("population",), recipe=make_recipe("0.0005", None, 1, "exact"), out=address
    )
    with pytest.raises(StorageError, match="not an address such as s3://bucket/replicas"):
        build(order)


def test_copies_are_made_in_folders_only(capsys):
    with pytest.raises(SystemExit) as end:
        main(["build", "population", "--null", "--out", "s3://bucket/a"])
    assert end.value.code == 2
    assert "--dirt and --null make their copies in a folder" in capsys.readouterr().err


def test_a_missing_extra_is_told_with_the_line_that_installs_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    buckets._files.cache_clear()
    with pytest.raises(SystemExit) as end:
        main(["verify", "s3://bucket/a"])
    assert end.value.code == 3
    assert "pip install 'vietnam-data-sandbox[cluster]'" in capsys.readouterr().err
