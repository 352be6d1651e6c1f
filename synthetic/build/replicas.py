"""Build replicas: compute shards, write them to a staging folder, measure, publish by one rename.

A replica's folder is `<out>/<dataset>/<version>`; the version holds the recipe and a hash of all
that the content depends on, so that a changed input gives another folder and nothing is edited in
place. What dies on the way leaves nothing but a staging folder: the next build of the same takes
its finished shards over, and a build of something else removes it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from synthetic.build.described import described
from synthetic.build.order import GENERATION, Order, recipe_json
from synthetic.errors import BuildError, StorageError
from synthetic.evaluation.inputs import statistics_digest
from synthetic.generation.shards import path, together
from synthetic.generation.structures import Recipe
from synthetic.generation.workers import Make, makers
from synthetic.generation.world import Shard, World
from synthetic.spec.load import digest, load_all
from synthetic.tables import manifest as manifests
from synthetic.tables.files import storage_error, write_json
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written
from synthetic.tables.staging import finished, publish, remove_abandoned, staging, tidy

log = logging.getLogger(__name__)
Progress = Callable[[str], None]
_WORKERS_FROM_ROWS = 8_000_000  # about; below this starting processes costs more than it saves


def build(order: Order, progress: Progress = log.info) -> list[Manifest]:
    """Build these datasets and those that they use; return their manifests, used ones first.

    A replica that is there already is kept as it is.
    """
    specs = load_all(order.datasets, order.specs)
    _check_out(order.out)
    started = time.monotonic()
    world = World(specs, order.recipe, order.out / ".models")
    _check_area(world, order.recipe)
    inputs = _inputs(world)
    progress(f"model ready in {time.monotonic() - started:.1f} s")
    versions = {d: manifests.version(recipe_json(order.recipe), inputs[d]) for d in specs}
    done: dict[str, Manifest] = {}
    remove_abandoned(order.out, [f"{d}-{version}" for d, version in versions.items()])
    with makers(world, _workers(order, world)) as make, ExitStack() as stack:
        # Every shard is asked for before the first is awaited: no worker waits for a table's last.
        jobs = [
            _begin(order, world, dataset, version, make, stack)
            for dataset, version in versions.items()
        ]
        for job in jobs:
            done[job.dataset] = _finish(world, job, inputs[job.dataset], done, progress)
    return list(done.values())


def _workers(order: Order, world: World) -> int:
    """Processes where they help; 1 for this process alone."""
    workers = order.workers
    if workers is None:
        workers = (os.cpu_count() or 1) if world.rows() >= _WORKERS_FROM_ROWS else 1
    if workers < 1:
        raise BuildError(f"workers {workers} must be 1 or more")
    return workers


def _check_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("write", out, error) from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise StorageError(f"{out}: no permission to write there; choose a folder that is yours")


def _check_area(world: World, recipe: Recipe) -> None:
    areas = sorted({area for table in world.tables.values() for area in table.cells.areas})
    if recipe.area is not None and recipe.area not in areas:
        raise BuildError(f"unknown area {recipe.area!r}; areas are {', '.join(areas)}")


def _inputs(world: World) -> dict[str, str]:
    """A hash of all that each dataset's content depends on."""
    found: dict[str, str] = {}
    recipe = world.recipe
    for dataset, spec in world.specs.items():
        found[dataset] = manifests.inputs_hash(
            generation=GENERATION,
            recipe=recipe_json(recipe),
            spec=digest(spec),
            statistics=statistics_digest(spec),
            model=world.models[dataset],
            uses={other: found[other] for other in spec.uses},
        )
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    """A dataset that is being built, or (without staging) is there already."""

    dataset: str
    version: str
    target: Path
    staging: Path | None
    shards: Mapping[str, Sequence[Callable[[], Written]]]  # table -> what gives each shard
    kept: int  # shards that an interrupted build had finished


def _begin(
    order: Order, world: World, dataset: str, version: str, make: Make, stack: ExitStack
) -> _Job:
    target = order.out / dataset / version
    if target.exists():
        return _Job(
            dataset=dataset, version=version, target=target, staging=None, shards={}, kept=0
        )
    folder = stack.enter_context(staging(order.out, f"{dataset}-{version}"))
    tables = {
        name: world.shards(f"{dataset}.{name}", order.shard_groups)
        for name in world.specs[dataset].tables
    }
    given: dict[Shard, Callable[[], Written]] = {}
    for shard in (shard for shards in tables.values() for shard in shards):
        found = finished(folder, path(shard), (shard.start, shard.end))
        if found is not None:
            given[shard] = partial(_same, found)
    kept = len(given)
    wanted = [s for shards in tables.values() for s in shards if s not in given]
    for shards in together(wanted, world, order.shard_groups):
        made = make(shards, folder)
        for i, shard in enumerate(shards):
            given[shard] = partial(_nth, made, i)
    return _Job(
        dataset=dataset,
        version=version,
        target=target,
        staging=folder,
        shards={name: [given[shard] for shard in shards] for name, shards in tables.items()},
        kept=kept,
    )


def _nth(made: Callable[[], Sequence[Written]], i: int) -> Written:
    return made()[i]


def _same(written: Written) -> Written:
    return written


def _finish(
    world: World, job: _Job, inputs: str, done: Mapping[str, Manifest], progress: Progress
) -> Manifest:
    if job.staging is None:
        found = _whole(job.target)
        progress(f"{job.dataset}: already built ({job.version})")
        return found
    started = time.monotonic()
    if job.kept:
        n = sum(map(len, job.shards.values()))
        progress(f"{job.dataset}: {job.kept} of {n} parts were finished by an interrupted build")
    written = {name: [give() for give in shards] for name, shards in job.shards.items()}
    tidy(job.staging, [one for table in written.values() for one in table])
    data = described(world, job.dataset, job.version, inputs, done, written, job.staging)
    write_json(job.staging / manifests.NAME, data)
    publish(job.staging, job.target)
    rows = sum(table["rows"] for table in data["tables"])
    seconds = time.monotonic() - started
    progress(f"{job.dataset}: {rows:,} rows in {seconds:.1f} s ({job.version})")
    return manifests.read(job.target)


def _whole(folder: Path) -> Manifest:
    """A replica that is there already, or an error if a part of it is not as it was published."""
    try:
        manifest = manifests.read(folder)
        for table in manifest.tables:
            for file in table["files"]:
                if manifests.sha256(folder / file["path"]) != file["sha256"]:
                    raise StorageError(f"{folder / file['path']} is not the file that was built")
    except (StorageError, OSError) as error:
        raise StorageError(
            f"{folder}: the replica there is damaged ({error}); delete this folder and build again"
        ) from error
    return manifest
