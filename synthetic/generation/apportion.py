"""Whole numbers from shares, exactly: largest remainders and systematic rounding.

Everything here is integer arithmetic, so the answer is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def largest_remainder(total: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Share a whole total by weight; each share is its quota rounded down or up.

    Ties go to the earlier entry. Weights must be zero or more; all zero is an error unless the
    total is zero.
    """
    grand = sum(weights)
    if grand <= 0:
        if total == 0:
            return [0] * len(weights)
        raise ValueError(f"cannot share {total} by weights that are all zero")
    quotas = [Fraction(total) * weight / grand for weight in weights]
    return _round_to(total, quotas)


def _round_to(total: int, quotas: Sequence[Fraction]) -> list[int]:
    floors = [int(quota) for quota in quotas]  # quotas are not negative, so this rounds down
    missing = total - sum(floors)
    order = sorted(range(len(quotas)), key=lambda i: (floors[i] - quotas[i], i))
    for i in order[:missing]:
        floors[i] += 1
    return floors


def rounded(value: Fraction) -> int:
    """Round half up."""
    return int(value + Fraction(1, 2))


def controlled(total: int, quotas: Sequence[Fraction]) -> list[int]:
    """Round quotas to whole numbers that add up to `total`, each to its floor or its ceiling.

    Where the quotas themselves add up to another total (two published tables that disagree), they
    are first brought to it in proportion.
    """
    grand = sum(quotas, Fraction(0))
    if not len(quotas) or grand == 0:
        return largest_remainder(total, [1] * len(quotas)) if quotas else []
    low, high = sum(int(q) for q in quotas), sum(-int(-q // 1) for q in quotas)
    if low <= total <= high:
        return _round_to(total, quotas)
    return largest_remainder(total, list(quotas))


def systematic(total: int, weights: Ints, start: int) -> Ints:
    """Share a total over many small weights by equal steps along their running sum.

    Largest remainders would always favour the heaviest of thousands of tiny shares; equal steps
    give every run of neighbours its due to within one unit.

    Parameters
    ----------
    total : int
        At most 2**31.
    weights : int64 array of shape (n,)
        With a sum of at most 2**31.
    start : int
        Where the first step falls, from 0 to the sum of weights - 1.

    Returns
    -------
    int64 array of shape (n,)
        Whole counts with the sum `total`.
    """
    running = np.cumsum(weights, dtype=np.int64)
    grand = int(running[-1]) if running.size else 0
    if grand == 0:
        if total:
            raise ValueError(f"cannot share {total} by weights that are all zero")
        return np.zeros_like(running)
    marks = (running * np.int64(total) + np.int64(start % grand)) // np.int64(grand)
    return np.diff(marks, prepend=np.int64(0))
