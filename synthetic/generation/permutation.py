"""Keyed permutations of 0 to n - 1 that need no memory: value, and back, in a few operations.

A Feistel network over an a x b grid that just covers n; a value that falls outside n is walked on
until it falls inside, which keeps the whole a bijection. Many permutations are worked at once: n and
key are arrays, one entry a value.

References
----------
Black and Rogaway (2002), Ciphers with arbitrary finite domains, CT-RSA, 114-130.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synthetic.generation.draws import Stream, Words, below, word_after, words

Ints = npt.NDArray[np.int64]
_Once = Callable[[Words, Ints, Ints, Ints], Ints]
_ROUNDS = 4
_BLOCK = 16_384  # values worked at a time: their temporaries stay in the processor's cache


def _grid(n: Ints) -> tuple[Ints, Ints]:
    # Any a and b with a * b >= n serve; both above 1 from n = 2 on, or a round would do nothing.
    a = np.maximum(np.ceil(np.sqrt(n.astype(np.float64))).astype(np.int64), 1)
    return a, np.maximum(-(-n // a), np.minimum(a, 2))


def _round(base: Words, half: Ints, step: int, bound: Ints) -> Ints:
    turn = half * _ROUNDS
    turn += step
    return below(word_after(base, turn), bound)


def _forward_once(base: Words, x: Ints, a: Ints, b: Ints) -> Ints:
    left = x // b
    right = x - left * b
    for step in range(0, _ROUNDS, 2):
        # Both terms are below the modulus, so one subtraction replaces a division.
        left += _round(base, right, step, a)
        left -= a * (left >= a)
        right += _round(base, left, step + 1, b)
        right -= b * (right >= b)
    return left * b + right


def _inverse_once(base: Words, y: Ints, a: Ints, b: Ints) -> Ints:
    left = y // b
    right = y - left * b
    for step in range(_ROUNDS - 2, -1, -2):
        right -= _round(base, left, step + 1, b)
        right += b * (right < 0)
        left -= _round(base, right, step, a)
        left += a * (left < 0)
    return left * b + right


def _walk(
    stream: Stream, key: Ints | int, values: Ints, n: Ints | int, *, inverse: bool = False
) -> Ints:
    values = np.asarray(values, dtype=np.int64)
    size = np.asarray(n, dtype=np.int64).reshape(-1)
    base = words(stream, np.asarray(key, dtype=np.int64).reshape(-1))
    if values.size and (values.min() < 0 or bool((values >= size).any())):
        raise ValueError("a value to permute must be from 0 to n - 1")
    once = _inverse_once if inverse else _forward_once
    out = np.empty(values.shape, dtype=np.int64)
    for start in range(0, len(values), _BLOCK):
        block = slice(start, start + _BLOCK)
        own = base if len(base) == 1 else base[block]
        n_own = size if len(size) == 1 else size[block]
        out[block] = _walk_block(once, own, values[block], n_own)
    return out


def _walk_block(once: _Once, base: Words, values: Ints, size: Ints) -> Ints:
    """A base and a size for each value, or one for all."""
    a, b = _grid(size)
    out = once(base, values, a, b)
    outside = np.flatnonzero(out >= size)
    while outside.size:
        own = base if len(base) == 1 else base[outside]
        a_own, b_own, n_own = (held if len(held) == 1 else held[outside] for held in (a, b, size))
        out[outside] = once(own, out[outside], a_own, b_own)
        outside = outside[out[outside] >= n_own]
    return out


def permute(stream: Stream, key: Ints | int, values: Ints, n: Ints | int) -> Ints:
    """Return where each value goes in the permutation of 0..n-1 that its key names."""
    return _walk(stream, key, values, n)


def unpermute(stream: Stream, key: Ints | int, values: Ints, n: Ints | int) -> Ints:
    """Return what `permute` sent to each value."""
    return _walk(stream, key, values, n, inverse=True)
