"""Speed, size and memory of generation, beside a plain writer and Faker in the same run.

    uv run python -m tests.benchmarks.generation [--work persons …] [--scale 0.05]
        [--growth 0.001 0.01 0.1] [--together 0.1] [--cold] [--peak 0.1]

Rates are rows per CPU second of one process, start-up left out. Nothing else should run; where
something does, ratios tell more than rates.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from synthetic.build import make_recipe, shard_table
from synthetic.generation.shards import together, write_shards
from synthetic.generation.world import SHARD_GROUPS, Shard, World
from synthetic.spec.load import load_all
from tests.benchmarks.floor import known_of, make_with_faker, write_floor
from tests.benchmarks.watched import watch

FLOOR_ROWS = 500_000


@dataclass(frozen=True)
class Work:
    """Tables that are written together, and what is asked of them."""

    dataset: str
    tables: tuple[str, ...]
    counted: tuple[str, ...]  # whose rows are counted
    ask: float  # million rows per CPU second
    ask_bytes: float | None = None  # a row


WORKS = {
    "persons": Work("population", ("households", "persons"), ("persons",), 1.2, 28),
    "transactions": Work("banking", ("transactions",), ("transactions",), 2.0, 14),
    "health": Work("health", ("encounters", "prescriptions"), ("encounters", "prescriptions"), 1.5),
}


@dataclass(frozen=True)
class Made:
    """What was written."""

    rows: int
    size_bytes: int
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Million rows per CPU second."""
        return self.rows / self.cpu_seconds / 1e6


def world_of(work: Work, scale: str) -> World:
    """The world of a work's dataset."""
    recipe = make_recipe(scale, None, 1, "exact")
    return World(load_all([work.dataset]), recipe, Path(tempfile.gettempdir()))


def make(work: Work, world: World) -> Made:
    """Write the tables of a work."""
    shards = [s for table in work.tables for s in world.shards(f"{work.dataset}.{table}")]
    counted = {f"{work.dataset}.{table}" for table in work.counted}
    rows = size = 0
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        for held in together(shards, world, SHARD_GROUPS):
            for shard, written in write_shards(world, held, Path(folder)):
                rows += written.rows * (shard.table in counted)
                size += written.size_bytes * (shard.table in counted)
        return Made(rows, size, time.process_time() - started)


_held: tuple[Work, World] | None = None  # of a worker process


def tell_together(name: str, scale: str) -> None:
    """Print how long two processes take for the tables of a work."""
    world = world_of(WORKS[name], scale)
    shards = [
        s for table in WORKS[name].tables for s in world.shards(f"{WORKS[name].dataset}.{table}")
    ]
    context, started = multiprocessing.get_context("spawn"), time.monotonic()
    with ProcessPoolExecutor(2, context, initializer=_hold, initargs=(name, scale)) as workers:
        rows = sum(workers.map(_rows_written, together(shards, world, SHARD_GROUPS)))
    seconds = time.monotonic() - started
    print(f"{name} at {scale}, two workers: {rows:,} rows in {seconds:.1f} s", end="")
    print(f", {rows / seconds / 1e6:.2f} million a second")


def _hold(name: str, scale: str) -> None:
    global _held
    _held = WORKS[name], world_of(WORKS[name], scale)


def _rows_written(shards: Sequence[Shard]) -> int:
    assert _held is not None
    work, world = _held
    counted = {f"{work.dataset}.{table}" for table in work.counted}
    with tempfile.TemporaryDirectory() as folder:
        written = write_shards(world, shards, Path(folder))
        return sum(one.rows for shard, one in written if shard.table in counted)


def floor_rate(work: Work, world: World) -> float:
    """Million rows per CPU second of a plain writer of the same tables."""
    seconds = rows = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for table in work.tables:
            name = f"{work.dataset}.{table}"
            known = known_of(shard_table(world, world.shards(name)[0]))
            share = world.rows_per_group(name) / world.rows_per_group(
                f"{work.dataset}.{work.counted[0]}"
            )
            n = int(FLOOR_ROWS * share)
            write_floor(known, n, Path(folder))  # its pages are touched for the first time
            seconds += cpu_seconds(partial(write_floor, known, n, Path(folder)))
            rows += n * (table in work.counted)
    return rows / seconds / 1e6


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print the figures that were asked for."""
    options = _options()
    faker = make_with_faker() / cpu_seconds(make_with_faker) / 1e6
    print(f"{'work':<14}{'rows':>12}{'M rows/CPU-s':>14}{'ask':>6}{'floor':>8}{'ratio':>7}", end="")
    print(f"{'x Faker':>9}{'bytes/row':>11}{'ask':>6}")
    for name in options.work:
        work = WORKS[name]
        world = world_of(work, options.scale)
        make(work, world)  # tables are made when first drawn from
        made, floor = make(work, world), floor_rate(work, world)
        print(f"{name:<14}{made.rows:>12,}{made.rate:>14.2f}{work.ask:>6}{floor:>8.2f}", end="")
        print(f"{made.rate / floor:>7.2f}{made.rate / faker:>9.0f}", end="")
        print(f"{made.size_bytes / made.rows:>11.1f}{work.ask_bytes or '':>6}")
    for scale in options.growth:
        made = make(WORKS["persons"], world_of(WORKS["persons"], scale))
        print(f"persons at {scale:<8}{made.rows:>12,} rows {1000 / made.rate:>8.0f} ns a row")
    if options.cold:
        with (
            tempfile.TemporaryDirectory() as out
        ):  # leaves the bytecode that any earlier use leaves
            watch(["-m", "synthetic.cli", "build", "population", "--scale", "0.001", "--out", out])
        _print_watched("1 million persons, cold to published (ask 3 s)", "population", "0.01", "1")
    for scale in options.together:
        for name in options.work:
            tell_together(name, scale)
    if options.peak:
        _print_watched(f"persons at {options.peak} (ask 900 MB)", "population", options.peak, "2")


def _print_watched(what: str, dataset: str, scale: str, workers: str) -> None:
    with tempfile.TemporaryDirectory() as out:
        order = ["--scale", scale, "--workers", workers, "--out", out]
        took = watch(["-m", "synthetic.cli", "build", dataset, *order])
    print(f"{what}: {took.seconds:.1f} s, {took.cpu_seconds:.1f} CPU-s, {took.peak_mb:.0f} MB PSS")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", nargs="*", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--scale", default="0.02", help="share of the country (default 0.02)")
    parser.add_argument(
        "--growth", nargs="*", default=[], metavar="SCALE", help="time per row at these"
    )
    parser.add_argument(
        "--together", nargs="*", default=[], metavar="SCALE", help="by two processes, at these"
    )
    parser.add_argument("--cold", action="store_true", help="a build of 1 million persons")
    parser.add_argument("--peak", metavar="SCALE", help="memory of a build with two workers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
