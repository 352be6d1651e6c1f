"""Between NumPy and Arrow by their buffers alone.

`pyarrow.array` and `numpy.asarray` of an Arrow array look whether they were given something of
pandas, and to look they import it: a second and a half that a build does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Flags = npt.NDArray[np.bool_]
DIGITS = 18  # of a decimal: what 64 bits always hold
_TYPES = {np.dtype(np.int32): pa.int32(), np.dtype(np.int64): pa.int64()}


def numbers(values: npt.NDArray[np.integer], missing: Flags | None = None) -> pa.Array:
    """An Arrow array of int32 or int64 numbers, with no value where `missing`."""
    values = np.ascontiguousarray(values)
    valid, n_missing = _validity(missing)
    return pa.Array.from_buffers(
        _TYPES[values.dtype], len(values), [valid, pa.py_buffer(values)], n_missing
    )


def flags(values: Flags, missing: Flags | None = None) -> pa.Array:
    """An Arrow array of booleans."""
    valid, n_missing = _validity(missing)
    return pa.Array.from_buffers(pa.bool_(), len(values), [valid, _bits(values)], n_missing)


def decimals(values: npt.NDArray[np.int64], places: int, missing: Flags | None = None) -> pa.Array:
    """An Arrow array of decimals from whole numbers of their last place."""
    wide = np.empty((len(values), 2), dtype="<i8")
    wide[:, 0] = values
    np.right_shift(values, 63, out=wide[:, 1])  # the sign, in all higher bits
    valid, n_missing = _validity(missing)
    kind = pa.decimal128(DIGITS, places)
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(wide)], n_missing)


def timestamps(values: npt.NDArray[np.int64], missing: Flags | None = None) -> pa.Array:
    """An Arrow array of local times from seconds since 1970."""
    return numbers(values, missing).view(pa.timestamp("s"))


def strings(values: Sequence[str]) -> pa.Array:
    """An Arrow array of a few texts."""
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))
    )


@lru_cache(maxsize=256)
def domain(values: tuple[str, ...]) -> pa.Array:
    """The Arrow array of a domain, made once: names alone have 45,000 texts."""
    return strings(values)


def joined(*texts: pa.Array | pa.Scalar) -> pa.Array:
    """Texts put together, row by row."""
    return pc.binary_join_element_wise(*texts, strings([""])[0])


def without(texts: pa.Array, missing: Flags) -> pa.Array:
    """The same texts, with no value where `missing`; their bytes stay where they are."""
    _, offsets, data = texts.buffers()
    valid, n_missing = _validity(missing)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [valid, offsets, data], n_missing, texts.offset
    )


def coded(index: npt.NDArray[np.integer], domain: pa.Array, missing: Flags | None) -> pa.Array:
    """A dictionary array: positions in a domain of texts."""
    return pa.DictionaryArray.from_arrays(numbers(index.astype(np.int32), missing), domain)


def together(parts: Sequence[pa.Table]) -> pa.Table:
    """One table of parts with the same columns; a coded column has one dictionary throughout.

    Where some parts hold a column as codes and others as plain text, all become plain text.
    """
    columns = {}
    for i, name in enumerate(parts[0].schema.names):
        chunks = [chunk for part in parts for chunk in part.column(i).chunks]
        if len({chunk.type for chunk in chunks}) > 1:
            chunks = [
                chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk
                for chunk in chunks
            ]
        column = pa.chunked_array(chunks) if chunks else parts[0].column(i)
        columns[name] = column if _is_one_domain(chunks) else column.unify_dictionaries()
    return pa.table(columns)


def _is_one_domain(chunks: Sequence[pa.Array]) -> bool:
    """Whether coded arrays have the very same dictionary, which then need not be unified."""
    if not chunks or not pa.types.is_dictionary(chunks[0].type):
        return True
    first = place(chunks[0].dictionary)
    return all(place(chunk.dictionary) == first for chunk in chunks[1:])


def place(array: pa.Array) -> tuple[int, ...]:
    """Where an array lies in memory."""
    places = (buffer.address for buffer in array.buffers() if buffer is not None)
    return (len(array), array.offset, *places)


def to_numpy(array: pa.Array) -> npt.NDArray[np.generic]:
    """The numbers or booleans of an Arrow array; where there is no value, anything."""
    data, start, end = array.buffers()[1], array.offset, array.offset + len(array)
    if pa.types.is_decimal128(array.type):  # the low half; DIGITS digits need no other
        return np.frombuffer(data, dtype="<i8")[::2][start:end]
    if pa.types.is_boolean(array.type):
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
        return bits[start:end].view(np.bool_)
    kind = "u" if pa.types.is_unsigned_integer(array.type) else "i"
    return np.frombuffer(data, dtype=f"{kind}{array.type.bit_width // 8}")[start:end]


def missing_of(array: pa.Array) -> Flags | None:
    """Where an Arrow array has no value, or None if it has one everywhere."""
    return to_numpy(array.is_null()).astype(np.bool_) if array.null_count else None


def _validity(missing: Flags | None) -> tuple[pa.Buffer | None, int]:
    if missing is None or not missing.any():
        return None, 0
    return _bits(~missing), int(missing.sum())


def _bits(values: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
