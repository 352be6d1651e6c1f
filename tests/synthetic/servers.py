"""A Dask cluster and a store of S3 on this machine, as processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needing import needed
from tests.processes import free_port, until

KEY, SECRET = "workshop", "not a real secret"
RCLONE = Path(sys.executable).with_name("rclone")


@contextmanager
def program(arguments, log, **environment):
    """A program that is ended afterwards; what it says goes to a file."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(one) for one in arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=log.parent,  # else `-m` would look for packages where the tests run
            env=os.environ | environment,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def says(process, log, words):
    """Wait for a program's words."""

    def said():
        assert process.poll() is None, log.read_text("utf-8")
        return words in log.read_text("utf-8")

    until(said)


def listens(port):
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@contextmanager
def scheduler(folder, **environment):
    """A scheduler's process and its address."""
    port = free_port()
    arguments = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    place = ["--host", "127.0.0.1", "--port", port]
    with program([*arguments, *place], folder / "scheduler.log", **environment) as process:
        until(lambda: listens(port))
        yield process, f"tcp://127.0.0.1:{port}"


@contextmanager
def worker(address, folder, name, *options, inside=(), **environment):
    """A worker of a scheduler, once it is known there."""
    arguments = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny"]
    place = ["--no-dashboard", "--local-directory", folder / name, "--host", "127.0.0.1"]
    log = folder / f"{name}.log"
    options = options or ("--nthreads", "1")
    with program([*inside, *arguments, *place, *options], log, **environment) as process:
        says(process, log, "Registered to:")
        yield process


@contextmanager
def bucket(folder):
    """The environment of a store with one empty bucket, `replicas`, that lies in a folder."""
    needed(RCLONE.exists(), "uv sync")
    (folder / "replicas").mkdir(parents=True)
    port = free_port()
    log = folder.with_suffix(".log")
    place = ["--addr", f"127.0.0.1:{port}", folder]
    with program(
        # It looks again soon, since tests damage what lies there.
        [RCLONE, "serve", "s3", "--dir-cache-time", "100ms", *place],
        log,
        RCLONE_AUTH_KEY=f'"{KEY},{SECRET}"',
        RCLONE_CONFIG=str(folder.with_suffix(".conf")),
    ):
        until(lambda: listens(port))
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }


def synthetic(*arguments, **environment):
    """Run the command; its answer is what it printed, and its end."""
    return subprocess.run(
        command(*arguments),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def command(*arguments):
    return [sys.executable, "-W", "error", "-m", "synthetic.cli", *map(str, arguments)]
