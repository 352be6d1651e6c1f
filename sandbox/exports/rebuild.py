"""Build replicas again from a package's recipes, and see that they hold the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.catalog.replicas import Recipe
from sandbox.errors import PackageError
from sandbox.language import _
from sandbox.settings import Settings
from synthetic.tables.manifest import Manifest


def rebuilt(
    settings: Settings, told: Mapping[str, Any], progress: Callable[[str], None]
) -> tuple[list[Path], list[str]]:
    """Build every replica of the recipes, unless it is here; give folders, and what is to be told.

    Raises
    ------
    PackageError
        If the rows are not those whose hashes the package has: another generator made them.
    """
    by_recipe: dict[Recipe, list[Mapping[str, Any]]] = {}
    for one in told["replicas"]:
        by_recipe.setdefault(Recipe.read(one["recipe"]), []).append(one)
    folders, notes = [], list[str]()
    for recipe, wanted in by_recipe.items():
        built = _built(settings, recipe, [one["dataset"] for one in wanted], progress)
        for one in wanted:
            manifest = built[one["dataset"]]
            _check_rows(one, manifest, told["generator"]["version"])
            notes += _other_version(one, manifest)
            folders.append(manifest.folder)
    return folders, notes


def _built(
    settings: Settings, recipe: Recipe, datasets: list[str], progress: Callable[[str], None]
) -> dict[str, Manifest]:
    # The generator takes a moment to import, and a package may read nothing.
    from synthetic.build import Order, build, make_recipe
    from synthetic.dirt import make_dirt, spoil

    order = Order(
        datasets=tuple(datasets),
        recipe=make_recipe(recipe.scale, recipe.area, recipe.seed, recipe.margins),
        out=settings.replicas,
    )
    built = build(order, progress)
    if recipe.dirt is not None:
        dirt = make_dirt(recipe.dirt, 1 if recipe.dirt_seed is None else recipe.dirt_seed)
        built = [spoil(one, dirt, progress=progress) for one in built]
    return {one.dataset: one for one in built}


def _check_rows(wanted: Mapping[str, Any], built: Manifest, generator: str | None) -> None:
    hashes = {table["name"]: table["content_hash"] for table in built.tables}
    for table in wanted["tables"]:
        if hashes.get(table["name"]) != table["content_hash"]:
            raise PackageError(
                _(
                    "{dataset}.{table} is not the same when it is built here: there it was {there}, "
                    "made by version {generator} of this program, and here the same recipe gives "
                    "{here}; check the package with the version that made it"
                ).format(
                    dataset=wanted["dataset"],
                    table=table["name"],
                    generator=generator or "?",
                    there=wanted["version"],
                    here=built.version,
                )
            )


def _other_version(wanted: Mapping[str, Any], built: Manifest) -> Iterator[str]:
    if wanted["version"] != built.version:
        yield _("{dataset}: the same rows, but version {there} there and {here} here").format(
            dataset=wanted["dataset"], there=wanted["version"], here=built.version
        )
