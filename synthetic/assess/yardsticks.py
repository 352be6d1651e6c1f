"""Tables that a synthetic one is judged beside: what chance alone does, and what nothing does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from synthetic.assess.tables import Table, Tables

Figure = TypeVar("Figure")
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One figure of the synthetic table, and the same of each yardstick."""

    synthetic: float
    bootstrap: float  # as many rows drawn again from the records: chance alone
    holdout: float | None  # records that were not learnt from
    shuffled: float  # the records' columns, each drawn by itself: nothing goes together


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The tables that are each held against `train`."""

    train: Table
    synthetic: Table
    bootstrap: Table
    holdout: Table | None
    shuffled: Table

    def each(self, figure: Callable[[Table], Figure]) -> dict[str, Figure]:
        """This figure of each table, by the table's name in `Beside`."""
        tables = {
            "synthetic": self.synthetic,
            "bootstrap": self.bootstrap,
            "holdout": self.holdout,
            "shuffled": self.shuffled,
        }
        return {name: figure(table) for name, table in tables.items() if table is not None}


def beside(found: Mapping[str, float]) -> Beside:
    """Figures by name as one value."""
    return Beside(
        synthetic=float(found["synthetic"]),
        bootstrap=float(found["bootstrap"]),
        holdout=float(found["holdout"]) if "holdout" in found else None,
        shuffled=float(found["shuffled"]),
    )


def compared(tables: Tables, seed: int) -> Compared:
    """The synthetic table and its yardsticks, which have as many rows as it has."""
    train, n_rows = tables.train, len(tables.synthetic)
    rng = np.random.default_rng([seed, 1])
    return Compared(
        train=train,
        synthetic=tables.synthetic,
        bootstrap=train.take(drawn_again(train, n_rows, rng)),
        holdout=tables.holdout,
        shuffled=_shuffled(train, n_rows, rng),
    )


def drawn_again(table: Table, n_rows: int, rng: np.random.Generator) -> Rows:
    """About `n_rows` of its rows, drawn with replacement; where rows have units, whole units."""
    if table.units is None:
        return rng.integers(0, len(table), n_rows)
    order = np.argsort(table.units, kind="stable")
    starts = np.unique(table.units[order], return_index=True)[1]
    ends = np.append(starts[1:], len(order))
    chosen = rng.integers(0, len(starts), round(len(starts) * n_rows / len(table)) or 1)
    sizes = (ends - starts)[chosen]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.repeat(starts[chosen], sizes) + within]


def _shuffled(table: Table, n_rows: int, rng: np.random.Generator) -> Table:
    """Rows whose columns are each drawn by itself."""
    n_columns = len(table.names)
    rows = rng.integers(0, len(table), (n_rows, n_columns))
    at = np.arange(n_columns)
    return replace(table, codes=table.codes[rows, at], values=table.values[rows, at], units=None)
