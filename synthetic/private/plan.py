"""What a fit will release, and at what share of its budget: known before any record is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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
_SIGMA_STEPS = 1 << 10  # of a scale's size: up to a 512th part more noise
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
        """The scale of the noise, in rows, rounded up to few digits: exact noise is cheaper then."""
        share, power = math.frexp(self.sensitivity / math.sqrt(2 * self.rho) * (1 + 1e-12))
        return math.ldexp(math.ceil(share * _SIGMA_STEPS), power) / _SIGMA_STEPS


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The releases of one fit; together they cost no more than rho."""

    epsilon: float
    delta: float
    rho: float
    releases: tuple[Release, ...]
    pairs: tuple[Clique, ...]  # two-way tables small enough to be measured
    weighted: Mapping[str, tuple[Clique, ...]]  # the same, by the release that they are in
    weights: Mapping[Clique, float]  # of pairs whose weight is not 1

    def share(self, release: Release) -> float:
        """The part of the budget that a release takes."""
        return release.rho / self.rho


def planned(
    schema: Schema,
    *,
    epsilon: float,
    delta: float,
    rho: float,
    mode: Mode,
    unit_rows: int = 1,
    weights: Mapping[Clique, float] | None = None,
) -> Plan:
    """Share a budget among one-way tables, all pairs, and pairs that are measured again.

    Of what all pairs get, a pair gets a part in proportion to its weight.
    """
    weights = weights or {}
    sizes = [attribute.size for attribute in schema.attributes]
    cells: dict[Clique, int] = {
        (a, b): sizes[a] * sizes[b]
        for a, b in combinations(range(len(sizes)), 2)
        if sizes[a] * sizes[b] <= MOST_CELLS and weights.get((a, b), 1.0)
    }
    if sum(cells.values()) > MOST_CELLS_IN_SUM:
        raise PrivateError(
            f"{sum(cells.values()):,} cells in all two-way tables, more than "
            f"{MOST_CELLS_IN_SUM:,}; use fewer bins or coarser categories"
        )
    largest = sorted(cells.values(), reverse=True)
    n_again = _n_again(len(cells))
    weighted = _by_weight(cells, weights)
    tables = {
        "one-way": (len(sizes), sum(sizes)),
        "chosen pairs": (n_again, sum(largest[:n_again])),
    }
    tables |= {name: (len(of), sum(cells[pair] for pair in of)) for name, of in weighted.items()}
    shares: dict[str, float] = {}
    for name, share in _shares(len(cells), mode).items():
        shares |= _shared(share, weighted, weights) if name == "pairs" else {name: share}
    releases = tuple(
        Release(name=name, rho=rho * share * _SAFE, n_tables=n, n_cells=total, unit_rows=unit_rows)
        for name, share in shares.items()
        for n, total in [tables[name]]
    )
    return Plan(
        epsilon=epsilon,
        delta=delta,
        rho=rho,
        releases=releases,
        pairs=tuple(cells),
        weighted=weighted,
        weights=weights,
    )


def _by_weight(
    pairs: Iterable[Clique], weights: Mapping[Clique, float]
) -> dict[str, tuple[Clique, ...]]:
    """Pairs by the release that they are in: one for each weight, that of 1 first."""
    found: dict[float, list[Clique]] = {1.0: []}
    for pair in pairs:
        found.setdefault(weights.get(pair, 1.0), []).append(pair)
    named = {"pairs" if weight == 1 else f"pairs x{weight:g}": of for weight, of in found.items()}
    return {name: tuple(of) for name, of in named.items() if of}


def _shared(
    share: float, weighted: Mapping[str, tuple[Clique, ...]], weights: Mapping[Clique, float]
) -> dict[str, float]:
    """The part of each release of pairs."""
    parts = {n: math.fsum(weights.get(pair, 1.0) for pair in of) for n, of in weighted.items()}
    total = math.fsum(parts.values())
    return {name: share * part / total for name, part in parts.items()}


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
