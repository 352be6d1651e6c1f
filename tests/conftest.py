"""What many tests share: a small home with both replicas, built once by the real builder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.kernels import available
from sandbox.kernels.isolation import INSTALL
from synthetic.build import Order, build, make_recipe

# Speed lives in tests/benchmarks: a busy machine must fail no law.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Rewrite the golden texts; read the difference before committing it.",
    )


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
    if not isolation:
        message = f"{isolation.message} (to run this test: {INSTALL})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return isolation
