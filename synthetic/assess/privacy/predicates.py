"""Predicates that fit one row of a table, and how many records of another they fit.

A predicate is a conjunction over columns: equal to, at least, at most, or missing. Giomi et al.
(2023), PoPETs 2023(2), 312-328; singling out as in Cohen and Nissim (2020), PNAS 117(15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

import numpy as np

from synthetic.assess.tables import Kind, Table

Condition = tuple[int, "Op", float]  # column, comparison, value
Predicate = tuple[Condition, ...]

_FIRST = 4096  # rows that tell most predicates which fit many from those that fit one
_TRIES = 25  # so many attempts for each predicate wanted


class Op(StrEnum):
    """How a value is compared."""

    EQUAL = "=="
    AT_LEAST = ">="
    AT_MOST = "<="
    MISSING = "is missing"


_HOLDS: dict[Op, Callable[[np.ndarray, float], np.ndarray]] = {
    Op.EQUAL: lambda values, value: values == value,
    Op.AT_LEAST: lambda values, value: values >= value,
    Op.AT_MOST: lambda values, value: values <= value,
    Op.MISSING: lambda values, _: np.isnan(values),
}


def counts(predicates: Sequence[Predicate], columns: np.ndarray) -> np.ndarray:
    """How many records each predicate fits; `columns` is (columns, rows)."""
    return np.array([_count(predicate, columns) for predicate in predicates], np.int64)


def _count(predicate: Predicate, columns: np.ndarray) -> int:
    (first, op, value), *others = predicate
    fits = _HOLDS[op](columns[first], value)
    for column, op, value in others:
        fits &= _HOLDS[op](columns[column], value)
    return int(np.count_nonzero(fits))


def of_one_column(table: Table) -> list[Predicate]:
    """Every predicate on one column that fits one row: a rare value, an extreme, a lone gap."""
    found: list[Predicate] = []
    for column, kind in enumerate(table.kinds):
        values, occurs = np.unique(table.values[:, column], return_counts=True)
        lone = values[occurs == 1]
        found += [((column, Op.EQUAL, float(v)),) for v in lone if not np.isnan(v)]
        if len(lone) and np.isnan(lone[-1]):
            found.append(((column, Op.MISSING, 0.0),))
        there = ~np.isnan(values)
        if kind is Kind.NUMERIC and there.any():
            ends = (0, Op.AT_MOST), (np.count_nonzero(there) - 1, Op.AT_LEAST)
            found += [((column, op, float(values[i])),) for i, op in ends if occurs[i] == 1]
    return found


def of_columns(table: Table, n: int, n_columns: int, rng: np.random.Generator) -> list[Predicate]:
    """Up to n predicates on so many columns of a row drawn, that fit this row and no other.

    A number above its column's median is bounded below, another above. Not every try gives one:
    after 25 n tries there may be fewer.
    """
    columns = np.ascontiguousarray(table.values.T)
    conditions = _conditions(table.kinds, columns)
    masks: dict[Condition, int] = {}
    found: dict[Predicate, None] = {}
    for _ in range(_TRIES):
        for row, chosen in _draws(n, columns.shape, n_columns, rng):
            predicate = tuple(conditions(row, column) for column in chosen)
            if predicate in found or _fits_several(predicate, columns, masks):
                continue
            if _count(predicate, columns) == 1:
                found[predicate] = None
                if len(found) == n:
                    return list(found)
    return list(found)


def _draws(
    n: int, shape: tuple[int, ...], n_columns: int, rng: np.random.Generator
) -> Iterator[tuple[int, list[int]]]:
    """Rows, and columns of each in order."""
    rows = rng.integers(shape[1], size=n)
    chosen = np.sort(rng.random((n, shape[0])).argsort(axis=1)[:, :n_columns], axis=1)
    return zip(rows.tolist(), chosen.tolist(), strict=True)


def _conditions(kinds: Sequence[Kind], columns: np.ndarray) -> Callable[[int, int], Condition]:
    """What is told of a row's column: a category, a bound on a number, or that it is missing."""
    medians = [_median(column) for column in columns]

    def condition(row: int, column: int) -> Condition:
        value = float(columns[column, row])
        if value != value:
            return column, Op.MISSING, 0.0
        if kinds[column] is not Kind.NUMERIC:
            return column, Op.EQUAL, value
        return column, Op.AT_LEAST if value > medians[column] else Op.AT_MOST, value

    return condition


def _median(column: np.ndarray) -> float:
    there = column[~np.isnan(column)]
    return float(np.median(there)) if len(there) else 0.0


def _fits_several(predicate: Predicate, columns: np.ndarray, masks: dict[Condition, int]) -> bool:
    """Whether a predicate fits two or more of the first rows; their bits are kept by condition."""
    fits = -1
    for condition in predicate:
        if condition not in masks:
            column, op, value = condition
            bits = np.packbits(_HOLDS[op](columns[column, :_FIRST], value))
            masks[condition] = int.from_bytes(bits.tobytes())
        fits &= masks[condition]
    return fits.bit_count() > 1


def at_random(table: Table, n: int, n_columns: int, rng: np.random.Generator) -> list[Predicate]:
    """Predicates of somebody who knows only which values a column may have."""
    domains = [np.unique(table.values[:, column]) for column in range(len(table.names))]
    return [
        tuple(_guess(table.kinds[column], column, domains[column], rng) for column in chosen)
        for _, chosen in _draws(n, table.values.T.shape, n_columns, rng)
    ]


def _guess(kind: Kind, column: int, domain: np.ndarray, rng: np.random.Generator) -> Condition:
    value = float(domain[rng.integers(len(domain))])
    if np.isnan(value):
        return column, Op.MISSING, 0.0
    ops = (Op.EQUAL, Op.AT_LEAST, Op.AT_MOST) if kind is Kind.NUMERIC else (Op.EQUAL,)
    return column, ops[rng.integers(len(ops))], value
