"""Random words as a pure function of (seed, names, row): a counter-based generator of integers.

A stream is a 64-bit key made by BLAKE2 from the seed and the names of what is drawn. The word of row
i is `mix(mix(i * G + C) ^ key)`, where mix is the finaliser of splitmix64 and C a constant. With one
mixing alone, two streams whose keys differ by G would be one stream moved by a row; the key between
the two prevents it. The first mixing is the same for all streams: columns of the same rows share it.
NumPy's own distributions are not stable between versions and cannot be asked for scattered rows.

References
----------
Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA, 453-472.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_OFFSET = np.uint64(0xD1B54A32D192ED03)  # any odd number: row 0 must not be mixed to 0
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = (np.uint64(n) for n in (30, 27, 31, 32))


@dataclass(frozen=True)
class Stream:
    """One stream of words."""

    key: int


def stream(seed: int, *names: str) -> Stream:
    """Return the stream that belongs to a seed and a path of names."""
    text = "\x1f".join((str(seed), *names)).encode()
    digest = hashlib.blake2b(text, digest_size=8, person=b"synthetic-draws").digest()
    return Stream(int.from_bytes(digest, "little"))


def _finalise(z: Words, scratch: Words) -> None:
    """Mix in place."""
    np.right_shift(z, _S30, out=scratch)
    z ^= scratch
    z *= _M1
    np.right_shift(z, _S27, out=scratch)
    z ^= scratch
    z *= _M2
    np.right_shift(z, _S31, out=scratch)
    z ^= scratch


def words(stream: Stream, rows: npt.NDArray[np.integer]) -> Words:
    """Return one 64-bit word for each row number.

    Parameters
    ----------
    stream : Stream
        Which stream.
    rows : integer array of any shape
        Row numbers, in any order, repeated or not.

    Returns
    -------
    uint64 array of the shape of `rows`
    """
    return words_of(stream, mixed(rows))


def mixed(rows: npt.NDArray[np.integer]) -> Words:
    """Mix row numbers, once for all streams."""
    z = _unsigned(rows) * _GOLDEN
    z += _OFFSET
    _finalise(z, np.empty_like(z))
    return z


def words_of(stream: Stream, mixed: Words) -> Words:
    """Return one word of a stream for each row number that was mixed."""
    z = mixed ^ np.uint64(stream.key)
    _finalise(z, np.empty_like(z))
    return z


def word_after(word: Words, numbers: npt.NDArray[np.integer]) -> Words:
    """Return a further word for each whole number and the word, or the one word, that it has."""
    z = _unsigned(numbers) * _GOLDEN
    z ^= word
    _finalise(z, np.empty_like(z))
    return z


def _unsigned(numbers: npt.NDArray[np.integer]) -> Words:
    """The same numbers modulo 2**64, where they lie if they have 64 bits."""
    return numbers.view(np.uint64) if numbers.dtype.itemsize == 8 else numbers.astype(np.uint64)


def below(word: Words, bound: int | npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Turn words into whole numbers from 0 to bound - 1 by multiply and shift.

    `bound` is at most 2**31. A value's probability is off by at most one part in 2**32.
    """
    high = word >> _S32
    high *= _unsigned(np.asarray(bound))
    high >>= _S32
    return high.view(np.int64)
