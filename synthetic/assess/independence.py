"""Which columns depend on each other once a third is known, in the records and in the replica.

The conditional mutual information of two columns given a third is 0 if and only if they are
independent inside each of its levels; an estimate is above 0 by chance. So each is compared with
estimates from the same rows whose first column was permuted inside the levels of the third, which
is the null distribution of a test by permutation. To be seen alike by all, tables have equally many
rows here, and at most six groups of neighbouring or frequent levels in each column.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from synthetic.assess.closeness import N_WORST
from synthetic.assess.tables import Kind, Table

MOST_TRIPLES = 300  # of a pair and a third column; more are sampled
MOST_ROWS = 20_000  # of each table
N_GROUPS = 6
N_PERMUTED = 20
DEVIATIONS = 4.0  # of the permuted estimates, above their mean: 1 in 30,000 if they were normal
LEAST = 0.003  # nats: a dependence below it changes little, however surely it is there
Triple = tuple[int, int, int]  # a pair and what is given
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """A pair given a third column; information in nats, above what permuted rows have."""

    columns: tuple[str, str]
    given: str
    real: float
    synthetic: float
    threshold: float  # above it a dependence is there; of the table that has none


@dataclass(frozen=True, kw_only=True)
class Independence:
    """Conditional dependences of the records, and what became of them."""

    n_triples: int
    n_possible: int
    n_rows: int  # of each table
    n_real: int  # dependences in the records
    kept: int
    lost: int
    invented: int
    records_lost: int  # the same between two halves of the records: chance alone
    records_invented: int
    worst_lost: tuple[Dependence, ...]
    worst_invented: tuple[Dependence, ...]


def independence(train: Table, synthetic: Table, seed: int) -> Independence | None:
    """What the synthetic table lost and invented; None if there are too few rows or columns."""
    varying = [i for i, codes in enumerate(train.codes.T) if codes.min() < codes.max()]
    if len(varying) < 3 or len(train) < 4:
        return None
    rng = np.random.default_rng([seed, 3])
    n_rows = min(len(train) // 2, len(synthetic), MOST_ROWS)
    order = _by_unit(train, rng)
    groups = grouping(train)
    tables = [
        _grouped(train, order[:n_rows], groups),
        _grouped(synthetic, rng.permutation(len(synthetic))[:n_rows], groups),
        _grouped(train, order[-n_rows:], groups),
    ]
    chosen = _triples(varying, np.random.default_rng([seed, 5]))
    # Every table is permuted alike, so that equal tables give equal answers.
    found = [_excesses(table, chosen, np.random.default_rng([seed, 4])) for table in tables]
    return _told(train.names, chosen, found, n_rows, 3 * comb(len(varying), 3))


def _told(
    names: tuple[str, ...],
    chosen: list[Triple],
    found: list[tuple[Floats, Floats]],
    n_rows: int,
    n_possible: int,
) -> Independence:
    (real, there), (synthetic, kept), again = found
    lost, invented = _changed(found[0], found[1])
    others = _changed(found[0], again)

    def worst(changed: npt.NDArray[np.bool_], threshold: Floats) -> tuple[Dependence, ...]:
        order = np.argsort(-np.abs(real - synthetic), kind="stable")
        return tuple(
            Dependence(
                columns=(names[chosen[i][0]], names[chosen[i][1]]),
                given=names[chosen[i][2]],
                real=float(real[i]),
                synthetic=float(synthetic[i]),
                threshold=float(threshold[i]),
            )
            for i in order[changed[order]][:N_WORST]
        )

    n_real = int(np.count_nonzero(real > there))
    return Independence(
        n_triples=len(chosen),
        n_possible=n_possible,
        n_rows=n_rows,
        n_real=n_real,
        kept=n_real - int(lost.sum()),
        lost=int(lost.sum()),
        invented=int(invented.sum()),
        records_lost=int(others[0].sum()),
        records_invented=int(others[1].sum()),
        worst_lost=worst(lost, kept),
        worst_invented=worst(invented, there),
    )


def _changed(
    real: tuple[Floats, Floats], other: tuple[Floats, Floats]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which dependences are in the one alone and in the other alone, beyond both thresholds."""
    is_real, is_other = real[0] > real[1], other[0] > other[1]
    further = np.abs(real[0] - other[0]) > np.hypot(real[1], other[1])
    return is_real & ~is_other & further, ~is_real & is_other & further


