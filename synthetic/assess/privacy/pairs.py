"""How much commoner a record's pairs of values are in one table than in another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from synthetic.assess.tables import Table

_CELLS = 1 << 20  # cells of very large pairs share counters, which only blurs the score


def pair_ratios(of: Sequence[Table], among: Table, beside: Table) -> list[np.ndarray]:
    """For each record of some tables, the mean over all pairs of the logarithm of shares' ratio.

    Every cell counts one more record than it has, so that an empty one has a share.
    """
    found = [np.zeros(len(table)) for table in of]
    pairs = list(combinations(range(len(among.names)), 2))
    for pair in pairs:
        there, elsewhere = (_log_shares(table, pair) for table in (among, beside))
        for scores, table in zip(found, of, strict=True):
            cells = _cells(table, pair)
            scores += (there[cells] - elsewhere[cells]) / len(pairs)
    return found


def _log_shares(table: Table, pair: tuple[int, int]) -> np.ndarray:
    size = min(_CELLS, table.levels[pair[0]] * table.levels[pair[1]])
    counts = np.bincount(_cells(table, pair), minlength=size)
    return np.log((counts + 1) / (len(table) + 1))


def _cells(table: Table, pair: tuple[int, int]) -> np.ndarray:
    first, second = (table.codes[:, column].astype(np.int64) for column in pair)
    return (first * table.levels[pair[1]] + second) % _CELLS
