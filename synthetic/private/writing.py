"""Drawn rows as a file: Parquet or CSV, written block by block, whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from synthetic.errors import PrivateError
from synthetic.generation.values import Values
from synthetic.private.schema import Attribute, Schema
from synthetic.tables import arrow
from synthetic.tables.files import storage_error

Rows = dict[str, Values]


def table(rows: Rows, schema: Schema) -> pa.Table:
    """Rows as an Arrow table."""
    return pa.table({a.name: _array(rows[a.name], a) for a in schema.attributes})


def _array(values: Values, attribute: Attribute) -> pa.Array:
    assert values.data is not None
    if attribute.type == "boolean":
        return arrow.flags(values.data.astype(bool), values.missing)
    if values.domain is not None:
        return arrow.coded(values.ints, arrow.domain(values.domain), values.missing)
    if attribute.type == "decimal":
        return arrow.decimals(values.ints, attribute.places, values.missing)
    numbers = arrow.numbers(values.ints, values.missing)
    return numbers.cast(pa.int32()).cast(pa.date32()) if attribute.type == "date" else numbers


def _plain(table: pa.Table) -> pa.Table:
    """The same with texts in place of codes: a CSV file has no codes."""
    fields = [
        pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


WRITERS: dict[str, Callable[[Path, pa.Schema], Any]] = {
    ".parquet": lambda path, schema: pa.parquet.ParquetWriter(
        path, schema, compression="zstd", compression_level=-1
    ),
    ".csv": lambda path, schema: pa.csv.CSVWriter(path, schema),
}


def check_suffix(path: Path) -> None:
    """Refuse a file of another kind before anything is drawn."""
    if path.suffix not in WRITERS:
        raise PrivateError(f"{path}: its name must end in {' or '.join(WRITERS)}")


def write(blocks: Iterable[Rows], schema: Schema, path: Path, said: str) -> int:
    """Write blocks of rows, and in a Parquet file what is said of them; how many there were."""
    check_suffix(path)
    shape = _plain if path.suffix == ".csv" else (lambda table: table)
    empty = shape(table({a.name: _none(a) for a in schema.attributes}, schema))
    told = empty.schema.with_metadata({b"synthetic": said.encode()})
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    total = 0
    try:
        with WRITERS[path.suffix](unfinished, told) as writer:
            for rows in blocks:
                part = shape(table(rows, schema))
                writer.write_table(part)
                total += part.num_rows
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        raise storage_error("write", path, error) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return total


def _none(attribute: Attribute) -> Values:
    domain = attribute.values if attribute.type == "category" else None
    return Values(np.zeros(0, dtype=np.int64), domain)
