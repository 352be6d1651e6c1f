"""Levels of a column that several tables share: categories, or bins of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.assess.sources import Floats, Ints, Words
from synthetic.private.schema import Attribute

BINS = 32  # of a column that no spec bins
_FEW = 50  # a column of more categories may name rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Coded:
    """One column in each table."""

    codes: list[Ints]
    n_levels: int  # the last is "no value"
    unseen: float = 0.0  # share of the last table's rows whose category no other table has


def coded_words(
    columns: Sequence[Words], told: Sequence[str] = (), other: str | None = None
) -> Coded:
    """Categories: those told, then all others in the order of their words.

    Where `other` is given, it stands for every category that is not told.
    """
    found = sorted(set().union(*(column.words for column in columns)) - set(told))
    at = {word: i for i, word in enumerate((*told, *(() if other is not None else found)))}
    n_there = len(at)
    codes = [
        np.array(
            # The last place is what -1, "no value", looks up.
            [*(at[w] if w in at else at[other or ""] for w in column.words), n_there],
            dtype=np.int32,
        )[column.at]
        for column in columns
    ]
    known = np.zeros(n_there + 1, dtype=np.bool_)
    known[-1] = True
    for of_records in codes[:-1]:
        known[of_records] = True
    known[: len(told)] = True
    return Coded(codes=codes, n_levels=n_there + 1, unseen=float(np.mean(~known[codes[-1]])))


def coded_numbers(columns: Sequence[Floats], attribute: Attribute | None) -> Coded:
    """Bins: those of the spec's attribute, else quantiles of the first table."""
    if attribute is not None:
        edges, scale = attribute.edges[:-1].astype(np.float64), 10.0**attribute.places
    else:
        edges, scale = quantile_edges(columns[0]), 1.0
    codes = [_binned(column, edges, scale, attribute is not None) for column in columns]
    return Coded(codes=codes, n_levels=max(len(edges), 1) + 1)


def _binned(column: Floats, edges: Floats, scale: float, is_whole: bool) -> Ints:
    scaled = np.rint(column * scale) if is_whole else column
    codes = np.searchsorted(edges, scaled, side="right") - 1
    codes = np.clip(codes, 0, max(len(edges) - 1, 0))
    return np.where(np.isnan(column), max(len(edges), 1), codes).astype(np.int32)


def quantile_edges(values: Floats) -> Floats:
    """Where each of at most 32 bins begins: a bin for each common value, quantiles between them."""
    found, n = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(found) <= BINS:
        return found
    heaps = np.flatnonzero(n > n.sum() / BINS)
    after = np.setdiff1d(np.minimum(heaps + 1, len(found) - 1), heaps)
    rest = np.where(np.isin(np.arange(len(found)), heaps), 0, n)
    n_cuts = max(BINS - len(heaps) - len(after), 1)
    at = np.searchsorted(np.cumsum(rest), rest.sum() * np.arange(n_cuts) / n_cuts, side="right")
    cuts = np.unique([0, *heaps, *after, *at])
    return found[cuts]


def names_rows(column: Words) -> bool:
    """Whether a column of texts has a category for more than half of the rows, as names do."""
    return len(column.words) > max(_FEW, np.count_nonzero(column.at >= 0) / 2)