def _triples(columns: list[int], rng: np.random.Generator) -> list[Triple]:
    every = [
        (a, b, given)
        for given in columns
        for a, b in itertools.combinations([i for i in columns if i != given], 2)
    ]
    if len(every) <= MOST_TRIPLES:
        return every
    return [every[i] for i in sorted(rng.choice(len(every), MOST_TRIPLES, replace=False))]


def _by_unit(table: Table, rng: np.random.Generator) -> Ints:
    """Rows in random order, those of one unit together: the two ends share at most one unit."""
    if table.units is None:
        return rng.permutation(len(table))
    units, of = np.unique(table.units, return_inverse=True)
    return np.argsort(rng.permutation(len(units))[of], kind="stable")


def grouping(train: Table) -> list[Ints]:
    """Per column, the group from 0 to 5 of each level, by the rows of `train`."""
    counts = (
        np.bincount(codes, minlength=n)
        for codes, n in zip(train.codes.T, train.levels, strict=True)
    )
    return [
        _neighbours(n) if kind is Kind.NUMERIC else _frequent(n)
        for n, kind in zip(counts, train.kinds, strict=True)
    ]


def _neighbours(counts: Ints) -> Ints:
    """Up to five groups of bins with about as many rows each; the missing level by itself."""
    there = counts[:-1]
    middle = (np.cumsum(there) - there / 2) / max(there.sum(), 1)
    groups = np.minimum((middle * (N_GROUPS - 1)).astype(np.int64), N_GROUPS - 2)
    return np.append(groups, N_GROUPS - 1)


def _frequent(counts: Ints) -> Ints:
    """The five commonest levels, and all others as one group."""
    groups = np.full(len(counts), N_GROUPS - 1)
    groups[np.argsort(-counts, kind="stable")[: N_GROUPS - 1]] = np.arange(
        min(len(counts), N_GROUPS - 1)
    )
    return groups


def _grouped(table: Table, rows: Ints, groups: list[Ints]) -> Ints:
    """Of shape (columns, rows)."""
    return np.array([g[table.codes[rows, i]] for i, g in enumerate(groups)])


def _excesses(
    groups: Ints, chosen: list[Triple], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Information above the mean of permuted rows, and the threshold for it, in nats."""
    found = np.zeros((2, len(chosen)))
    orders: dict[int, list[Ints]] = {}
    for i, (a, b, given) in enumerate(chosen):
        if given not in orders:  # triples stand in the order of what is given
            orders = {given: [_within(groups[given], rng) for _ in range(N_PERMUTED)]}
        within = np.argsort(groups[given].astype(np.uint8), kind="stable")
        z, y, x = groups[given][within], groups[b][within], groups[a]
        permuted = np.array([information(x[order], y, z) for order in orders[given]])
        found[0, i] = information(x[within], y, z) - permuted.mean()
        found[1, i] = max(DEVIATIONS * permuted.std(ddof=1), LEAST)
    return found[0], found[1]


def _within(given: Ints, rng: np.random.Generator) -> Ints:
    """Rows in the order of a column's groups, and in random order inside each."""
    order = rng.permutation(len(given))
    return order[np.argsort(given[order].astype(np.uint8), kind="stable")]


def information(x: Ints, y: Ints, z: Ints) -> float:
    """The conditional mutual information of groups x and y given z, in nats."""
    cells = (z * N_GROUPS + x) * N_GROUPS + y
    counts = np.bincount(cells, minlength=N_GROUPS**3).reshape(N_GROUPS, N_GROUPS, N_GROUPS)
    with_x, with_y, with_z = counts.sum(axis=2), counts.sum(axis=1), counts.sum(axis=(1, 2))
    told = _sum_log(counts) + _sum_log(with_z) - _sum_log(with_x) - _sum_log(with_y)
    return float(max(told / len(x), 0.0))


def _sum_log(counts: Ints) -> float:
    there = counts[counts > 0].astype(np.float64)
    return float(there @ np.log(there))
