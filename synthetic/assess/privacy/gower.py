"""Gower distances between records of mixed columns, in whole millionths of a column.

A number differs by the share of its range, a category by 0 or 1, missing from present by 1,
missing from missing by 0 (Gower 1971, Biometrics 27(4), 857-871). Whole numbers add up to the
same on every machine and in any order, so ties are ties. 32 bits hold them for 2,000 columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.assess.tables import Kind, Table, Tables

UNIT = 1_000_000
_MISSING = 2 * UNIT  # a unit and more from every number


@dataclass(frozen=True, eq=False)
class Points:
    """A table's records as places: one array per column."""

    columns: tuple[np.ndarray, ...]  # int32 millionths of the range; unsigned codes of categories
    missing: tuple[bool, ...]  # per column: numbers, some of them missing in one of the tables

    def __len__(self) -> int:
        return len(self.columns[0])

    def rows(self, chosen: np.ndarray) -> Points:
        """Some of the records."""
        return Points(tuple(column[chosen] for column in self.columns), self.missing)


def points(tables: Tables) -> tuple[Points, Points | None, Points]:
    """Train, holdout and synthetic, numbers by their range over all three."""
    there = [part for part in (tables.train, tables.holdout, tables.synthetic) if part is not None]
    placed = [_placed(there, index) for index in range(len(tables.train.names))]
    gaps = tuple(gap for _, gap in placed)
    found = [Points(tuple(arrays[i] for arrays, _ in placed), gaps) for i in range(len(there))]
    return found[0], found[1] if len(found) == 3 else None, found[-1]


def _placed(tables: Sequence[Table], index: int) -> tuple[list[np.ndarray], bool]:
    if tables[0].kinds[index] is not Kind.NUMERIC:
        kind = np.min_scalar_type(tables[0].levels[index])
        return [table.codes[:, index].astype(kind) for table in tables], False
    values = [table.values[:, index] for table in tables]
    every = np.concatenate(values)
    seen = every[np.isfinite(every)]
    low, high = (seen.min(), seen.max()) if len(seen) else (0.0, 0.0)
    return [_millionths(part, low, high) for part in values], bool(np.isnan(every).any())


def _millionths(values: np.ndarray, low: float, high: float) -> np.ndarray:
    shares = (np.clip(values, low, high) - low) / ((high - low) or 1.0)
    return np.where(np.isnan(values), _MISSING, np.rint(shares * UNIT)).astype(np.int32)


def distances(to: Points, of: Points, row: int, columns: Sequence[int]) -> np.ndarray:
    """How far one record is from all of others, summed over these columns: int32 millionths."""
    total = np.zeros(len(to), np.int32)
    differing = np.zeros(len(to), np.uint16)
    step = np.empty(len(to), np.int32)
    for index in columns:
        column, value = to.columns[index], of.columns[index][row]
        if column.dtype == np.int32:
            np.abs(np.subtract(column, value, out=step), out=step)
            if to.missing[index]:
                np.minimum(step, UNIT, out=step)
            total += step
        else:
            differing += column != value
    total += differing * np.int32(UNIT)
    return total


def parts(to: Points, of: Points, row: int, rows: np.ndarray) -> np.ndarray:
    """What each column adds to the distance to some rows: (columns, rows) int32 millionths."""
    found = np.empty((len(to.columns), len(rows)), np.int32)
    for index, column in enumerate(to.columns):
        value, there = of.columns[index][row], column[rows]
        if column.dtype == np.int32:
            np.minimum(np.abs(there - value), UNIT, out=found[index])
        else:
            np.multiply(there != value, UNIT, out=found[index])
    return found
