"""Build replicas: compute shards, write them to a staging folder, measure, publish by one rename.

A replica's folder is `<out>/<dataset>/<version>`; the version holds the recipe and a hash of all
that the content depends on, so that a changed input gives another folder and nothing is edited in
place. What dies on the way leaves nothing but a staging folder: the next build of the same takes
its finished shards over, and a build of something else removes it.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from synthetic import __version__, statistics
from synthetic.errors import BuildError, StorageError
from synthetic.evaluation import describe, sql
from synthetic.evaluation.inputs import published_tables, statistics_digest
from synthetic.generation.shards import path, shard_table, write_shard
from synthetic.generation.structures import Recipe
from synthetic.generation.world import SHARD_GROUPS, Shard, World
from synthetic.spec.load import digest, load_all
from synthetic.spec.models import Bilingual, ColumnSpec, Spec
from synthetic.tables import manifest as manifests
from synthetic.tables.content import Content
from synthetic.tables.files import storage_error, write_json
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written
from synthetic.tables.staging import (
    WorkerKilledError,
    finished,
    note,
    remove_abandoned,
    staging,
    tidy,
)

__all__ = ["Order", "assumptions", "build", "make_recipe", "shard_table", "write_shard"]
log = logging.getLogger(__name__)

GENERATION = 1  # raised when the same inputs would give other values
_SCALE = re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)
EMBEDDED_CODES = 100  # a longer code list stays in its published table
PRIVACY = {
    "vi": "Không có bản ghi thật nào được đọc: bản sao chỉ dựng từ các bảng tổng hợp đã công bố và "
    "bản mô tả này. Mọi số định danh đều mang dấu không thể cấp cho người thật. Họ tên cùng ngày "
    "sinh và nơi ở có thể tình cờ trùng với một người đang sống.",
    "en": "No real record was read: the replica is built from published aggregates and its spec "
    "alone. Every identifier carries a mark that no real person can be given. A name with a birth "
    "date and a commune can by chance coincide with a living person's.",
}
_WORKERS_FROM_ROWS = 8_000_000  # about; below this starting processes costs more than it saves


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built, and how."""

    datasets: tuple[str, ...]
    recipe: Recipe
    out: Path
    workers: int | None = None  # None: as many as help
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


Progress = Callable[[str], None]


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
    versions = {d: manifests.version(_recipe(order.recipe), inputs[d]) for d in specs}
    done: dict[str, Manifest] = {}
    remove_abandoned(order.out, [f"{d}-{version}" for d, version in versions.items()])
    with _executor(order, world) as executor, ExitStack() as stack:
        # Every shard is asked for before the first is awaited: no worker waits for a table's last.
        jobs = [
            _begin(order, world, dataset, version, executor, stack)
            for dataset, version in versions.items()
        ]
        for job in jobs:
            done[job.dataset] = _finish(world, job, inputs[job.dataset], done, progress)
    return list(done.values())


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
            recipe=_recipe(recipe),
            spec=digest(spec),
            statistics=statistics_digest(spec),
            model=world.models[dataset],
            uses={other: found[other] for other in spec.uses},
        )
    return found


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "scale": scale_text(recipe.scale),
        "area": recipe.area,
        "seed": recipe.seed,
        "margins": recipe.margins,
    }


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
    order: Order,
    world: World,
    dataset: str,
    version: str,
    executor: Executor | None,
    stack: ExitStack,
) -> _Job:
    target = order.out / dataset / version
    if target.exists():
        return _Job(
            dataset=dataset, version=version, target=target, staging=None, shards={}, kept=0
        )
    folder = stack.enter_context(staging(order.out, f"{dataset}-{version}"))
    shards: dict[str, list[Callable[[], Written]]] = {}
    kept = 0
    for name in world.specs[dataset].tables:
        shards[name] = []
        for shard in world.shards(f"{dataset}.{name}", order.shard_groups):
            found = finished(folder, path(shard), (shard.start, shard.end))
            kept += found is not None
            shards[name].append(
                partial(_same, found) if found else _ask(world, shard, folder, executor)
            )
    return _Job(
        dataset=dataset, version=version, target=target, staging=folder, shards=shards, kept=kept
    )


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
    try:
        written = {name: [give() for give in shards] for name, shards in job.shards.items()}
    except BrokenProcessPool as error:
        raise WorkerKilledError(
            "a worker process was killed, probably because memory ran out; "
            "use --workers 1 or a smaller scale"
        ) from error
    tidy(job.staging, [one for table in written.values() for one in table])
    data = _describe(world, job.dataset, job.version, inputs, done, written, job.staging)
    write_json(job.staging / manifests.NAME, data)
    _publish(job.staging, job.target)
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


