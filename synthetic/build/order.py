"""What is to be built and how: a checked recipe, and what its content depends on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from synthetic.errors import BuildError
from synthetic.generation.structures import Recipe
from synthetic.generation.world import SHARD_GROUPS

GENERATION = 5  # raised when the same inputs would give other values or hashes
_SCALE = re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built, and how."""

    datasets: tuple[str, ...]
    recipe: Recipe
    out: Path | str  # a folder, or an address such as s3://bucket/replicas
    workers: int | None = None  # None: as many as help
    cluster: str | None = None  # a Dask scheduler's address; its workers then compute
    specs: tuple[Path, ...] = ()
    shard_groups: int = SHARD_GROUPS


def make_recipe(scale: str, area: str | None, seed: int, margins: str) -> Recipe:
    """Check what a person typed and make a recipe of it."""
    if not _SCALE.fullmatch(scale):
        raise BuildError(f"scale {scale[:40]!r} is not a number of at most 12 decimals; try 0.01")
    value = Fraction(scale)
    if not 0 < value <= 1:
        raise BuildError(f"scale {scale} must be above 0 and at most 1 (the whole country)")
    if not 0 <= seed < 2**63:
        raise BuildError(f"seed {seed} must be from 0 to {2**63 - 1}")
    if margins not in ("exact", "sampled"):
        raise BuildError(f"margins {margins!r} must be 'exact' or 'sampled'")
    return Recipe(value, area, seed, margins)


def scale_text(scale: Fraction) -> str:
    """A scale as a decimal without an exponent."""
    return format((Decimal(scale.numerator) / Decimal(scale.denominator)).normalize(), "f")


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as it stands in a manifest."""
    return {
        "scale": scale_text(recipe.scale),
        "area": recipe.area,
        "seed": recipe.seed,
        "margins": recipe.margins,
    }
