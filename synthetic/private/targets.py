"""What a model is fitted to: noisy tables in one square array, with the weight of every cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from synthetic.private.groups import Groups
from synthetic.private.noise import Measured, all_of
from synthetic.private.plan import Clique
from synthetic.private.published import Published
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

    starts: npt.NDArray[np.int64]  # where each column's groups begin, and the end of the last
    total: float  # rows, as far as the tables tell
    one_way: Floats  # of shape (groups,)
    one_weights: Floats
    tables: Floats  # of shape (groups, groups), symmetric
    weights: Floats  # zero where nothing was measured
    shape: Floats  # the one-way shares, above zero
    neighbours: Floats  # of shape (groups - 1,): 1 where group i + 1 is a neighbour of group i
    inside: Doubles  # of shape (levels,): each level's share of its group

    def pair(self, a: int, b: int) -> tuple[Floats, Floats]:
        """A noisy two-way table, and the weights of its cells."""
        rows, columns = (slice(self.starts[i], self.starts[i + 1]) for i in (a, b))
        return self.tables[rows, columns], self.weights[rows, columns]


def targets(
    schema: Schema,
    measured: Sequence[Measured],
    empty: Mapping[Clique, Flags],
    groups: Groups,
    published: Sequence[Published] = (),
) -> Targets:
    """Put all tables together, measured and published, by the inverse of their variance.

    `empty` holds, for pairs of columns, the cells of groups that the rules leave no row in.
    """
    starts, total = groups.starts, int(groups.starts[-1])
    sums, weights = np.zeros((total, total)), np.zeros((total, total))
    levels, precision = np.zeros((2, int(schema.starts[-1])))
    for clique, noisy in all_of(measured).items():
        places = tuple(slice(starts[i], starts[i + 1]) for i in clique)
        for counts, sigma in noisy:
            if len(clique) == 1:
                own = slice(*schema.starts[clique[0] : clique[0] + 2])
                levels[own] += counts / sigma**2
                precision[own] += 1 / sigma**2
            else:
                sums[places] += counts / sigma**2
                weights[places] += 1 / sigma**2
    levels /= precision
    known = [_Expected(schema, levels, precision, table) for table in published]
    for one in known:
        one.add_to(levels, precision)
        for (i, j), expected, weight in one.pairs():
            places = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            sums[places] += expected * weight
            weights[places] += weight
    tables = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
    for (i, j), cells in empty.items():
        places = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        tables[places][cells] = 0
        weights[places][cells] *= _CERTAIN
    tables, weights = tables + tables.T, weights + weights.T
    rows, shares = _shape(schema, groups, levels, precision, tables, weights)
    shape = np.bincount(groups.flat, weights=shares)
    return Targets(
        starts=starts,
        total=rows,
        one_way=np.bincount(groups.flat, weights=levels).astype(np.float32),
        one_weights=(1 / np.bincount(groups.flat, weights=1 / precision)).astype(np.float32),
        tables=tables.astype(np.float32),
        weights=weights.astype(np.float32),
        shape=shape.astype(np.float32),
        neighbours=_neighbours(schema, groups),
        inside=shares / shape[groups.flat],
    )


class _Expected:
    """A published table as counts of these records, and what a cell's count then counts.

    A count's variance is that of a draw by the table's shares, and the square of how far the
    records may stray from them.
    """

    def __init__(
        self, schema: Schema, levels: Doubles, precision: Doubles, table: Published
    ) -> None:
        self.schema, self.table = schema, table
        starts = schema.starts
        held = [slice(a, b) for a, b in pairwise(starts)]
        totals = np.array([levels[own].sum() for own in held])
        weights = np.array([1 / (1 / precision[own]).sum() for own in held])
        self.rows = max(float(totals @ weights / weights.sum()), 1.0)
        for i in table.clique:  # published tables tell nothing of rows without a value
            if schema.attributes[i].may_miss:
                missing = float(levels[starts[i + 1] - 1]) / self.rows
                self.rows *= min(max(1 - missing, 0.0), 1.0)

    def counts(self, clique: Clique) -> tuple[Doubles, Doubles]:
        """Counts of some of the columns, and their weights; none where there is no value."""
        counts = self.rows * self.table.over(clique)
        weights = 1 / (np.maximum(counts, 1) + (self.table.strays * counts) ** 2)
        ends = [(0, int(self.schema.attributes[i].may_miss)) for i in clique]
        return np.pad(counts, ends), np.pad(weights, ends)

    def add_to(self, levels: Doubles, precision: Doubles) -> None:
        """Bring in the counts of single columns, level by level."""
        for i in self.table.clique:
            counts, weights = self.counts((i,))
            own = slice(*self.schema.starts[i : i + 2])
            sums = levels[own] * precision[own] + counts * weights
            precision[own] += weights
            levels[own] = sums / precision[own]

    def pairs(self) -> Iterator[tuple[Clique, Doubles, Doubles]]:
        """The pairs of its columns, whose levels must not have been put together."""
        for pair in combinations(self.table.clique, 2):
            yield pair, *self.counts(pair)


def _shape(
    schema: Schema,
    groups: Groups,
    levels: Doubles,
    precision: Doubles,
    tables: Doubles,
    weights: Doubles,
) -> tuple[float, Doubles]:
    """The number of rows and each column's shares, from one-way tables and the sums of pairs."""
    own = np.bincount(groups.flat, weights=levels)
    held = 1 / np.bincount(groups.flat, weights=1 / precision)
    sums, found = own * held, held.copy()
    for a, b in pairwise(groups.starts):
        # A sum over a row's cells has the sum of their variances.
        told = _inverse(_inverse(weights[:, a:b]).sum(axis=1))
        sums += told * tables[:, a:b].sum(axis=1)
        found += told
    totals = np.add.reduceat(sums / found, groups.starts[:-1])
    held_totals = 1 / np.add.reduceat(1 / found, groups.starts[:-1])
    total = max(float(totals @ held_totals / held_totals.sum()), 1.0)
    # What pairs add to a group's count goes to its levels alike: the least change of them.
    sizes = np.bincount(groups.flat)
    best = levels + ((sums / found - own) / sizes)[groups.flat]
    variance = 1 / precision + ((1 / found - 1 / held) / sizes**2)[groups.flat]
    for attribute, a, b in zip(
        schema.attributes, schema.starts[:-1], schema.starts[1:], strict=True
    ):
        there = slice(a, a + attribute.n_there)  # "no value" has no neighbours
        noise = float(np.mean(variance[there]))
        best[there] = shrunk(best[there], noise, is_ordered=attribute.is_ordered)
        best[a:b] = np.maximum(projected(best[a:b], total), _LEAST)
        best[a:b] /= best[a:b].sum()
    return total, best


def _inverse(values: Doubles) -> Doubles:
    """One over each value; zero where it is zero, since nothing was measured there."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


def projected(counts: Doubles, total: float) -> Doubles:
    """The nearest counts that are not negative and add up to this total."""
    falling = np.sort(counts)[::-1]
    over = (np.cumsum(falling) - total) / np.arange(1, len(counts) + 1)
    last = np.flatnonzero(falling > over)[-1]
    return np.maximum(counts - over[last], 0)


def _neighbours(schema: Schema, groups: Groups) -> Floats:
    found = np.zeros(int(groups.starts[-1]) - 1, dtype=np.float32)
    for attribute, start, size in zip(schema.attributes, groups.starts, groups.sizes, strict=False):
        if attribute.is_ordered:  # "no value" is nobody's neighbour
            found[start : start + size - attribute.may_miss - 1] = 1
    return found
