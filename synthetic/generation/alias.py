"""Alias tables: one category per word, in constant time, with whole-number weights.

References
----------
Walker (1977), ACM Transactions on Mathematical Software 3(3), 253-256;
Vose (1991), IEEE Transactions on Software Engineering 17(9), 972-975.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from synthetic.generation.draws import Words
from synthetic.generation.selection import either
from synthetic.spec.whole import over_one

_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)


@dataclass(frozen=True, eq=False)
class Alias:
    """Tables for several contexts over the same categories.

    A category's probability is that of its weight to within 2**-32.
    """

    packed: npt.NDArray[np.uint64]  # contexts x categories: threshold, and below it the other
    n_categories: int

    uses_low_half: ClassVar[bool] = True

    def draw(
        self, word: Words, context: npt.NDArray[np.integer] | None = None
    ) -> npt.NDArray[np.int64]:
        """Return a category for each word, from the table of its context (the only one if None)."""
        column = word >> _S32
        column *= np.uint64(self.n_categories)
        column >>= _S32
        own = column.view(np.int64)
        cell = own if context is None else own + context * np.int64(self.n_categories)
        packed = self.packed.take(cell, mode="clip")  # none lies outside: a look is saved
        kept = (word & _LOW) < packed >> _S32
        packed &= _LOW
        return either(kept, own, packed.view(np.int64))


def alias(contexts: Sequence[Sequence[int | Fraction]]) -> Alias:
    """Build alias tables from one row of weights per context (zero or more, not all zero)."""
    packed = [word for weights in contexts for word in _one(weights)]
    return Alias(np.array(packed, dtype=np.uint64), len(contexts[0]))


def _one(weights: Sequence[int | Fraction]) -> list[int]:
    left, _ = over_one(weights)
    n, grand = len(left), sum(left)
    if grand <= 0 or min(left) < 0:
        raise ValueError("weights must be zero or more, and not all zero")
    threshold, other = [1 << 32] * n, list(range(n))
    left = [weight * n for weight in left]  # what an even share is, is now `grand`
    small = [i for i, share in enumerate(left) if share < grand]
    large = [i for i, share in enumerate(left) if share >= grand]
    while small and large:
        low, high = small.pop(), large[-1]
        threshold[low], other[low] = (left[low] << 32) // grand, high
        left[high] -= grand - left[low]
        if left[high] < grand:
            small.append(large.pop())
    # A category that is always kept is its own other: the threshold need not reach 2**32.
    return [
        (min(limit, (1 << 32) - 1) << 32) | (i if limit >> 32 else theirs)
        for i, (limit, theirs) in enumerate(zip(threshold, other, strict=True))
    ]