def _publish(staging: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        staging.rename(target)
    except OSError:
        if not (target / manifests.NAME).is_file():  # another build published the same first
            raise


# ---------------------------------------------------------------- shards

_WORLD: World | None = None


def _start_worker(specs: Mapping[str, Spec], recipe: Recipe, folder: Path) -> None:
    global _WORLD
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells and ends them
    _end_with_the_parent()
    _WORLD = World(specs, recipe, folder)


def _end_with_the_parent() -> None:
    """Leave when the parent is gone: a worker holds its own queue open and would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _shard_in_worker(shard: Shard, folder: Path) -> Written:
    assert _WORLD is not None
    return _write_and_note(_WORLD, shard, folder)


def _write_and_note(world: World, shard: Shard, folder: Path) -> Written:
    written = write_shard(world, shard, folder)
    note(folder, written, (shard.start, shard.end))
    return written


def _ask(
    world: World, shard: Shard, folder: Path, executor: Executor | None
) -> Callable[[], Written]:
    """What gives a shard once it is computed: in a worker, or here when it is called."""
    if executor is None:
        return partial(_write_and_note, world, shard, folder)
    return executor.submit(_shard_in_worker, shard, folder).result


@contextmanager
def _executor(order: Order, world: World) -> Iterator[Executor | None]:
    """Processes where they help; None for this process alone."""
    workers = order.workers
    if workers is None:
        workers = (os.cpu_count() or 1) if world.rows() >= _WORKERS_FROM_ROWS else 1
    if workers < 1:
        raise BuildError(f"workers {workers} must be 1 or more")
    if workers == 1:
        yield None
        return
    executor = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(world.specs, order.recipe, order.out / ".models"),
    )
    try:
        yield executor
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.terminate()  # a shard under way would keep Ctrl-C waiting
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


# ---------------------------------------------------------------- manifest


def _describe(
    world: World,
    dataset: str,
    version: str,
    inputs: str,
    done: Mapping[str, Manifest],
    written: Mapping[str, Sequence[Written]],
    staging: Path,
) -> dict[str, Any]:
    spec, recipe = world.specs[dataset], world.recipe
    tables: list[dict[str, Any]] = [
        {
            "name": name,
            "title": table.title.model_dump(),
            "description": table.description.model_dump(),
            "rows": sum(w.rows for w in written[name]),
            "content_hash": sum((w.content for w in written[name]), Content()).hexdigest(),
            "key": list(table.key),
            "questions": [question.model_dump() for question in table.questions],
            "files": [
                {"path": w.path, "rows": w.rows, "bytes": w.size_bytes, "sha256": w.sha256}
                for w in written[name]
            ],
            "columns": [],
        }
        for name, table in spec.tables.items()
    ]
    pairs: list[dict[str, Any]] = []
    with sql.connect({dataset: Manifest(staging, {"tables": tables})}) as connection:
        for entry in tables:
            fidelity, found = describe.table_fidelity(
                connection,
                world.specs,
                dataset,
                entry["name"],
                world.margins[dataset],
                recipe.area,
            )
            pairs += found
            columns = spec.tables[entry["name"]].columns
            entry["columns"] = [_column(n, columns[n], f) for n, f in fidelity.items()]
    return {
        "format": manifests.FORMAT,
        "dataset": dataset,
        "version": version,
        "title": spec.title.model_dump(),
        "description": spec.description.model_dump(),
        "recipe": _recipe(recipe),
        "as_of": spec.as_of.isoformat(),
        "hashes": {
            "spec": digest(spec),
            "statistics": statistics_digest(spec),
            "model": world.models[dataset],
            "inputs": inputs,
            "generation": GENERATION,
        },
        "generator": __version__,
        "depends": {other: done[other].version for other in spec.uses},
        "tables": tables,
        "pairs": pairs,
        "assumptions": [reason.model_dump() for reason in assumptions(spec)],
        "sources": [_source(name) for name in published_tables(spec)],
        "privacy": PRIVACY,
        "licence": spec.licence,
    }


def assumptions(spec: Spec) -> list[Bilingual]:
    """What the rows themselves assume, beside what each column says of itself."""
    found = [pool.because for pool in spec.pools.values()]
    for table in spec.tables.values():
        rows = table.rows
        kinds = (rows.units, rows.matching, rows.children, rows.cells)
        found += [kind.because for kind in kinds if kind is not None]
    return found


def _column(name: str, spec: ColumnSpec, fidelity: dict[str, Any]) -> dict[str, Any]:
    codes, table = None, None
    if spec.codes is not None:
        codes = {code: title.model_dump() for code, title in spec.codes.items()}
    elif spec.codes_from is not None:
        table = {k: v for k, v in spec.codes_from.model_dump().items() if v}
        listed = {
            row[spec.codes_from.code]: {
                "vi": row[spec.codes_from.vi],
                "en": row[spec.codes_from.en or spec.codes_from.vi],
            }
            for row in statistics.rows(spec.codes_from.table)
            if all(row[k] == v for k, v in spec.codes_from.where.items())
        }
        codes = listed if len(listed) <= EMBEDDED_CODES else None
    return {
        "name": name,
        "type": spec.type,
        **({} if spec.places is None else {"places": spec.places}),
        "unit": spec.unit,
        "title": spec.title.model_dump(),
        "description": None if spec.description is None else spec.description.model_dump(),
        "sensitivity": spec.sensitivity,
        "codes": codes,
        "codes_table": table,
        "references": spec.references,
        **({"references_with": dict(spec.references_with)} if spec.references_with else {}),
        **({"leaves_area": True} if spec.leaves_area else {}),
        **({} if spec.missing is None else {"missing": spec.missing.model_dump()}),
        "identifier": None if spec.identifier is None else spec.identifier.kind,
        "fidelity": fidelity,
    }


def _source(name: str) -> dict[str, Any]:
    source, title = statistics.source(name), statistics.table(name).title
    return {
        "table": name,
        "name": {"vi": title.vi, "en": title.en},
        "title": source.title,
        "publisher": source.publisher,
        "year": source.year,
        "terms": source.terms,
    }
