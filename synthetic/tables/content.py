"""The content hash of a table: the same for any sharding, any order of rows and any encoding.

Each value becomes a 64-bit code of what it *means* (a text by its UTF-8 bytes, a number and a date
by its value, a decimal by the number of its last places, a time by its seconds since 1970, a
missing value by a code of its own). A row's hash mixes the codes, each multiplied by
an odd key of its column; a table's is the sum of its rows' hashes modulo 2**64, in two independent
lanes. It tells whether two tables hold the same rows; it finds accidents. Against somebody who
forges on purpose, the SHA-256 of each file stands in the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.tables import arrow

Words = npt.NDArray[np.uint64]
_MASK = (1 << 64) - 1
_PRIME = np.uint64(0x9E3779B97F4A7C15 | 1)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MISSING = np.uint64(0x6D697373696E6721)
_MAX_TEXT = 4096  # bytes; longer texts have no place in a column
_BATCH = 262_144  # rows hashed at a time: a dictionary is hashed once for each


@dataclass(frozen=True)
class Content:
    """The sum of the row hashes of some rows; two parts of a table add up to the whole."""

    rows: int = 0
    lanes: tuple[int, int] = (0, 0)

    def __add__(self, other: Content) -> Content:
        a, b = self.lanes, other.lanes
        return Content(self.rows + other.rows, ((a[0] + b[0]) & _MASK, (a[1] + b[1]) & _MASK))

    def hexdigest(self) -> str:
        """Both lanes and the number of rows as 48 hexadecimal digits."""
        return f"{self.lanes[0]:016x}{self.lanes[1]:016x}{self.rows:016x}"


def of_table(table: pa.Table) -> Content:
    """The content of an Arrow table, whatever the encoding of its columns."""
    total = Content()
    for start in range(0, table.num_rows, _BATCH):
        total += _of_batch(table.slice(start, _BATCH))
    return total


def row_words(table: pa.Table) -> Words:
    """One word for each row of what its values mean, whatever the encoding and other rows."""
    total = np.zeros(table.num_rows, dtype=np.uint64)
    for name, column in zip(table.column_names, table.columns, strict=True):
        total += _codes(column.combine_chunks()) * _column_key(name, 0)
    return _mix(total)


def of_files(paths: Iterable[Path]) -> Content:
    """The content of Parquet files, read in batches."""
    total = Content()
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                total += of_table(pa.Table.from_batches([batch]))
    return total


def _of_batch(table: pa.Table) -> Content:
    n = table.num_rows
    first, second = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
    for name, column in zip(table.column_names, table.columns, strict=True):
        codes = _codes(column.combine_chunks())
        for lane, total in enumerate((first, second)):
            total += codes * _column_key(name, lane)
    lanes = (int(_mix(first).sum(dtype=np.uint64)), int(_mix(second).sum(dtype=np.uint64)))
    return Content(n, lanes)


def _column_key(name: str, lane: int) -> np.uint64:
    digest = hashlib.blake2b(f"{lane}:{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)


def _mix(z: Words) -> Words:
    z = (z ^ (z >> np.uint64(30))) * _M1
    z = (z ^ (z >> np.uint64(27))) * _M2
    return z ^ (z >> np.uint64(31))


def _codes(column: pa.Array) -> Words:
    missing = column.null_count > 0
    if pa.types.is_dictionary(column.type):
        indices = pc.fill_null(column.indices, 0) if missing else column.indices
        # A dictionary without entries belongs to a column without values.
        known = _text_codes(column.dictionary) if len(column.dictionary) else np.zeros(1, np.uint64)
        codes = known[arrow.to_numpy(indices).astype(np.int64)]
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        codes = _text_codes(pc.fill_null(column, "") if missing else column)
    else:
        filled = pc.fill_null(_as_integers(column), 0) if missing else _as_integers(column)
        codes = _mix(
            arrow.to_numpy(filled).astype(np.int64).view(np.uint64) * _PRIME + np.uint64(1)
        )
    if missing:
        codes = np.where(arrow.to_numpy(column.is_null()), _MISSING, codes)
    return codes


def _as_integers(column: pa.Array) -> pa.Array:
    if pa.types.is_date32(column.type):
        return column.cast(pa.int32())
    if pa.types.is_boolean(column.type):
        return column.cast(pa.int8())
    if pa.types.is_timestamp(column.type):  # Parquet knows no seconds: they return as milliseconds
        return column.cast(pa.timestamp("s")).view(pa.int64())
    if pa.types.is_decimal128(column.type) and column.type.precision <= arrow.DIGITS:
        return arrow.numbers(np.ascontiguousarray(arrow.to_numpy(column)), arrow.missing_of(column))
    if pa.types.is_integer(column.type):
        return column
    raise TypeError(f"no content code for a column of type {column.type}")


def _text_codes(column: pa.Array) -> Words:
    """A polynomial hash of the UTF-8 bytes, eight at a time, mixed with the length."""
    column = column.cast(pa.string()) if not pa.types.is_string(column.type) else column
    n = len(column)
    if n == 0:
        return np.zeros(0, dtype=np.uint64)
    buffers = column.buffers()
    ends = np.frombuffer(buffers[1], dtype=np.int32)[column.offset : column.offset + n + 1]
    starts, length = ends[:-1] - ends[0], np.diff(ends)
    if length.max() > _MAX_TEXT:
        raise ValueError(f"a text of {length.max()} bytes; at most {_MAX_TEXT}")
    total = np.zeros(n, dtype=np.uint64)
    if buffers[2] is not None:
        data = np.frombuffer(buffers[2], dtype=np.uint8)[ends[0] : ends[-1]]
        _add_words(total, data, starts.astype(np.int64), length)
    return _mix(total + length.astype(np.uint64) * _M1)


# What remains of eight bytes when only so many of them belong to the text.
_KEEP = np.array([(1 << (8 * k)) - 1 for k in range(9)], dtype=np.uint64)


def _add_words(
    total: Words,
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    length: npt.NDArray[np.int32],
) -> None:
    """Take each text as little-endian words, the last filled up with zeros."""
    padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    # A word may begin at any byte.
    words = np.ndarray((len(data) + 1,), dtype="<u8", buffer=padded, strides=(1,))
    for taken in range(0, int(length.max()), 8):
        left = np.clip(length - taken, 0, 8)
        word = words[np.minimum(starts + taken, len(data))] & _KEEP[left]
        # Texts that have ended keep their sum, so that a batch's longest text changes no other's.
        np.copyto(total, total * _PRIME + word, where=left > 0)
