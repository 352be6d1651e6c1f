"""Small tables of invented records to assess, and the slow obvious way to measure them."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.assess.tables import Kind, Table, Tables


def records(n=600, seed=1):
    """Groups that explain a number, a date that nothing explains, gaps in both kinds."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    words = np.array(["north", "south", "west"])[group]
    return pa.table(
        {
            "group": pa.array([None if i % 17 == 0 else w for i, w in enumerate(words)]),
            "income": np.round(group * 2 + rng.normal(size=n), 3),
            "born": pa.array(rng.integers(0, 9000, n), pa.int32()).cast(pa.date32()),
            "poor": (group == 0) ^ (rng.random(n) < 0.2),
            "children": pa.array([None if i % 5 == 0 else int(g) for i, g in enumerate(group)]),
        }
    )


def shuffled(table, seed=9):
    """Each column in an order of its own."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            name: table[name].take(pa.array(rng.permutation(len(table))))
            for name in table.schema.names
        }
    )


def write(table, path):
    pq.write_table(table, path)
    return path


def categories(codes, levels=None):
    """A table of categories from codes of shape (rows, columns)."""
    codes = np.asarray(codes, dtype=np.int32)
    n = codes.shape[1]
    return Table(
        names=tuple("abcdefghij"[:n]),
        kinds=(Kind.CATEGORICAL,) * n,
        codes=codes,
        levels=tuple(levels or codes.max(axis=0) + 2),
        values=codes.astype(float),
    )


def numbers(values, names=None):
    """A table of numbers, all in one bin."""
    values = np.asarray(values, dtype=float)
    n = values.shape[1]
    return Table(
        names=tuple(names or "abcdefghij"[:n]),
        kinds=(Kind.NUMERIC,) * n,
        codes=np.zeros(values.shape, dtype=np.int32),
        levels=(2,) * n,
        values=values,
    )


def both(train, synthetic, holdout=None):
    return Tables(
        train=train, synthetic=synthetic, holdout=holdout, unseen=(0.0,) * len(train.names)
    )


def slow_total_variation(one, other, columns):
    counts = [Counter(map(tuple, table.codes[:, list(columns)])) for table in (one, other)]
    cells = itertools.chain(*counts)
    return (
        sum(abs(counts[0][cell] / len(one) - counts[1][cell] / len(other)) for cell in set(cells))
        / 2
    )
