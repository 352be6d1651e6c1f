"""The answer key of a dirty replica: one row for each defect, apart from the replica's folder.

`key` is the row's key in the clean replica; the parts of a key of several columns are joined by
"|". A duplicate has its own key in `new_key`, and `column`, `clean` and `dirty` tell by what it
differs from the row that it repeats. Values are texts as SQL's CAST to VARCHAR writes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.dirt.defects import Column, unit_factor
from synthetic.tables.arrow import DIGITS
from synthetic.tables.manifest import Manifest

FOLDER = "answer-keys"  # no dataset has a hyphen in its name
COLUMNS = ("table", "key", "new_key", "column", "kind", "clean", "dirty")
SCHEMA = pa.schema([pa.field(name, pa.string()) for name in COLUMNS])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One planted defect."""

    table: str
    key: str
    new_key: str | None
    column: str | None  # None: a duplicate that repeats its row exactly
    kind: str
    clean: str | None
    dirty: str | None


def path(folder: Path) -> Path:
    """Where the answer key of a replica's folder lies."""
    return folder.parent.parent / FOLDER / folder.parent.name / f"{folder.name}.parquet"


def to_table(answers: Iterable[Answer]) -> pa.Table:
    """Answers as an Arrow table."""
    rows = list(answers)
    return pa.table(
        {name: pa.array([getattr(a, name) for a in rows], pa.string()) for name in COLUMNS},
        schema=SCHEMA,
    )


def gather(parts: Iterable[Path], target: Path) -> int:
    """Put the parts of a key into one file, one part at a time; return its rows."""
    n = 0
    with pq.ParquetWriter(target, SCHEMA, compression="zstd") as writer:
        for part in parts:
            table = pq.read_table(part, schema=SCHEMA)
            n += table.num_rows
            writer.write_table(table)
    return n


def told(value: Any) -> str | None:
    """A value as CAST to VARCHAR writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def columns(manifest: Manifest, table: str) -> dict[str, Column]:
    """The columns of a table that may be spoiled: all but keys, of the table or to another."""
    entry = next(t for t in manifest.tables if t["name"] == table)
    kept = set(entry["key"])
    for column in entry["columns"]:
        if column["references"] is not None:
            kept |= {column["name"], *column.get("references_with", {}).values()}
    first = manifest.files(table)[:1]
    schema = pq.read_schema(first[0]) if first else pa.schema([])
    return {
        column["name"]: _column(column, schema)
        for column in entry["columns"]
        if column["name"] not in kept
    }


def _column(told: Mapping[str, Any], schema: pa.Schema) -> Column:
    name, codes = told["name"], told["codes_table"]
    held = schema.field(name).type if name in schema.names else pa.int64()
    bits = held.bit_width if pa.types.is_integer(held) else 64
    is_decimal = told["type"] == "decimal"
    return Column(
        name=name,
        type=told["type"],
        places=int(told.get("places") or 0),
        limit=10**DIGITS - 1 if is_decimal else 2 ** (bits - 1) - 1,
        factor=unit_factor(told["unit"]),
        codes=(codes["table"], codes["code"]) if codes else None,
        identifier=told["identifier"],
    )
