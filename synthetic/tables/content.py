"""The content hash of a table: the same for any sharding, any order of rows and any encoding.

Each value becomes a 64-bit code of what it *means* (a text by its UTF-8 bytes, a number and a date
by its value, a decimal by the number of its last places, a time by its seconds since 1970, a
missing value by a code of its own). A row's sum takes each code times an odd key of its column, and
is mixed in two ways; a table's hash is the sum of each over its rows, modulo 2**64. Numbers are
their own codes: with odd keys rows that differ in one number never have the same sum, and rows that
differ in more have it by a negligible chance (a multilinear hash). It tells whether two tables hold
the same rows; it finds accidents. Against somebody who forges on purpose, the
SHA-256 of each file stands in the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.tables import arrow

Words = npt.NDArray[np.uint64]
_MASK = (1 << 64) - 1
_PRIME = np.uint64(0x9E3779B97F4A7C15 | 1)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = (np.uint64(n) for n in (30, 27, 31))
_MISSING = np.array([0x6D697373696E6721], dtype=np.uint64)  # an array overflows in silence
_SECOND = np.uint64(0xD1342543DE82EF95)  # what makes the second lane another
_MAX_TEXT = 4096  # bytes; longer texts have no place in a column
_BATCH = 65_536  # rows hashed at a time; each batch has its cost, and more fill the cache
_READ = 262_144  # rows read at a time
_KEPT = 256  # dictionaries whose codes are kept


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
    return _mix(_row_sums(table))


def of_files(paths: Iterable[Path]) -> Content:
    """The content of Parquet files, read in batches."""
    total = Content()
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_READ):
                total += of_table(pa.Table.from_batches([batch]))
    return total


def _of_batch(table: pa.Table) -> Content:
    sums = _row_sums(table)
    other = sums * _SECOND
    return Content(table.num_rows, (_total(_mix(sums)), _total(_mix(other))))


def _row_sums(table: pa.Table) -> Words:
    total = np.zeros(table.num_rows, dtype=np.uint64)
    for name, column in zip(table.column_names, table.columns, strict=True):
        total += _terms(_one_array(column), _column_key(name))
    return total


def _total(words: Words) -> int:
    return int(words.sum(dtype=np.uint64))


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


@cache
def _column_key(name: str) -> np.uint64:
    digest = hashlib.blake2b(f"0:{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)


def _mix(z: Words) -> Words:
    """Mix in place."""
    scratch = z >> _S30
    z ^= scratch
    z *= _M1
    np.right_shift(z, _S27, out=scratch)
    z ^= scratch
    z *= _M2
    np.right_shift(z, _S31, out=scratch)
    z ^= scratch
    return z


def _terms(column: pa.Array, key: np.uint64) -> Words:
    """The code of each value, times the key of its column."""
    missing = column.null_count > 0
    if pa.types.is_dictionary(column.type):
        known = _known(column.dictionary, key)
        places = arrow.to_numpy(column.indices).astype(np.int64)
        # Where there is no value may stand the place of none.
        terms = known.take(places, mode="clip" if missing else "raise")
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        terms = _text_codes(column)  # what stands where there is no value does not matter
        terms *= key
    else:
        terms = _of_numbers(arrow.to_numpy(_as_integers(column)), key)
    if missing:
        np.copyto(terms, _MISSING * key, where=arrow.to_numpy(column.is_null()).view(np.bool_))
    return terms


def _of_numbers(numbers: npt.NDArray[np.generic], key: np.uint64) -> Words:
    """Each number times the key; no mixing, since a row's sum is mixed."""
    return numbers.astype(np.int64, copy=False).view(np.uint64) * key


_kept: dict[tuple[int, ...], tuple[pa.Array, Words]] = {}


def _known(dictionary: pa.Array, key: np.uint64) -> Words:
    """The terms of a dictionary, kept: batch after batch has the same one."""
    if not len(dictionary):  # of a column without values
        return np.zeros(1, dtype=np.uint64)
    held = (int(key), *arrow.place(dictionary))
    if held not in _kept:
        if len(_kept) >= _KEPT:
            _kept.clear()
        # The array stays with its terms, so that no other can come to lie in its place.
        _kept[held] = dictionary, _text_codes(dictionary) * key
    return _kept[held][1]


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
    longest = int(length.max())
    if longest > _MAX_TEXT:
        raise ValueError(f"a text of {longest} bytes; at most {_MAX_TEXT}")
    total = np.zeros(n, dtype=np.uint64)
    if longest:
        data = np.frombuffer(buffers[2], dtype=np.uint8)[ends[0] : ends[-1]]
        padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
        if length.min() == longest:
            _add_even(total, padded, longest)
        else:
            _add_words(total, padded, starts, length)
    codes = length.astype(np.uint64)
    codes *= _M1
    codes += total
    return _mix(codes)


# What remains of eight bytes when only so many of them belong to the text.
_KEEP = np.array([(1 << (8 * k)) - 1 for k in range(9)], dtype=np.uint64)


def _add_even(total: Words, data: npt.NDArray[np.uint8], width: int) -> None:
    """Take texts of one length as little-endian words, the last filled up with zeros."""
    for taken in range(0, width, 8):
        total *= _PRIME
        word = np.ndarray(total.shape, "<u8", data, offset=taken, strides=(width,))
        total += word if width - taken >= 8 else word & _KEEP[width - taken]


def _add_words(
    total: Words,
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int32],
    length: npt.NDArray[np.int32],
) -> None:
    """The same of texts of different lengths."""
    # A word may begin at any byte.
    words = np.ndarray((len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))
    for taken in range(0, int(length.max()), 8):
        # Texts that have ended keep their sum, so that a batch's longest text changes no other's.
        longer = np.flatnonzero(length > taken)
        word = words[starts[longer] + taken] & _KEEP[np.minimum(length[longer] - taken, 8)]
        if len(longer) == len(total):
            total *= _PRIME
            total += word
        else:
            total[longer] = total[longer] * _PRIME + word
