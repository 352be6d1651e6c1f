"""Draw tables of a replica again: other rows of the same country, for looks at what chance does.

Only these tables are computed, whatever they lead to, and nothing is measured: what is told of
them beside their rows is told by the replica that they are drawn after.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthetic.build.order import make_recipe, recipe_json
from synthetic.build.replicas import inputs_of
from synthetic.errors import BuildError
from synthetic.evaluation.fitted import open_models
from synthetic.generation.shards import path, together, write_shards
from synthetic.generation.world import SHARD_GROUPS, Shard, World
from synthetic.spec.load import load_all
from synthetic.tables import manifest as manifests
from synthetic.tables.content import Content
from synthetic.tables.files import make_folder
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written
from synthetic.tables.staging import finished, note

log = logging.getLogger(__name__)


def redraw(originals: Sequence[Manifest], *, seed: int, out: Path) -> list[Manifest]:
    """Draw the tables that these manifests name with another seed and sampled margins.

    The files lie at `<out>/<dataset>/<version>`, where only one process may write at a time; those
    that are whole there are kept. The manifests that come back are in memory alone: the originals',
    with other rows.

    Raises
    ------
    BuildError
        If an original is a copy, or was built from other specs, statistics or by other code: draws
        would then differ by more than chance.
    """
    recipe = originals[0].recipe
    wanted = make_recipe(str(recipe["scale"]), recipe["area"], seed, "sampled")
    specs = load_all([one.dataset for one in originals])
    world = World(specs, wanted, out / ".models", fitted=open_models(specs))
    for one in originals:
        _check_same(world, one)
    inputs = inputs_of(world, wanted)
    return [_redrawn(world, one, inputs[one.dataset], out) for one in originals]


def _check_same(world: World, original: Manifest) -> None:
    recipe = original.recipe
    same = make_recipe(*(recipe[key] for key in ("scale", "area", "seed", "margins")))
    if inputs_of(world, same)[original.dataset] != original.data["hashes"]["inputs"]:
        raise BuildError(
            f"{original.dataset}/{original.version} cannot be drawn again: it is a copy, or was "
            "built from other specs or by another version of this program; build it anew"
        )


def _redrawn(world: World, original: Manifest, inputs: str, out: Path) -> Manifest:
    started = time.monotonic()
    recipe = recipe_json(world.recipe)
    folder = out / original.dataset / manifests.version(recipe, inputs)
    shards = {
        entry["name"]: world.shards(f"{original.dataset}.{entry['name']}")
        for entry in original.tables
    }
    written = _written(world, [one for some in shards.values() for one in some], folder)
    log.info("%s: drawn again in %.1f s", original.dataset, time.monotonic() - started)
    data = {
        **original.data,
        "version": folder.name,
        "recipe": recipe,
        "hashes": {**original.data["hashes"], "inputs": inputs},
        "depends": {},  # what keys lead to is not there
        "tables": [
            _entry(entry, [written[shard] for shard in shards[entry["name"]]])
            for entry in original.tables
        ],
    }
    return Manifest(folder, data)


def _written(world: World, shards: Sequence[Shard], folder: Path) -> dict[Shard, Written]:
    """Write the shards that are not there; one that was begun by who is gone is written anew."""
    for table in {path(shard).partition("/")[0] for shard in shards}:
        for unfinished in make_folder(folder / table).glob(".*"):
            unfinished.unlink()
    found = {
        shard: one
        for shard in shards
        if (one := finished(folder, path(shard), (shard.start, shard.end))) is not None
    }
    missing = [shard for shard in shards if shard not in found]
    for group in together(missing, world, SHARD_GROUPS):
        for shard, one in write_shards(world, group, folder):
            note(folder, one, (shard.start, shard.end))
            found[shard] = one
    return found


def _entry(entry: Mapping[str, Any], written: Sequence[Written]) -> dict[str, Any]:
    """Describe a table with other rows."""
    return {
        **entry,
        "rows": sum(one.rows for one in written),
        "content_hash": sum((one.content for one in written), Content()).hexdigest(),
        "files": [
            {"path": one.path, "rows": one.rows, "bytes": one.size_bytes, "sha256": one.sha256}
            for one in written
        ],
    }
