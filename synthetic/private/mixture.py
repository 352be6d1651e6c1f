"""A mixture of products fitted to noisy tables: classes, and one distribution a column and class.

All two-way tables of the model are the blocks of one matrix product, so that weighted least squares
over every measured table costs two products a step. The noisy tables are fitted as they are,
negative counts too: a table that is first made to look like counts is biased.

References
----------
Aydore et al. (2021), arXiv 2103.06641 and Liu, Vietri and Wu (2021), arXiv 2106.07153, fit such
families to noisy answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.private.groups import Groups
from synthetic.private.targets import Targets

Floats = npt.NDArray[np.float32]

_STEP = 0.2
_FIRST, _SECOND = 0.9, 0.99  # of Adam
_FLOOR = 1e-8  # of Adam's denominator, where gradients are scaled to about one
_LIMIT = 20.0  # of logits: exp() of them neither vanishes nor overflows in 32 bits


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a mixture is fitted. Iterations are a regulariser: more is not better."""

    n_classes: int
    n_fits: int
    iterations: int
    pull: float  # of each class to the one-way shape, in units of half a chi-square
    smooth: float  # of neighbours in ordered columns, in the same units


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Classes, and in each a distribution for every column."""

    weights: Floats  # of shape (classes,); they add to one
    shares: Floats  # of shape (levels of all columns, classes); a column's block adds to one
    starts: npt.NDArray[np.int64]  # where each column's block begins, and the end of the last

    def block(self, column: int) -> Floats:
        """The distributions of one column, of shape (levels, classes)."""
        return self.shares[self.starts[column] : self.starts[column + 1]]

    def pair(self, a: int, b: int) -> npt.NDArray[np.float64]:
        """The shares of a two-way table."""
        first, second = (self.block(i).astype(np.float64) for i in (a, b))
        return (first * self.weights) @ second.T

    def one_way(self) -> npt.NDArray[np.float64]:
        """The shares of every level."""
        return self.shares.astype(np.float64) @ self.weights

    def expanded(self, groups: Groups, inside: npt.NDArray[np.float64]) -> Mixture:
        """The same over levels: each has its share of its group, in every class."""
        sizes = [len(of) for of in groups.of]
        shares = self.shares[groups.flat] * inside[:, None].astype(np.float32)
        return Mixture(weights=self.weights, shares=shares, starts=np.cumsum([0, *sizes]))


def average(fits: list[Mixture]) -> Mixture:
    """One larger mixture, of which each fit is an equal part."""
    weights = np.concatenate([fit.weights for fit in fits])
    weights /= len(fits)
    shares = np.concatenate([fit.shares for fit in fits], axis=1)
    return Mixture(weights=weights, shares=shares, starts=fits[0].starts)


def fit(targets: Targets, settings: Settings, rng: np.random.Generator) -> Mixture:
    """Fit so many mixtures from independent starts, and average them.

    The starts are no part of the release's noise: `rng` need not be secure.
    """
    return average([_Fit(targets, settings, rng).run() for _ in range(settings.n_fits)])


class _Fit:
    """One fit: logits of shares and of class weights, and Adam's two moments of each."""

    def __init__(self, targets: Targets, settings: Settings, rng: np.random.Generator) -> None:
        self.targets, self.settings = targets, settings
        n, h = len(targets.one_way), settings.n_classes
        self.base = np.log(targets.shape).astype(np.float32)[:, None]
        self.offsets = rng.standard_normal((n, h), dtype=np.float32)
        self.class_logits = np.zeros(h, dtype=np.float32)
        # Half a chi-square is of the order of the number of cells: gradients are divided by it.
        self.unit = 2 / max(float(np.count_nonzero(targets.weights)), 2.0)
        # Kept from step to step: fresh memory of this size comes from the system each time.
        self.error = np.empty((n, n), dtype=np.float32)
        self.by_share = np.empty((n, h), dtype=np.float32)
        self.adam = [_Adam(self.offsets.shape), _Adam(self.class_logits.shape)]

    def run(self) -> Mixture:
        steps = self.settings.iterations
        for step in range(steps):
            rate = _STEP * min(1.0, 2 * (steps - step) / steps)
            shares, weights = self._distributions()
            by_offset, by_class = self._gradients(shares, weights)
            self.offsets -= self.adam[0].step(by_offset, rate)
            self.class_logits -= self.adam[1].step(by_class, rate)
            np.clip(self.offsets, -_LIMIT, _LIMIT, out=self.offsets)
        shares, weights = self._distributions()
        return Mixture(weights=weights, shares=shares, starts=self.targets.starts)

    def _distributions(self) -> tuple[Floats, Floats]:
        shares = np.exp(self.base + self.offsets)
        starts = self.targets.starts
        shares /= np.repeat(np.add.reduceat(shares, starts[:-1]), np.diff(starts), axis=0)
        weights = np.exp(self.class_logits - self.class_logits.max())
        return shares, weights / weights.sum()

    def _gradients(self, shares: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """The gradient by offsets and by class logits."""
        told = self.targets
        scaled = shares * np.sqrt(weights)
        error = np.matmul(scaled, scaled.T, out=self.error)
        error *= told.total
        error -= told.tables
        error *= told.weights
        one_way = shares @ weights
        error_one = told.one_weights * (told.total * one_way - told.one_way)
        by_share = np.matmul(error, shares, out=self.by_share)
        by_weight = (
            0.5 * np.einsum("ij,ij->j", by_share, shares) + error_one @ shares
        ) * told.total
        by_share += error_one[:, None]
        by_share *= told.total * weights
        by_offset = self._through_softmax(by_share, shares)
        by_offset += self._penalties(shares, weights)
        by_class = weights * (by_weight - by_weight @ weights)
        by_offset *= self.unit
        by_class *= self.unit
        return by_offset, by_class

    def _through_softmax(self, by_share: Floats, shares: Floats) -> Floats:
        starts = self.targets.starts
        by_share *= shares
        sums = np.add.reduceat(by_share, starts[:-1])
        by_share -= shares * np.repeat(sums, np.diff(starts), axis=0)
        return by_share

    def _penalties(self, shares: Floats, weights: Floats) -> Floats:
        """Each class is pulled to the one-way shape, and neighbours to the same distance from it."""
        told, settings = self.targets, self.settings
        # Of the divergence of the one-way shape from the class's: bounded, zero where they agree.
        found = settings.pull / settings.n_classes * (shares - told.shape[:, None])
        jumps = self.offsets[1:] - self.offsets[:-1]
        jumps *= (settings.smooth / settings.n_classes) * told.neighbours[:, None]
        found[1:] += jumps
        found[:-1] -= jumps
        return found


class _Adam:
    """Steps of Adam for one array."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.first = np.zeros(shape, dtype=np.float32)
        self.second = np.zeros(shape, dtype=np.float32)
        self.n = 0

    def step(self, gradient: Floats, rate: float) -> Floats:
        self.n += 1
        self.first += (1 - _FIRST) * (gradient - self.first)
        self.second += (1 - _SECOND) * (gradient * gradient - self.second)
        found = np.sqrt(self.second)
        found *= 1 / math.sqrt(1 - _SECOND**self.n)
        found += _FLOOR
        np.divide(self.first, found, out=found)
        found *= rate / (1 - _FIRST**self.n)
        return found
