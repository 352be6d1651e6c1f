"""Parquet files of a replica: one writer, so that the same rows give the same bytes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.tables import content
from synthetic.tables.files import storage_error
from synthetic.tables.manifest import sha256


@dataclass(frozen=True)
class Written:
    """What became of one shard."""

    path: str  # relative to the replica's folder
    rows: int
    size_bytes: int
    sha256: str
    content: content.Content


def write(table: pa.Table, folder: Path, path: str) -> Written:
    """Write a shard, zstd-compressed, whole or not at all, and hash it."""
    target = folder / path
    unfinished = target.with_name(f".{target.name}-{os.getpid()}")
    coded = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    ordered = [f.name for f in table.schema if not pa.types.is_string(f.type)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Least and greatest of random texts serve nobody and cost a fifth of the writing.
        pq.write_table(
            table,
            unfinished,
            compression="zstd",
            compression_level=1,
            use_dictionary=coded,
            write_statistics=ordered,
            store_decimal_as_integer=True,  # eight bytes, not sixteen
        )
        unfinished.chmod(0o644)  # whatever the umask: isolated kernels read as another user
        unfinished.replace(target)
        size = target.stat().st_size
    except OSError as error:
        raise storage_error("write", target, error) from error
    return Written(path, table.num_rows, size, sha256(target), content.of_table(table))
