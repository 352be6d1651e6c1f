"""Speed and memory of generation, beside a floor and beside Faker, in the same run.

    uv run python -m tests.benchmarks.generation [SCALE]

The floor writes the same columns with independent uniform values, straight from NumPy to zstd
Parquet: no structure, no content hash. CPU seconds are this process's own; nothing else should run.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from faker import Faker

from synthetic.build import make_recipe, shard_table, write_shard
from synthetic.generation.world import World
from synthetic.spec.load import load_all

FAKER_ROWS = 5_000


def cpu_seconds(work: Callable[[], int]) -> tuple[int, float]:
    """Rows made, and CPU seconds spent."""
    started = time.process_time()
    rows = work()
    return rows, time.process_time() - started


def floor(like: pa.Table, rows: int, folder: Path) -> int:
    """Write as many rows of the same types, every value uniform and independent."""
    chance = np.random.Generator(np.random.SFC64(1))
    columns = {}
    for name, column in zip(like.column_names, like.columns, strict=True):
        known = column.unique().drop_null()
        index = pa.array(chance.integers(0, len(known), rows, dtype=np.int32))
        if pa.types.is_dictionary(column.type):
            columns[name] = pa.DictionaryArray.from_arrays(index, known.dictionary_decode())
        else:
            columns[name] = known.take(index)
    coded = [name for name, column in columns.items() if pa.types.is_dictionary(column.type)]
    pq.write_table(
        pa.table(columns),
        folder / "floor.parquet",
        compression="zstd",
        compression_level=1,
        use_dictionary=coded,
        write_statistics=False,
    )
    return rows


def faker_rows() -> int:
    """Make rows of the same meaning one by one, as Faker does."""
    fake = Faker("vi_VN")
    for _ in range(FAKER_ROWS):
        (fake.ssn(), fake.last_name(), fake.middle_name(), fake.first_name(), fake.name())
        (fake.date_of_birth(), fake.phone_number(), fake.city(), fake.random_int(0, 99))
        for words in (("m", "f"), ("u", "r"), ("a", "b", "c", "d"), ("x", "y", "z")):
            fake.random_element(words)
    return FAKER_ROWS


def main() -> None:
    """Print the figures."""
    scale = sys.argv[1] if len(sys.argv) > 1 else "0.05"
    world = World(
        load_all(["enterprise"]), make_recipe(scale, None, 1, "exact"), Path("/nonexistent")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speeds = {}
        for table in world.tables:
            shards = world.shards(table)
            rows, seconds = cpu_seconds(
                lambda shards=shards: sum(write_shard(world, s, folder).rows for s in shards)
            )
            size = sum(f.stat().st_size for f in (folder / table.split(".")[1]).iterdir())
            speeds[table] = rows / seconds
            print(
                f"{table:<24}{rows:>12,} rows {rows / seconds:>12,.0f} rows/CPU-s {size / rows:6.1f} bytes/row"
            )
        like = shard_table(world, world.shards("population.persons")[0])
        rows, seconds = cpu_seconds(lambda: floor(like, 1_000_000, folder))
    print(f"{'floor, persons':<24}{rows:>12,} rows {rows / seconds:>12,.0f} rows/CPU-s")
    print(f"ratio to the floor: {speeds['population.persons'] / (rows / seconds):.2f}")
    rows, seconds = cpu_seconds(faker_rows)
    print(f"{'Faker vi_VN':<24}{rows:>12,} rows {rows / seconds:>12,.0f} rows/CPU-s")
    print(f"ratio to Faker: {speeds['population.persons'] / (rows / seconds):.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
