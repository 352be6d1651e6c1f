"""The error that sampling alone would give, where whole clusters are drawn.

A sample of clusters estimates the share of a cell by a ratio; to first order its errors are
normal, with the covariance of the clusters' residuals (Särndal, Swensson and Wretman, *Model
Assisted Survey Sampling*, 1992, sections 5.5 and 5.6). The distance over all cells is half the
sum of the errors' sizes: its mean follows from the variances, its 99th percentile from all
covariances. Of the tail beyond, McDiarmid's inequality (1989) tells without asking for normal
errors: one cluster less or more moves the distance by no more than its part of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

_SIMULATED = 100  # cells up to which the percentile is simulated; with more it is near normal
_DRAWS = 10_000
_Z99 = 2.3263
RARE = 100_000  # samples of which one at most lies further than `rarely`
_NEAR = 1e-9  # what is lost in sums of shares
_BLOCK = 512  # rows of a covariance held at a time


@dataclass(frozen=True)
class Cells:
    """The cells of a published table that have a share."""

    shares: Floats  # of all rows
    within: Floats  # of the rows of the cell's key
    keys: Whole  # the combination of given categories; all 0 where nothing is given


class Sampling:
    """What samples of as many clusters would show as their total variation distance.

    Parameters
    ----------
    together : (cells, cells) matrix
        Sum over all clusters of the products of their counts in two cells.
    cells : Cells
        What is published.
    rows : int
        Rows of the table.
    """

    def __init__(self, together: sparse.csr_matrix, cells: Cells, rows: int) -> None:
        self._residuals = _Residuals(together, cells, rows)
        self._errors = np.sqrt(np.maximum(self._residuals.variances(), 0.0))
        self._alone = np.sqrt(cells.shares * (1 - cells.within) / rows)
        self._sizes = float(together.sum())  # the squares of the clusters' sizes, added up
        self._rows = rows

    @property
    def expected(self) -> float:
        """The mean distance."""
        return float(self._errors.sum()) * math.sqrt(2 / math.pi) / 2

    @property
    def effect(self) -> float:
        """The mean distance, as a multiple of what rows drawn one by one would give."""
        alone = float(self._alone.sum())
        return float(self._errors.sum()) / alone if alone else 1.0

    @cached_property
    def limit(self) -> float:
        """The distance that 99 of 100 samples do not exceed."""
        if not self.expected:
            return 0.0
        if len(self._errors) > _SIMULATED:
            return self.expected + _Z99 * _spread(self._residuals, self._errors)
        return _simulated(np.concatenate([block for _, block in self._residuals.blocks()]))

    @property
    def rarely(self) -> float:
        """The distance that at most one sample in 100,000 exceeds."""
        mean = float(self._errors.sum()) / 2  # no less than the mean distance, normal or not
        return mean + math.sqrt(math.log(RARE) / 2 * self._sizes) / self._rows

    def explains(self, distance: float) -> bool:
        """Whether a distance is no larger than that of 99 in 100 samples."""
        return distance <= self._surely + _NEAR or distance <= self.limit + _NEAR

    @property
    def _surely(self) -> float:
        """A distance below the limit, without the covariances: these only widen the spread."""
        if len(self._errors) <= _SIMULATED:
            return self.expected
        own = (1 - 2 / math.pi) * float(np.square(self._errors).sum())
        return self.expected + _Z99 * math.sqrt(own) / 2


class _Residuals:
    """The covariance of shares; a cluster's residual is its count less its share of its key's."""

    def __init__(self, together: sparse.csr_matrix, cells: Cells, rows: int) -> None:
        self.together = together
        self.cells = cells
        self.rows = rows

    def variances(self) -> Floats:
        p, k = self.cells.within, self.cells.keys
        both = self.together.tocoo()
        same = k[both.row] == k[both.col]  # pairs of cells of one key
        at, products = both.row[same], both.data[same]
        own = np.bincount(at, products, len(k))
        of_key = np.bincount(k[at], products, int(k.max(initial=0)) + 1)[k]
        found: Floats = (self.together.diagonal() - 2 * p * own + p * p * of_key) / self.rows**2
        return found

    @cached_property
    def with_keys(self) -> Floats:
        """The same products of cells and keys."""
        found: Floats = np.asarray((self.together @ self._groups).todense())
        return found

    @cached_property
    def of_keys(self) -> Floats:
        """And of keys and keys."""
        found: Floats = np.asarray(self._groups.T @ self.with_keys)
        return found

    @property
    def _groups(self) -> sparse.csr_matrix:
        n = len(self.cells.keys)
        return sparse.csr_matrix((np.ones(n), (np.arange(n), self.cells.keys)))

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        p, k = self.cells.within, self.cells.keys
        for start in range(0, len(k), _BLOCK):
            part = slice(start, start + _BLOCK)
            block = np.asarray(self.together[part].todense())
            block -= self.with_keys[part][:, k] * p
            block -= p[part, None] * (self.with_keys.T[k[part]] - self.of_keys[k[part]][:, k] * p)
            yield part, block / self.rows**2


def _simulated(covariance: Floats) -> float:
    """The 99th percentile of the distance, by drawing errors."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    chance = np.random.Generator(np.random.SFC64(99))
    distances = np.abs(chance.standard_normal((_DRAWS, len(values))) @ root.T).sum(axis=1) / 2
    return float(np.quantile(distances, 0.99))


def _spread(residuals: _Residuals, errors: Floats) -> float:
    """The standard deviation of the distance, from the covariance of the errors' sizes.

    For two normal errors with correlation r the sizes have the covariance
    2 / pi (r asin r + sqrt(1 - r r) - 1) times their standard deviations.
    """
    total = 0.0
    safe = np.where(errors > 0, errors, 1.0)
    for part, block in residuals.blocks():
        r = np.clip(block / safe[part, None] / safe, -1.0, 1.0)
        square = r * r
        shape = square / 2 + square * square / 24  # the series, exact enough for small r
        large = square > 0.05
        shape[large] = r[large] * np.arcsin(r[large]) + np.sqrt(1 - square[large]) - 1
        total += float(errors[part] @ shape @ errors)
    return math.sqrt(max(total, 0.0) * 2 / math.pi) / 2
