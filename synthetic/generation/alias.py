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

import numpy as np
import numpy.typing as npt

from synthetic.generation.draws import Words

_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)


@dataclass(frozen=True, eq=False)
class Alias:
    """Tables for several contexts over the same categories, each of shape (contexts, categories).

    A category's probability is that of its weight to within 2**-32.
    """

    threshold: npt.NDArray[np.uint64]
    other: npt.NDArray[np.int32]

    def draw(
        self, word: Words, context: npt.NDArray[np.integer] | None = None
    ) -> npt.NDArray[np.int32]:
        """Return a category for each word, from the table of its context (the only one if None)."""
        n_categories = self.threshold.shape[1]
        column = (((word >> _S32) * np.uint64(n_categories)) >> _S32).astype(np.int64)
        cell = column if context is None else column + context.astype(np.int64) * n_categories
        own = (word & _LOW) < self.threshold.reshape(-1)[cell]
        return np.where(own, column, self.other.reshape(-1)[cell]).astype(np.int32)


def alias(contexts: Sequence[Sequence[int | Fraction]]) -> Alias:
    """Build alias tables from one row of weights per context (zero or more, not all zero)."""
    thresholds, others = zip(*(_one(weights) for weights in contexts), strict=True)
    return Alias(np.array(thresholds, dtype=np.uint64), np.array(others, dtype=np.int32))


def _one(weights: Sequence[int | Fraction]) -> tuple[list[int], list[int]]:
    n = len(weights)
    grand = Fraction(sum(weights))
    if grand <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be zero or more, and not all zero")
    left = [Fraction(weight) * n / grand for weight in weights]
    threshold, other = [1 << 32] * n, list(range(n))
    small = [i for i in range(n) if left[i] < 1]
    large = [i for i in range(n) if left[i] >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        threshold[low], other[low] = int(left[low] * (1 << 32)), high
        left[high] -= 1 - left[low]
        if left[high] < 1:
            small.append(large.pop())
    return threshold, other
