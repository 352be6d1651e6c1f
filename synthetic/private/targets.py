"""What a model is fitted to: noisy tables in one square array, with the weight of every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synthetic.private.noise import Measured, all_of
from synthetic.private.plan import Clique
from synthetic.private.schema import Schema
from synthetic.private.shrinking import shrunk

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_LEAST = 0.02  # rows in a level, as far as the one-way shape goes
_CERTAIN = 4.0  # times the weight of a measured cell has one that must be empty


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """Noisy one- and two-way tables, in rows, and how much each cell counts (1 / variance)."""

    starts: npt.NDArray[np.int64]  # where each column's levels begin, and the end of the last
    total: float  # rows, as far as the tables tell
    one_way: Floats  # of shape (levels,)
    one_weights: Floats
    tables: Floats  # of shape (levels, levels), symmetric
    weights: Floats  # zero where nothing was measured
    shape: Floats  # the one-way shares, above zero
    neighbours: Floats  # of shape (levels - 1,): 1 where level i + 1 is a neighbour of level i

    def pair(self, a: int, b: int) -> tuple[Floats, Floats]:
        """A noisy two-way table, and the weights of its cells."""
        rows, columns = (slice(self.starts[i], self.starts[i + 1]) for i in (a, b))
        return self.tables[rows, columns], self.weights[rows, columns]


def targets(schema: Schema, measured: Sequence[Measured], empty: Mapping[Clique, Flags]) -> Targets:
    """Put everything measured together; repeated tables by the inverse of their variance.

    `empty` holds, for pairs of columns, the cells that the rules leave no row in.
    """
    starts, total = schema.starts, int(schema.starts[-1])
    sums, weights = np.zeros((total, total)), np.zeros((total, total))
    for clique, noisy in all_of(measured).items():
        a, b = clique[0], clique[-1]
        rows, columns = slice(starts[a], starts[a + 1]), slice(starts[b], starts[b + 1])
        for counts, sigma in noisy:
            table = np.diag(counts) if a == b else counts
            sums[rows, columns] += table / sigma**2
            weights[rows, columns] += 1 / sigma**2
    one_way, one_weights = np.diag(sums) / np.diag(weights), np.diag(weights).copy()
    for a, b in pairwise(starts):
        sums[a:b, a:b] = weights[a:b, a:b] = 0
    tables = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
    for (i, j), cells in empty.items():
        rows, columns = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        tables[rows, columns][cells] = 0
        weights[rows, columns][cells] *= _CERTAIN
    tables, weights = tables + tables.T, weights + weights.T
    rows_in_sum, shape = _shape(schema, one_way, one_weights, tables, weights)
    return Targets(
        starts=starts,
        total=rows_in_sum,
        one_way=one_way.astype(np.float32),
        one_weights=one_weights.astype(np.float32),
        tables=tables.astype(np.float32),
        weights=weights.astype(np.float32),
        shape=shape.astype(np.float32),
        neighbours=_neighbours(schema),
    )


def _shape(
    schema: Schema,
    one_way: Doubles,
    one_weights: Doubles,
    tables: Doubles,
    weights: Doubles,
) -> tuple[float, Doubles]:
    """The number of rows and each column's shares, from one-way tables and the sums of pairs."""
    starts, sums, held = schema.starts, one_way * one_weights, one_weights.copy()
    for a, b in pairwise(starts):
        # A sum over a row's cells has the sum of their variances.
        own = _inverse(_inverse(weights[:, a:b]).sum(axis=1))
        sums += own * tables[:, a:b].sum(axis=1)
        held += own
    best = sums / held
    totals = np.add.reduceat(best, starts[:-1])
    precision = 1 / np.add.reduceat(1 / held, starts[:-1])
    total = max(float(totals @ precision / precision.sum()), 1.0)
    shares = np.empty_like(best)
    for attribute, (a, b) in zip(schema.attributes, pairwise(starts), strict=True):
        there = slice(a, a + attribute.n_there)  # "no value" has no neighbours
        variance = float(np.mean(1 / held[there]))
        best[there] = shrunk(best[there], variance, is_ordered=attribute.is_ordered)
        shares[a:b] = np.maximum(projected(best[a:b], total), _LEAST)
        shares[a:b] /= shares[a:b].sum()
    return total, shares


def _inverse(values: Doubles) -> Doubles:
    """One over each value; zero where it is zero, since nothing was measured there."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


def projected(counts: Doubles, total: float) -> Doubles:
    """The nearest counts that are not negative and add up to this total."""
    falling = np.sort(counts)[::-1]
    over = (np.cumsum(falling) - total) / np.arange(1, len(counts) + 1)
    last = np.flatnonzero(falling > over)[-1]
    return np.maximum(counts - over[last], 0)


def _neighbours(schema: Schema) -> Floats:
    found = np.zeros(int(schema.starts[-1]) - 1, dtype=np.float32)
    for attribute, start in zip(schema.attributes, schema.starts, strict=False):
        if attribute.is_ordered:  # "no value" is nobody's neighbour
            found[start : start + attribute.n_there - 1] = 1
    return found
