"""What the tests of runs and isolation share: homes, notebooks, an ordinary user."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import runs
from sandbox.kernels import Limits
from sandbox.kernels.policy import MIB
from sandbox.settings import Settings
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY

NOBODY = 65534

# Small enough to be met within a second or two.
TIGHT = Limits(
    wall_s=60,
    cpu_s=60,
    memory_bytes=500 * MIB,
    processes=20,
    disk_bytes=50 * MIB,
    files=500,
    file_bytes=30 * MIB,
    output_bytes=2 * MIB,
    tmp_bytes=16 * MIB,
    shm_bytes=8 * MIB,
)


@pytest.fixture
def settings(tmp_path):
    """An empty home."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def write(tmp_path):
    """Write a notebook of these cells, which reads nothing, and give its path."""

    def make(*sources, name="experiment", **options):
        return notebooks.write(tmp_path / f"{name}.ipynb", *sources, **options)

    return make


@pytest.fixture
def run(bubblewrap, settings, write):
    """Submit and execute a notebook of these cells; give everything known of the run."""

    def do(*sources, limits=TIGHT, parameters=None, **options):
        path = write(*sources, **options)
        run_id = runs.submit(settings, path, parameters or {}, limits=limits)
        outcome = runs.execute(settings, run_id)
        facts = runs.show(settings, run_id)
        assert facts["status"] == outcome.status
        assert facts["reason"]["kind"] == outcome.reason.kind
        return facts

    return do


@contextmanager
def user_folder(kind):
    """Give a folder of root or of an ordinary user, and the words that run a command as them.

    Where root runs the tests, the ordinary user is `nobody`; anybody else is one already.
    """
    folder = Path(tempfile.mkdtemp(prefix="sandbox-user-"))
    try:
        if os.geteuid() == 0 and kind == "as a user":
            os.chown(folder, NOBODY, NOBODY)
            yield folder, as_nobody()
        else:
            yield folder, []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_nobody():
    """Give the words that run a command as `nobody`, with this Python within reach.

    A folder that is closed to others is covered by an empty one, in which what is needed is bound.
    """
    words = ["bwrap", "--dev-bind", "/", "/"]
    covers = {}
    for path in {Path(sys.base_prefix), Path(sys.prefix), REPOSITORY}:
        closed = [way for way in path.parents if not way.stat().st_mode & 0o001]
        if closed:
            covers.setdefault(closed[-1], []).append(path)
    for top, paths in covers.items():
        words += ["--tmpfs", str(top), "--chmod", "0755", str(top)]
        # The outer ones first: a virtual environment can lie in the repository.
        for path in sorted(paths):
            for way in [*reversed(path.parents)][len(top.parts) :]:
                words += ["--perms", "0755", "--dir", str(way)]
            words += ["--ro-bind", str(path), str(path)]
    user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return [*words, "--", "setpriv", *user, "--"]
