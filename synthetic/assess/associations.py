"""How strongly two columns go together, in the records and in the synthetic table.

Two categories: Cramér's V, corrected for bias (Bergsma 2013, Journal of the Korean Statistical
Society 42, 323-328). A category and a number: the correlation ratio, corrected for the number of
groups (Kelley 1935, PNAS 21, 554-559). Two numbers: Pearson's correlation, with its sign. A missing
category is a category; rows where a number is missing are left out of its pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from synthetic.assess.closeness import N_WORST, Columns, subsets
from synthetic.assess.tables import Kind, Table
from synthetic.assess.yardsticks import Beside, Compared, beside

MOST_PAIRS = 4000
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Measure(StrEnum):
    """How the association of a pair is measured."""

    CRAMERS_V = "Cramér's V"
    CORRELATION_RATIO = "correlation ratio"
    PEARSON = "Pearson's correlation"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One pair of columns."""

    columns: tuple[str, str]
    measure: Measure
    real: float
    synthetic: float


@dataclass(frozen=True, kw_only=True)
class Associations:
    """All pairs whose association the records tell."""

    n_pairs: int
    n_possible: int
    mean: Beside  # mean absolute difference from the records
    largest: Beside
    worst: tuple[Pair, ...]  # furthest first


def associations(compared: Compared, seed: int) -> Associations | None:
    """Differences of association over all pairs of columns, or 4,000; None if none can be told."""
    train = compared.train
    chosen = subsets(len(train.names), 2, MOST_PAIRS, seed) if len(train.names) > 1 else []
    real = np.array([association(train, a, b) for a, b in chosen])
    told = [i for i in range(len(chosen)) if not np.isnan(real[i])]
    if not told:
        return None

    def differences(table: Table) -> Floats:
        # What a table cannot tell, as when a column has one level there, does not go together.
        found = np.nan_to_num([association(table, *chosen[i]) for i in told])
        return found - real[told]

    found = compared.each(differences)
    worst = np.argsort(-np.abs(found["synthetic"]), kind="stable")[:N_WORST]
    return Associations(
        n_pairs=len(told),
        n_possible=len(train.names) * (len(train.names) - 1) // 2,
        mean=beside({name: np.abs(far).mean() for name, far in found.items()}),
        largest=beside({name: np.abs(far).max() for name, far in found.items()}),
        worst=tuple(
            _pair(train, chosen[told[i]], real[told[i]], found["synthetic"][i]) for i in worst
        ),
    )


def _pair(train: Table, columns: Columns, real: float, difference: float) -> Pair:
    a, b = columns
    return Pair(
        columns=(train.names[a], train.names[b]),
        measure=measure_of(train, a, b),
        real=float(real),
        synthetic=float(real + difference),
    )


def measure_of(table: Table, a: int, b: int) -> Measure:
    """Which measure the kinds of two columns ask for."""
    numbers = [table.kinds[i] is Kind.NUMERIC for i in (a, b)]
    if all(numbers):
        return Measure.PEARSON
    return Measure.CORRELATION_RATIO if any(numbers) else Measure.CRAMERS_V


def association(table: Table, a: int, b: int) -> float:
    """The association of two columns in a table, NaN where it has no answer."""
    measure = measure_of(table, a, b)
    if measure is Measure.PEARSON:
        return pearson(table.values[:, a], table.values[:, b])
    if measure is Measure.CRAMERS_V:
        return cramers_v(table.codes[:, a], table.codes[:, b], table.levels[a], table.levels[b])
    groups, numbers = (a, b) if table.kinds[b] is Kind.NUMERIC else (b, a)
    return correlation_ratio(table.codes[:, groups], table.values[:, numbers])


def cramers_v(a: Ints, b: Ints, n_a: int, n_b: int) -> float:
    """Cramér's V corrected for bias, from 0 to 1; NaN if either has fewer than two levels."""
    counts = np.bincount(a.astype(np.int64) * n_b + b, minlength=n_a * n_b).reshape(n_a, n_b)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    (rows, columns), n = counts.shape, len(a)
    if min(rows, columns) < 2 or n < 2:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = float(((counts - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    left = [k - (k - 1) ** 2 / (n - 1) for k in (rows, columns)]
    return min(float(np.sqrt(phi2 / (min(left) - 1))), 1.0) if min(left) > 1 else float("nan")


def correlation_ratio(groups: Ints, numbers: Floats) -> float:
    """The root of the part of a number's variance that groups explain, corrected, from 0 to 1."""
    there = ~np.isnan(numbers)
    groups, numbers = groups[there], numbers[there]
    n = np.bincount(groups)
    k = np.count_nonzero(n)
    if k < 2 or len(numbers) <= k:
        return float("nan")
    centred = numbers - numbers.mean()
    total = float(centred @ centred)
    if not total:
        return float("nan")
    sums = np.bincount(groups, weights=centred)
    between = float((sums[n > 0] ** 2 / n[n > 0]).sum())
    unexplained = (1 - between / total) * (len(numbers) - 1) / (len(numbers) - k)
    return float(np.sqrt(max(0.0, 1 - unexplained)))


def pearson(a: Floats, b: Floats) -> float:
    """Pearson's correlation over the rows that have both; NaN if either does not vary there."""
    there = ~(np.isnan(a) | np.isnan(b))
    if np.count_nonzero(there) < 2:
        return float("nan")
    a, b = (x[there] - x[there].mean() for x in (a, b))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")
