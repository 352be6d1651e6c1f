"""What generation is held against: a plain writer of the same columns, and Faker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from faker import Faker

FAKER_ROWS = 5_000


def known_of(like: pa.Table) -> dict[str, pa.Array]:
    """The different values of each column."""
    return {
        name: column.combine_chunks().unique().drop_null()
        for name, column in zip(like.column_names, like.columns, strict=True)
    }


def write_floor(known: Mapping[str, pa.Array], rows: int, folder: Path) -> int:
    """Write as many rows of the same types, every value uniform and independent.

    No structure, no content hash: NumPy draws positions among the values that occur, PyArrow writes.
    """
    chance = np.random.Generator(np.random.SFC64(1))
    columns = {}
    for name, values in known.items():
        index = pa.array(chance.integers(0, max(len(values), 1), rows, dtype=np.int32))
        if not len(values):
            columns[name] = pa.nulls(rows, values.type)
        elif pa.types.is_dictionary(values.type):
            columns[name] = pa.DictionaryArray.from_arrays(index, values.dictionary_decode())
        else:
            columns[name] = values.take(index)
    coded = [name for name, column in columns.items() if pa.types.is_dictionary(column.type)]
    pq.write_table(
        pa.table(columns),
        folder / "floor.parquet",
        compression="zstd",
        compression_level=1,
        use_dictionary=coded,
        write_statistics=False,
        store_decimal_as_integer=True,
    )
    return rows


def make_with_faker() -> int:
    """Make persons of the same meaning one by one, as Faker does."""
    fake = Faker("vi_VN")
    for _ in range(FAKER_ROWS):
        (fake.ssn(), fake.last_name(), fake.middle_name(), fake.first_name(), fake.name())
        (fake.date_of_birth(), fake.phone_number(), fake.city(), fake.random_int(0, 99))
        for words in (("m", "f"), ("u", "r"), ("a", "b", "c", "d"), ("x", "y", "z")):
            fake.random_element(words)
    return FAKER_ROWS
