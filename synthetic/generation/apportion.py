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


def two_way(totals: Sequence[int], quotas: Sequence[Sequence[Fraction]]) -> list[list[int]]:
    """Round a table of quotas to whole numbers whose rows add up to these totals.

    Every number is its quota rounded down or up, and as far as the totals of the rows allow it so
    is the sum of every column: else categories that are rare in every row would be nowhere.

    Parameters
    ----------
    totals : whole numbers of shape (rows,)
        Each the sum of its row's quotas, rounded down or up.
    quotas : fractions of shape (rows, columns)

    Returns
    -------
    whole numbers of shape (rows, columns)
    """
    found = [[int(quota) for quota in row] for row in quotas]
    columns = [sum(column, Fraction(0)) for column in zip(*quotas, strict=True)]
    floors = [sum(column) for column in zip(*found, strict=True)]
    wanted = controlled(sum(totals), columns)
    room = [want - floor for want, floor in zip(wanted, floors, strict=True)]
    up: list[set[int]] = [set() for _ in quotas]  # columns that a row rounds up

    def by_remainder(row: Sequence[Fraction]) -> list[int]:
        return sorted((j for j, q in enumerate(row) if q % 1), key=lambda j: (-(row[j] % 1), j))

    order = [by_remainder(row) for row in quotas]

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
                    found[i], up[i] = controlled(total, list(quotas[i])), set()
                    break
                up[i].add(free[0])
    return [[n + (j in up[i]) for j, n in enumerate(row)] for i, row in enumerate(found)]


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
