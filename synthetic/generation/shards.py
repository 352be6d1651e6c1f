"""Shards: the rows of a range of groups or units, computed step by step and written as one file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from synthetic.generation.operations import truth
from synthetic.generation.values import Values
from synthetic.generation.world import Shard, World
from synthetic.spec.models import ColumnSpec
from synthetic.tables import arrow
from synthetic.tables.memory import keep_freed
from synthetic.tables.parquet import Hashed, Written, hashed, write

STEP_ROWS = 196_608  # of the longest table, about; more would leave the processor's cache


def path(shard: Shard) -> str:
    """Where a shard's file lies in the replica's folder."""
    return f"{shard.table.partition('.')[2]}/part-{shard.index:05d}.parquet"


def together(shards: Iterable[Shard], world: World, span: int) -> list[tuple[Shard, ...]]:
    """Shards to be computed together: of one dataset, and of the same span of groups or units."""
    found: dict[tuple[str, int, int], list[Shard]] = {}
    for shard in shards:
        dataset, _, _ = shard.table.partition(".")
        key = (dataset, id(world.tables[shard.table].cells), shard.start // span)
        found.setdefault(key, []).append(shard)
    return [tuple(held) for held in found.values()]


def write_shards(
    world: World, shards: Sequence[Shard], folder: Path
) -> Iterator[tuple[Shard, Written]]:
    """Compute shards that belong together and write each as soon as it is whole."""
    held: dict[Shard, list[Hashed]] = {shard: [] for shard in shards}
    for shard, part, last in _steps(world, shards):
        held[shard].append(hashed(part))
        if last:
            whole, named = held.pop(shard), pruned_by(world, shard)
            yield shard, write(whole, folder, path(shard), pruned_by=named)


def write_shard(world: World, shard: Shard, folder: Path) -> Written:
    """Compute one shard and write it."""
    ((_, written),) = write_shards(world, (shard,), folder)
    return written


def pruned_by(world: World, shard: Shard) -> frozenset[str]:
    """The coded columns whose least and greatest tell a reader which files it need not open."""
    dataset, _, name = shard.table.partition(".")
    area = world.specs[dataset].tables[name].area
    return frozenset(() if area is None else (area,))


def shard_table(world: World, shard: Shard) -> pa.Table:
    """Compute the rows of one shard as an Arrow table."""
    return arrow.together([part for _, part, _ in _steps(world, (shard,))])


def _steps(world: World, shards: Sequence[Shard]) -> Iterator[tuple[Shard, pa.Table, bool]]:
    """Compute shards over the same groups step by step: parts, and whether each is its last."""
    keep_freed()
    cells = world.tables[shards[0].table].cells
    longest = max(world.rows_per_group(shard.table) for shard in shards)
    step = max(int(STEP_ROWS / longest), 1)
    start, end = min(s.start for s in shards), max(s.end for s in shards)
    marks = {*range(start - start % step + step, end, step), start, end}
    cuts = sorted(marks | {cut for s in shards for cut in (s.start, s.end)})
    for a, b in itertools.pairwise(cuts) if len(cuts) > 1 else [(start, end)]:
        with world.recent.working_on(cells, a, b):
            for shard in shards:
                if shard.start <= a and b <= shard.end:
                    yield shard, _part(world, shard.table, a, b), b == shard.end


def _part(world: World, table: str, start: int, end: int) -> pa.Table:
    dataset, _, name = table.partition(".")
    columns = world.specs[dataset].tables[name].columns
    frame = world.tables[table].frame(start, end)
    return pa.table(
        {
            column: to_arrow(frame.column(column), spec, world.digits(table, column))
            for column, spec in columns.items()
            if spec.stored and not spec.hidden
        }
    )


def to_arrow(values: Values, column: ColumnSpec, digits: int | None = None) -> pa.Array:
    """Give values the Arrow type of their column; the number that is written with `digits`."""
    if digits is not None:
        if values.width != digits:
            texts = values.strings()
            if values.missing is not None:
                texts = arrow.without(texts, values.missing)
            return texts.cast(pa.int64())
        return arrow.numbers(values.ints, values.missing)
    if values.width is not None:
        values = Values(text=values.strings(), missing=values.missing)
    if values.domain is not None:
        return arrow.coded(values.ints, arrow.domain(values.domain), values.missing)
    if values.text is not None:
        if values.missing is None:
            return values.text
        return arrow.without(values.text, values.missing)
    if column.places is not None:
        return arrow.decimals(values.ints, column.places, values.missing)
    if column.type == "timestamp":
        return arrow.timestamps(values.ints, values.missing)
    if column.type == "boolean":
        return arrow.flags(truth(values), values.missing)
    numbers = arrow.numbers(values.ints, values.missing)
    if column.type == "date":
        return numbers.cast(pa.int32()).cast(pa.date32())
    return numbers
