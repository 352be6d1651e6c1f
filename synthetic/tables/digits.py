"""Numbers written with leading zeros, all of one width."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

# The text of 0000 to 9999, four characters in one word.
_FOUR = (
    (np.arange(10_000)[:, None] // np.array([1000, 100, 10, 1]) % 10 + 48)
    .astype(np.uint8)
    .view(np.uint32)
    .reshape(-1)
)


def digits(numbers: Ints, width: int) -> pa.Array:
    """Write whole numbers with leading zeros, all of one width."""
    groups = -(-width // 4)
    out = np.empty((len(numbers), groups), dtype=np.uint32)
    left = numbers
    for column in range(groups - 1, 0, -1):
        quotient = left // 10_000
        out[:, column] = _FOUR[left - quotient * 10_000]
        left = quotient
    out[:, 0] = _FOUR[left]
    return fixed_width(out.view(np.uint8).reshape(len(numbers), groups * 4)[:, -width:])


def fixed_width(characters: npt.NDArray[np.uint8]) -> pa.Array:
    """Turn a matrix of ASCII characters into an Arrow array of strings."""
    n, width = characters.shape
    offsets = np.arange(0, (n + 1) * width, max(width, 1), dtype=np.int32)[: n + 1]
    return pa.StringArray.from_buffers(
        n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))
    )
