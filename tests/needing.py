"""Programs that some tests need and not every machine has."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

Found = TypeVar("Found")


def needed(found: Found, install: str) -> Found:
    """Give what was found; else skip the test with the line that installs it, and fail on CI."""
    if not found:
        message = f"to run this test: {install}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found
