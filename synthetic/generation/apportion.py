"""Whole numbers from shares, exactly: largest remainders and systematic rounding.

Everything here is integer arithmetic, so the answer is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from synthetic.spec.whole import over_one

Ints = npt.NDArray[np.int64]


def largest_remainder(total: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Share a whole total by weight; each share is its quota rounded down or up.

    Ties go to the earlier entry. Weights must be zero or more; all zero is an error unless the
    total is zero.
    """
    whole, _ = over_one(weights)
    grand = sum(whole)
    if grand <= 0:
        if total == 0:
            return [0] * len(whole)
        raise ValueError(f"cannot share {total} by weights that are all zero")
    return _round_to(total, [total * weight for weight in whole], grand)


def _round_to(total: int, quotas: Sequence[int], divisor: int) -> list[int]:
    """Quotas, over a divisor, as whole numbers that add up to `total`."""
    split = [divmod(quota, divisor) for quota in quotas]  # not negative, so this rounds down
    floors = [floor for floor, _ in split]
    missing = total - sum(floors)
    if missing:
        order = sorted(range(len(split)), key=lambda i: (-split[i][1], i))
        for i in order[:missing]:
            floors[i] += 1
    return floors


def rounded(value: Fraction) -> int:
    """Round half up."""
    return int(value + Fraction(1, 2))


def controlled(total: int, quotas: Sequence[int | Fraction], divisor: int = 1) -> list[int]:
    """Round quotas to whole numbers that add up to `total`, each to its floor or its ceiling.

    Where the quotas themselves add up to another total (two published tables that disagree), they
    are first brought to it in proportion. Each quota is divided by `divisor`.
    """
    whole, denominator = over_one(quotas)
    divisor *= denominator
    if not any(whole):
        return largest_remainder(total, [1] * len(whole)) if whole else []
    low, high = sum(q // divisor for q in whole), sum(-(-q // divisor) for q in whole)
    if low <= total <= high:
        return _round_to(total, whole, divisor)
    return largest_remainder(total, whole)


def two_way(
    totals: Sequence[int], quotas: Sequence[Sequence[int | Fraction]], divisor: int = 1
) -> list[list[int]]:
    """Round a table of quotas to whole numbers whose rows add up to these totals.

    Every number is its quota rounded down or up, and as far as the totals of the rows allow it so
    is the sum of every column: else categories that are rare in every row would be nowhere.

    Parameters
    ----------
    totals : whole numbers of shape (rows,)
        Each the sum of its row's quotas, rounded down or up.
    quotas : numbers of shape (rows, columns)
        Each is divided by `divisor`.

    Returns
    -------
    whole numbers of shape (rows, columns)
    """
    width = len(quotas[0])
    flat, denominator = over_one(quota for row in quotas for quota in row)
    divisor *= denominator
    table = [flat[i : i + width] for i in range(0, len(flat), width)]
    found = [[quota // divisor for quota in row] for row in table]
    floors = [sum(column) for column in zip(*found, strict=True)]
    wanted = controlled(sum(totals), [sum(column) for column in zip(*table, strict=True)], divisor)
    room = [want - floor for want, floor in zip(wanted, floors, strict=True)]
    up: list[set[int]] = [set() for _ in table]  # columns that a row rounds up

    def by_remainder(row: Sequence[int]) -> list[int]:
        left = [quota % divisor for quota in row]
        return sorted((j for j, part in enumerate(left) if part), key=lambda j: (-left[j], j))

    order = [by_remainder(row) for row in table]

    def place(row: int, seen: set[int]) -> bool:
        """Round one more column of a row up, other rows making room where they can."""
        for j in order[row]:
            if j in up[row] or j in seen:
                continue
            seen.add(j)
            if room[j] > 0:
                room[j] -= 1
                up[row].add(j)
                return True
            for other in (i for i, held in enumerate(up) if j in held and i != row):
                if place(other, seen):
                    up[other].remove(j)
                    up[row].add(j)
                    return True
        return False

    for i, total in enumerate(totals):
        while len(up[i]) < total - sum(found[i]):
            if not place(i, set()):
                free = [j for j in order[i] if j not in up[i]]
                if not free:  # the total is not its quotas' sum, rounded
                    found[i], up[i] = controlled(total, table[i], divisor), set()
                    break
                up[i].add(free[0])
    return [[n + (j in up[i]) for j, n in enumerate(row)] for i, row in enumerate(found)]


def systematic(totals: Ints, weights: Ints, starts: Ints) -> Ints:
    """Share each row's total over many small weights by equal steps along their running sum.

    Largest remainders would always favour the heaviest of thousands of tiny shares; equal steps
    give every run of neighbours its due to within one unit.

    Parameters
    ----------
    totals : int64 array of shape (rows,)
        At most 2**31.
    weights : int64 array of shape (rows, n)
        With a sum of at most 2**31 in each row.
    starts : int64 array of shape (rows,)
        Where the first step falls, from 0 to the sum of weights - 1; taken modulo that sum.

    Returns
    -------
    int64 array of shape (rows, n)
        Whole counts, each row with its total as sum.
    """
    running = np.cumsum(weights, axis=1, dtype=np.int64)
    grand = running[:, -1] if running.shape[1] else np.zeros(len(totals), dtype=np.int64)
    lost = np.flatnonzero((grand == 0) & (totals > 0))
    if lost.size:
        raise ValueError(f"cannot share {totals[lost[0]]} by weights that are all zero")
    some = np.maximum(grand, 1)
    marks = (running * totals[:, None] + (starts % some)[:, None]) // some[:, None]
    return np.diff(marks, prepend=np.int64(0), axis=1)
