"""How far marginals are apart: total variation over one, two and three columns.

The total variation of two tables over some columns is half the sum, over all cells, of the absolute
differences of their shares of rows: the least part of the rows that would have to change cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from synthetic.assess.tables import Table
from synthetic.assess.yardsticks import Beside, Compared, beside

MOST_MARGINALS = 2000  # of one width; more are sampled
N_WORST = 5
_DENSE = 1 << 18  # cells that are counted in one array
Columns = tuple[int, ...]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Far:
    """One marginal, and how far each table is from the records in it."""

    columns: tuple[str, ...]
    distance: Beside


@dataclass(frozen=True, kw_only=True)
class Closeness:
    """The marginals over so many columns together."""

    width: int
    n_marginals: int  # that were counted
    n_possible: int
    mean: Beside
    largest: Beside
    worst: tuple[Far, ...]  # furthest first


def closeness(compared: Compared, width: int, seed: int) -> Closeness | None:
    """Mean, largest and worst total variation over all marginals of `width` columns, or 2,000.

    None where there are fewer columns than `width`.
    """
    names = compared.train.names
    if width > len(names):
        return None
    chosen = subsets(len(names), width, MOST_MARGINALS, seed)
    found = compared.each(lambda table: total_variations(table, compared.train, chosen))
    worst = np.argsort(-found["synthetic"], kind="stable")[:N_WORST]
    return Closeness(
        width=width,
        n_marginals=len(chosen),
        n_possible=comb(len(names), width),
        mean=beside({name: far.mean() for name, far in found.items()}),
        largest=beside({name: far.max() for name, far in found.items()}),
        worst=tuple(
            Far(
                columns=tuple(names[column] for column in chosen[i]),
                distance=beside({name: far[i] for name, far in found.items()}),
            )
            for i in worst
        ),
    )


def subsets(n_columns: int, width: int, most: int, seed: int) -> list[Columns]:
    """All sets of so many columns in order, or `most` of them, the same for the same seed."""
    n_possible = comb(n_columns, width)
    if n_possible <= most:
        return list(itertools.combinations(range(n_columns), width))
    rng = np.random.default_rng([seed, 2, width])
    chosen: set[Columns] = set()
    while len(chosen) < most:
        columns = rng.choice(n_columns, width, replace=False)
        chosen.add(tuple(sorted(int(column) for column in columns)))
    return sorted(chosen)


def total_variations(
    one: Table, other: Table, chosen: Sequence[Columns]
) -> npt.NDArray[np.float64]:
    """The total variation of two tables over each of these sets of columns, from 0 to 1."""
    pairs = zip(_cells(one, chosen), _cells(other, chosen), strict=True)
    return np.array([_apart(a, b, n_cells) for (a, n_cells), (b, _) in pairs])


def _cells(table: Table, chosen: Sequence[Columns]) -> Iterator[tuple[Ints, int]]:
    """Which cell each row is in, and how many cells there are, for each set of columns."""
    codes = np.ascontiguousarray(table.codes.T, dtype=np.int64)
    begun: dict[Columns, Ints] = {}  # of sets that begin alike, all but the last column is kept
    for columns in chosen:
        start = columns[:-1]
        if start not in begun:
            begun = {start: _mixed(codes, table.levels, start)}
        cells = begun[start] * table.levels[columns[-1]] + codes[columns[-1]]
        yield cells, int(np.prod([table.levels[column] for column in columns]))


def _mixed(codes: Ints, levels: Sequence[int], columns: Columns) -> Ints:
    mixed = np.zeros(codes.shape[1], dtype=np.int64)
    for column in columns:
        mixed = mixed * levels[column] + codes[column]
    return mixed


def _apart(one: Ints, other: Ints, n_cells: int) -> float:
    if n_cells > _DENSE:  # of which most are empty
        both = np.unique(np.concatenate([one, other]), return_inverse=True)[1]
        one, other, n_cells = both[: len(one)], both[len(one) :], int(both.max()) + 1
    shares = [np.bincount(cells, minlength=n_cells) / len(cells) for cells in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
