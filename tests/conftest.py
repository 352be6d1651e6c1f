"""What many tests share: a small home with both replicas, built once by the real builder."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthetic.build import Order, build, make_recipe


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
