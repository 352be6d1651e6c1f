"""Shares as whole numbers, and alias tables of them: for many contexts at once.

References
----------
Hübschle-Schneider and Sanders (2022), ACM Transactions on Mathematical Software 48(2), 1-35: the
sweep that builds a table in one pass.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthetic.generation.alias import Alias

ONE = 1 << 31  # what the shares of one context add up to
Whole = npt.NDArray[np.uint32]


def whole(shares: npt.NDArray[np.floating]) -> Whole:
    """Shares of shape (contexts, categories) as whole numbers that add to `ONE` in each context.

    The largest share takes what rounding leaves over.
    """
    exact = shares.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    found = np.floor(exact * ONE).astype(np.int64)
    found[np.arange(len(found)), found.argmax(axis=1)] += ONE - found.sum(axis=1)
    return found.astype(np.uint32)


def alias_of(shares: Whole) -> Alias:
    """Alias tables for whole-number shares of shape (contexts, categories)."""
    n_contexts, n = shares.shape
    left = shares.astype(np.int64) * n  # an even share is now ONE
    is_heavy = left >= ONE
    order = np.argsort(is_heavy, axis=1, kind="stable")  # the light ones first
    at = np.arange(n_contexts)
    light, heavy = np.zeros(n_contexts, dtype=np.int64), n - is_heavy.sum(axis=1)
    own = order[at, heavy]
    rest = left[at, own]  # of the heavy one that fills up light ones now
    limit, other = np.empty_like(left), np.empty_like(left)
    for step in range(n):
        fills = rest > ONE
        following = order[at, np.minimum(heavy + 1, n - 1)]
        bucket = np.where(fills, order[at, light], own)
        limit[at, bucket] = here = np.where(fills, left[at, bucket], rest)
        other[at, bucket] = np.where(fills, own, following)
        if step == n - 1:
            break
        gap = ONE - here
        heavy += ~fills
        light += fills
        own = np.where(fills, own, following)
        rest = np.where(fills, rest, left[at, own]) - gap
    is_full = limit >= ONE
    other = np.where(is_full, np.arange(n), other)
    limit = np.minimum(limit << 1, (1 << 32) - 1)
    packed = (limit.astype(np.uint64) << np.uint64(32)) | other.astype(np.uint64)
    return Alias(packed.ravel(), n)
