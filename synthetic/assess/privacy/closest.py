"""Distance to the closest record, and records that were copied."""

from __future__ import annotations

import numpy as np

from synthetic.assess.privacy.attack import Attack, Distance, Name
from synthetic.assess.privacy.gower import UNIT, Points, distances
from synthetic.assess.privacy.intervals import known, quantile_of, risk_between, wilson
from synthetic.assess.tables import Kind, Table, Tables

QUANTILES = (0.05, 0.5)


def quantiles(
    train: np.ndarray, holdout: np.ndarray | None, n_columns: int
) -> tuple[Distance, ...]:
    """How far records are from their closest synthetic row, from 0 to 1, in training and not."""
    whole = UNIT * n_columns
    return tuple(
        Distance(
            quantile=share,
            train=quantile_of(train / whole, share),
            holdout=quantile_of(holdout / whole, share) if holdout is not None else None,
        )
        for share in QUANTILES
    )


def nearer(synthetic: Points, train: Points, holdout: Points) -> Attack:
    """The share of synthetic rows whose closest record is one of the training part.

    Rows that know nothing of either part meet train by its share of the records, which is control
    and guess; of records equally close each counts alike. The risk is then about the share of rows
    that were made from a record.
    """
    found = sum(_in_train(synthetic, row, train, holdout) for row in range(len(synthetic)))
    rate = wilson(found, len(synthetic))
    chance = known(len(train) / (len(train) + len(holdout)))
    return Attack(
        name=Name.NEARER,
        variant="all columns",
        rate=rate,
        rate_control=chance,
        rate_guess=chance,
        risk=risk_between(rate, chance),
        n=len(synthetic),
    )


def _in_train(of: Points, row: int, train: Points, holdout: Points) -> float:
    every = range(len(of.columns))
    to_train, to_holdout = (distances(part, of, row, every) for part in (train, holdout))
    least = min(to_train.min(), to_holdout.min())
    n_train, n_holdout = (np.count_nonzero(part == least) for part in (to_train, to_holdout))
    return float(n_train / (n_train + n_holdout))


def copies(tables: Tables, rng: np.random.Generator) -> Attack:
    """The share of records that stand in the synthetic table, value for value.

    The guess is the same of a table whose columns are shuffled: one-way shares and nothing else.
    """
    columns = [rng.permutation(len(tables.synthetic)) for _ in tables.synthetic.names]
    rows, lost = _keys(tables.synthetic), _keys(tables.synthetic, columns)
    train = _keys(tables.train)
    rate = wilson(int(np.isin(train, rows).sum()), len(train))
    control = None
    if tables.holdout is not None:
        holdout = _keys(tables.holdout)
        control = wilson(int(np.isin(holdout, rows).sum()), len(holdout))
    return Attack(
        name=Name.COPIES,
        variant="all columns",
        rate=rate,
        rate_control=control,
        rate_guess=wilson(int(np.isin(train, lost).sum()), len(train)),
        risk=risk_between(rate, control),
        n=len(train),
    )


def _keys(table: Table, orders: list[np.ndarray] | None = None) -> np.ndarray:
    """64 bits of each row; rows that differ share them once in some 10^19."""
    key = np.zeros(len(table), np.uint64)
    for column, kind in enumerate(table.kinds):
        values = table.values[:, column]
        if kind is Kind.NUMERIC:
            values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, one zero
        values = values if orders is None else values[orders[column]]
        key = _mixed(key ^ values.view(np.uint64)) + np.uint64(column)
    return key


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Steele et al. (2014), OOPSLA: SplitMix64's finalizer."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
