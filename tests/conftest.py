"""What many tests share: a small home with both replicas, built once by the real builder."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.kernels import available
from synthetic.build import Order, build, make_recipe
from tests.needing import needed

# Speed lives in tests/benchmarks: a busy machine must fail no law.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Rewrite the golden texts; read the difference before committing it.",
    )


def pytest_configure(config):
    """Let Ctrl-C reach the tests of it, and have runs executed once where no evidence is looked at.

    A shell has what it starts in the background ignore Ctrl-C, and children inherit that.
    """
    os.environ.setdefault("SANDBOX_EVIDENCE", "off")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def replicas(tmp_path_factory) -> Path:
    """A home whose `replicas` folder holds population and enterprise at scale 0.001."""
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.001", None, 1, "exact")
    build(Order(datasets=("enterprise",), recipe=recipe, out=home / "replicas"))
    return home


@pytest.fixture(scope="session")
def bubblewrap():
    """Isolation that works here; elsewhere the test is skipped, on CI it fails."""
    isolation = available()
    return needed(isolation, isolation.message)
