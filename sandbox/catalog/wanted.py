"""The part of a recipe that somebody asks for: scale, area, seed, margins, or some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.catalog.replicas import Recipe
from sandbox.errors import CatalogError
from sandbox.language import _, nearest

KEYS = ("scale", "area", "seed", "margins", "dirt", "dirt_seed")
USUAL_SCALE = "0.01"

Wanted = dict[str, Any]  # a part of a recipe, in the recipe's own form; empty: any


def read(recipe: Recipe | Mapping[str, Any] | None) -> Wanted:
    """Read a recipe or a part of one; an area of None asks for the whole country."""
    given = asdict(recipe) if isinstance(recipe, Recipe) else dict(recipe or {})
    for key in given:
        if key not in KEYS:
            raise CatalogError(
                _("a recipe has no {key!r}; {hint}").format(key=key, hint=nearest(key, KEYS))
            )
    if "scale" in given:
        given["scale"] = _scale(given["scale"])
    if given.get("area") is not None:
        given["area"] = str(given["area"])
    return given


def fits(recipe: Recipe, wanted: Wanted) -> bool:
    """Whether a recipe is as asked for in every part that is asked for."""
    return all(
        _scale(recipe.scale) == value if key == "scale" else getattr(recipe, key) == value
        for key, value in wanted.items()
    )


def told(wanted: Wanted) -> str:
    """Write what is asked for, for people."""
    words = {
        "scale": lambda value: _("scale {scale}").format(scale=value),
        "area": lambda value: (
            _("whole country") if value is None else _("area {code}").format(code=value)
        ),
        "seed": lambda value: _("seed {seed}").format(seed=value),
        "margins": lambda value: {
            "exact": _("exact margins"),
            "sampled": _("sampled margins"),
        }.get(value, str(value)),
        "dirt": lambda value: (
            _("no planted defects")
            if value is None
            else _("defects in {share}").format(share=value)
        ),
        "dirt_seed": lambda value: _("seed of the defects {seed}").format(seed=value),
    }
    if wanted.get("dirt") is None:  # clean is what everybody means who does not say it
        wanted = {key: value for key, value in wanted.items() if not key.startswith("dirt")}
    return ", ".join(words[key](wanted[key]) for key in KEYS if key in wanted)


def options(wanted: Wanted) -> str:
    """Write the options of `synthetic build` that give what is asked for."""
    asked = {"scale": USUAL_SCALE, **wanted}
    return " ".join(
        f"--{key.replace('_', '-')} {asked[key]}" for key in KEYS if asked.get(key) is not None
    )


def _scale(given: object) -> str:
    """Write a scale in one way, so that 0.010 is 0.01."""
    try:
        scale = Decimal(str(given))
        if not 0 < scale <= 1:
            raise InvalidOperation
    except InvalidOperation as error:
        raise CatalogError(
            _(
                "scale {scale!r} is not a share of the country; give a number above 0 and up to 1, "
                "as in 0.01"
            ).format(scale=str(given))
        ) from error
    return f"{scale.normalize():f}"
