"""Which replicas a run read, as recipes: enough to build the same again, and to see that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.runs.record import DISTRIBUTION

NAME = "replicas.json"


def recipes(inputs: Sequence[Mapping[str, Any]], packages: Mapping[str, str]) -> dict[str, Any]:
    """Write down each replica's recipe, version and content hashes, and by which generator."""
    return {
        "generator": {"name": DISTRIBUTION, "version": packages.get(DISTRIBUTION)},
        "replicas": [
            {
                key: one[key]
                for key in ("dataset", "version", "recipe", "manifest_sha256", "as_of", "tables")
            }
            for one in inputs
        ],
    }
