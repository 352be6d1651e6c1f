"""One look from each attacked record at the whole synthetic table, for all that needs neighbours.

The distances of a record to every synthetic row are summed once. Its nearest row when one column
is unknown cannot be further by all columns than the nearest of all and one unit: only such rows
are looked at again, column by column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.assess.privacy.gower import UNIT, Points, distances, parts

Split = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What was found from each record."""

    nearest: np.ndarray  # (records,): distance to the closest synthetic row, in millionths
    guesses: np.ndarray  # (records, columns): the closest synthetic row by all other columns
    linked: np.ndarray  # (records, splits): whether both sides' closest synthetic row is the same


def look(of: Points, to: Points, splits: Sequence[Split]) -> Seen:
    """Look from each record to all synthetic rows; the first of several closest ones counts."""
    n, every = len(of), range(len(to.columns))
    nearest = np.empty(n, np.int64)
    guesses = np.empty((n, len(every)), np.int64)
    linked = np.empty((n, len(splits)), bool)
    for row in range(n):
        whole = distances(to, of, row, every)
        nearest[row] = whole.min()
        close = np.flatnonzero(whole <= nearest[row] + UNIT)
        guesses[row] = close[np.argmin(whole[close] - parts(to, of, row, close), axis=1)]
        for index, (left, _) in enumerate(splits):
            half = distances(to, of, row, left)
            linked[row, index] = np.argmin(half) == np.argmin(whole - half)
    return Seen(nearest=nearest, guesses=guesses, linked=linked)


def closest(of: Points, to: Points) -> np.ndarray:
    """How far the closest of others is from each record: int64 millionths."""
    every = range(len(to.columns))
    return np.array([distances(to, of, row, every).min() for row in range(len(of))], np.int64)
