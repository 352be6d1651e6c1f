"""What a fit will release, and at what share of its budget: known before any record is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from synthetic.errors import PrivateError
from synthetic.private.schema import Schema

MOST_CELLS = 60_000  # of a two-way table; larger ones hold little but noise
MOST_CELLS_IN_SUM = 2_000_000  # noise costs some 14 microseconds a cell
_CHOSEN = 40  # two-way tables that are measured again
_ONE_WAY_SHARE = 0.15
_SAFE = 1 - 1e-12  # shares of a budget, rounded, must not add up to more
_AGAIN_SHARE = 0.5  # of what two-way tables get
Clique = tuple[int, ...]


class Mode(StrEnum):
    """How much work a fit does."""

    FAST = "fast"
    DEFAULT = "default"
    BEST = "best"


@dataclass(frozen=True, kw_only=True)
class Release:
    """Tables to which noise of one scale is added in one go."""

    name: str
    rho: float
    n_tables: int
    n_cells: int  # at most, where the tables are not chosen yet
    unit_rows: int  # rows by which neighbours differ, at most

    @property
    def sensitivity(self) -> float:
        """How far, in L2, one unit moves the counts: each table by its rows, rounded up."""
        return math.nextafter(self.unit_rows * math.sqrt(self.n_tables), math.inf)

    @property
    def sigma(self) -> float:
        """The scale of the noise, in rows, rounded up."""
        return self.sensitivity / math.sqrt(2 * self.rho) * (1 + 1e-12)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The releases of one fit; together they cost no more than rho."""

    epsilon: float
    delta: float
    rho: float
    releases: tuple[Release, ...]
    pairs: tuple[Clique, ...]  # two-way tables small enough to be measured

    def share(self, release: Release) -> float:
        """The part of the budget that a release takes."""
        return release.rho / self.rho


def planned(
    schema: Schema, *, epsilon: float, delta: float, rho: float, mode: Mode, unit_rows: int = 1
) -> Plan:
    """Share a budget among one-way tables, all pairs, and pairs that are measured again."""
    sizes = [attribute.size for attribute in schema.attributes]
    every = combinations(range(len(sizes)), 2)
    cells = {(a, b): sizes[a] * sizes[b] for a, b in every if sizes[a] * sizes[b] <= MOST_CELLS}
    if sum(cells.values()) > MOST_CELLS_IN_SUM:
        raise PrivateError(
            f"{sum(cells.values()):,} cells in all two-way tables, more than "
            f"{MOST_CELLS_IN_SUM:,}; use fewer bins or coarser categories"
        )
    shares = _shares(len(cells), mode)
    largest = sorted(cells.values(), reverse=True)
    tables = {"one-way": (len(sizes), sum(sizes)), "pairs": (len(cells), sum(largest))}
    n_again = _n_again(len(cells))
    tables["chosen pairs"] = (n_again, sum(largest[:n_again]))
    releases = tuple(
        Release(name=name, rho=rho * share * _SAFE, n_tables=n, n_cells=total, unit_rows=unit_rows)
        for name, share in shares.items()
        for n, total in [tables[name]]
    )
    return Plan(epsilon=epsilon, delta=delta, rho=rho, releases=releases, pairs=tuple(cells))


def _shares(n_pairs: int, mode: Mode) -> dict[str, float]:
    if not n_pairs:
        return {"one-way": 1.0}
    rest = 1 - _ONE_WAY_SHARE
    if mode is Mode.FAST or not _n_again(n_pairs):
        return {"one-way": _ONE_WAY_SHARE, "pairs": rest}
    again = rest * _AGAIN_SHARE
    return {"one-way": _ONE_WAY_SHARE, "pairs": rest - again, "chosen pairs": again}


def _n_again(n_pairs: int) -> int:
    return min(_CHOSEN, n_pairs * 2 // 5)
