"""Build replicas: compute shards, write them to a staging, measure, publish at one stroke.

A replica lies at `<out>/<dataset>/<version>`; the version holds the recipe and a hash of all that
the content depends on, so that a changed input gives another place and nothing is edited there.
What dies on the way leaves nothing that a reader sees: the next build of the same takes its
finished shards over, and a build of something else removes them from a folder.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from synthetic.build.described import described
from synthetic.build.order import GENERATION, Order, recipe_json, scale_text
from synthetic.errors import BuildError
from synthetic.evaluation.fitted import open_models
from synthetic.evaluation.inputs import statistics_digest
from synthetic.generation.cluster import makers_of_cluster
from synthetic.generation.shards import path, together
from synthetic.generation.structures import Recipe
from synthetic.generation.workers import Make, makers
from synthetic.generation.world import Shard, World
from synthetic.spec.load import digest, load_all
from synthetic.spec.models import Spec
from synthetic.tables import manifest as manifests
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written
from synthetic.tables.stores import Staging, Store, opened

log = logging.getLogger(__name__)
Progress = Callable[[str], None]
_LEAST = Fraction(1, 100_000)  # of the country: a thousand persons
_WORKERS_FROM_ROWS = 8_000_000  # about; below this starting processes costs more than it saves


def build(order: Order, progress: Progress = log.info) -> list[Manifest]:
    """Build these datasets and those that they use; return their manifests, used ones first.

    A replica that is there already is kept as it is.
    """
    specs = load_all(order.datasets, order.specs)
    if order.cluster is not None and order.workers is not None:
        raise BuildError("a cluster has its own workers; give --workers or --dask")
    with opened(order.out) as store:
        return list(_built(order, specs, store, progress))


def _built(
    order: Order, specs: Mapping[str, Spec], store: Store, progress: Progress
) -> Iterator[Manifest]:
    store.check()
    started = time.monotonic()
    with store.models() as models:
        world = World(specs, order.recipe, models, fitted=open_models(specs, order.specs))
    _check_area(world, order.recipe)
    inputs = inputs_of(world, order.recipe)
    progress(f"model ready in {time.monotonic() - started:.1f} s")
    for table, model in world.fitted.items():
        if not model.facts["releasable"]:
            progress(f"{table}: NOT TO BE RELEASED: the noise of its model protects nobody")
    versions = {d: manifests.version(recipe_json(order.recipe), inputs[d]) for d in specs}
    done: dict[str, Manifest] = {}
    store.remove_abandoned(versions)
    with _makers(order, world) as make, ExitStack() as stack:
        # Every shard is asked for before the first is awaited: no worker waits for a table's last.
        jobs = [
            _begin(order, world, dataset, version, make, store, stack)
            for dataset, version in versions.items()
        ]
        for job in jobs:
            done[job.dataset] = _finish(world, job, inputs[job.dataset], done, store, progress)
            yield done[job.dataset]


def _makers(order: Order, world: World) -> AbstractContextManager[Make]:
    if order.cluster is not None:
        return makers_of_cluster(world, order.cluster)
    return makers(world, _workers(order, world))


def _workers(order: Order, world: World) -> int:
    """Processes where they help; 1 for this process alone."""
    workers = order.workers
    if workers is None:
        workers = (os.cpu_count() or 1) if world.rows() >= _WORKERS_FROM_ROWS else 1
    if workers < 1:
        raise BuildError(f"workers {workers} must be 1 or more")
    return workers


def _check_area(world: World, recipe: Recipe) -> None:
    areas = sorted({area for table in world.tables.values() for area in table.cells.areas})
    if recipe.area is not None and recipe.area not in areas:
        raise BuildError(f"unknown area {recipe.area!r}; areas are {', '.join(areas)}")


def inputs_of(world: World, recipe: Recipe) -> dict[str, str]:
    """A hash of all that each dataset's content depends on, if it is built with this recipe."""
    found: dict[str, str] = {}
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
    staging: Staging | None
    shards: Mapping[str, Sequence[Callable[[], Written]]]  # table -> what gives each shard
    kept: int  # shards that an interrupted build had finished


def _begin(
    order: Order,
    world: World,
    dataset: str,
    version: str,
    make: Make,
    store: Store,
    stack: ExitStack,
) -> _Job:
    if store.holds(dataset, version):
        return _Job(dataset=dataset, version=version, staging=None, shards={}, kept=0)
    staging = stack.enter_context(store.staging(dataset, version))
    tables = {
        name: world.shards(f"{dataset}.{name}", order.shard_groups)
        for name in world.specs[dataset].tables
    }
    given: dict[Shard, Callable[[], Written]] = {}
    for shard in (shard for shards in tables.values() for shard in shards):
        found = staging.finished(path(shard), (shard.start, shard.end))
        if found is not None:
            given[shard] = partial(_same, found)
    kept = len(given)
    wanted = [s for shards in tables.values() for s in shards if s not in given]
    for shards in together(wanted, world, order.shard_groups):
        made = make(shards, staging)
        for i, shard in enumerate(shards):
            given[shard] = partial(_nth, made, i)
    return _Job(
        dataset=dataset,
        version=version,
        staging=staging,
        shards={name: [given[shard] for shard in shards] for name, shards in tables.items()},
        kept=kept,
    )


def _nth(made: Callable[[], Sequence[Written]], i: int) -> Written:
    return made()[i]


def _same(written: Written) -> Written:
    return written


def _finish(
    world: World,
    job: _Job,
    inputs: str,
    done: Mapping[str, Manifest],
    store: Store,
    progress: Progress,
) -> Manifest:
    if job.staging is None:
        found = store.whole(job.dataset, job.version)
        progress(f"{job.dataset}: already built ({job.version})")
        return found
    started = time.monotonic()
    if job.kept:
        n = sum(map(len, job.shards.values()))
        progress(f"{job.dataset}: {job.kept} of {n} parts were finished by an interrupted build")
    written = {name: [give() for give in shards] for name, shards in job.shards.items()}
    _check_some(world.recipe, job.dataset, written, progress)
    folder = job.staging.gathered([one for table in written.values() for one in table])
    data = described(world, job.dataset, job.version, inputs, done, written, folder)
    published = job.staging.publish(data)
    rows = sum(table["rows"] for table in data["tables"])
    seconds = time.monotonic() - started
    progress(f"{job.dataset}: {rows:,} rows in {seconds:.1f} s ({job.version})")
    return published


def _check_some(
    recipe: Recipe,
    dataset: str,
    written: Mapping[str, Sequence[Written]],
    progress: Progress,
) -> None:
    """Tell of tables that stayed empty; a whole country in which all did is refused."""
    empty = [name for name, shards in written.items() if not any(one.rows for one in shards)]
    if len(empty) == len(written) and recipe.area is None and recipe.scale < 1:
        scale = scale_text(recipe.scale)
        least = scale_text(min(max(_LEAST, recipe.scale * 10), Fraction(1)))
        raise BuildError(f"{dataset} has no row at scale {scale}; take {least} or more")
    if empty:
        progress(f"{dataset}: no row in {', '.join(empty)}; a larger scale may give some")
