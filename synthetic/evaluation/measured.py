"""The distance of a replica's table from each published table that it is held against.

The distance is the total variation between shares: half the sum of the absolute differences, from
0 (the same) to 1. It is judged beside the distance that sampling alone would give, if as many
households (or whatever belongs together) were drawn: no further than 99 of 100 such samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from synthetic.evaluation.comparisons import Comparison, columns_of
from synthetic.evaluation.sampling import Cells, Sampling
from synthetic.spec.margins import Cell, Margin

Shares = Mapping[Cell, float]


@dataclass(frozen=True, eq=False)
class Distance:
    """A replica's table beside a published one."""

    comparison: Comparison
    rows: int
    published: Shares
    found: Shares
    met: bool  # whether it is a quota that is met to the last unit, floors and all
    raised: int  # cells whose published number at this scale is below the floor that they keep
    redrawn: bool  # whether margins are sampled, and not met to the last unit
    together: sparse.csr_matrix  # of the published cells, over clusters
    cluster: str  # what a sample would draw whole: dataset.table

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that were counted."""
        return columns_of(self.comparison)

    @property
    def margin(self) -> Margin:
        """The published numbers."""
        return self.comparison.margin

    @property
    def total_variation(self) -> float:
        """Half the sum of the differences between shares, from 0 to 1."""
        return apart(self.found, self.published)

    @property
    def largest(self) -> tuple[Cell, float]:
        """The cell whose share is furthest off, and by how much (replica less published)."""
        cell = max(self.published, key=lambda cell: abs(self.found[cell] - self.published[cell]))
        return cell, self.found[cell] - self.published[cell]

    @property
    def exact(self) -> bool:
        """Whether every cell is the published one but for rounding to whole rows."""
        return (self.met and not self.raised) or all(
            abs(self.found[cell] - share) * self.rows <= 1 for cell, share in self.published.items()
        )

    @property
    def holds(self) -> bool:
        """Whether the rows are as they should be: exact, or no further than 99 of 100 samples."""
        return self.met or self.exact or self.sampling.explains(self.total_variation)

    @cached_property
    def sampling(self) -> Sampling:
        """What sampling alone would give."""
        at = [self.margin.axes.index(axis) for axis in self.comparison.given]
        numbers: dict[Cell, int] = {}
        keys = np.array(
            [numbers.setdefault(tuple(c[i] for i in at), len(numbers)) for c in self.published]
        )
        shares = np.array(list(self.published.values()))
        of_key = np.bincount(keys, weights=shares)[keys]
        within = np.divide(shares, of_key, out=np.zeros_like(shares), where=of_key > 0)
        return Sampling(self.together, Cells(shares, within, keys), self.rows)

    def over(self, axis: str) -> Distance:
        """The same added up to one axis."""
        at = self.margin.at(axis)
        order = {category: i for i, category in enumerate(dict.fromkeys(c[at] for c in self.found))}
        which = np.array([order[cell[at]] for cell in self.published])
        groups = sparse.csr_matrix((np.ones(len(which)), (np.arange(len(which)), which)))
        by = {axis: self.comparison.by[axis]}
        return replace(
            self,
            comparison=replace(self.comparison, margin=self.margin.over(axis), by=by, given=()),
            published=_added_up(self.published, at),
            found=_added_up(self.found, at),
            together=sparse.csr_matrix(groups.T @ self.together @ groups),
        )

    def within(self, axis: str, category: str) -> Distance | None:
        """The same for the rows of one category of an axis; None without any."""
        at = self.margin.at(axis)
        here = np.array([i for i, cell in enumerate(self.published) if cell[at] == category])
        published, found = _part(self.published, here), _part(self.found, here)
        rows = round(sum(found.values()) * self.rows)
        if not rows or not sum(published.values()):
            return None
        return replace(
            self,
            rows=rows,
            published=_whole(published),
            found=_whole(found),
            together=self.together[here][:, here],
        )


def apart(one: Shares, other: Shares) -> float:
    """Half the sum of the differences between two tables of shares."""
    return sum(abs(one.get(c, 0.0) - other.get(c, 0.0)) for c in {*one, *other}) / 2


def association(shares: Shares, first: int, second: int) -> float:
    """Cramér's V of two axes of a table of shares, from 0 (independent) to 1."""
    both: dict[tuple[str, str], float] = {}
    for cell, share in shares.items():
        key = (cell[first], cell[second])
        both[key] = both.get(key, 0.0) + share
    one, other = _added_up(shares, first), _added_up(shares, second)
    fewest = min(sum(p > 0 for p in one.values()), sum(p > 0 for p in other.values())) - 1
    if fewest < 1:
        return 0.0
    squares = sum(p * p / (one[(a,)] * other[(b,)]) for (a, b), p in both.items() if p)
    return math.sqrt(max(squares - 1.0, 0.0) / fewest)


def _added_up(shares: Shares, at: int) -> dict[Cell, float]:
    found: dict[Cell, float] = {}
    for cell, share in shares.items():
        found[(cell[at],)] = found.get((cell[at],), 0.0) + share
    return found


def _part(shares: Shares, here: NDArray[np.intp]) -> dict[Cell, float]:
    cells = list(shares)
    return {cells[i]: shares[cells[i]] for i in here}


def _whole(shares: Shares) -> dict[Cell, float]:
    total = sum(shares.values())
    return {cell: share / total for cell, share in shares.items()}
