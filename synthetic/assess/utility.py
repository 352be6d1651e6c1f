"""What a model learns from the synthetic table, tested on records, beside what records teach.

Trees grown by histograms where the target has up to three classes, else a logistic regression on
one-hot levels: many classes would need as many trees each round. Both see the same columns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from synthetic.assess.ranking import mean_areas
from synthetic.assess.tables import Kind, Table, Tables
from synthetic.assess.yardsticks import drawn_again
from synthetic.errors import AssessError, nearest

MOST_TARGETS = 6
MOST_CLASSES = 10  # of a target that nobody named
MOST_LEARNT = 40_000  # rows that a model learns from
MOST_TESTED = 20_000
LEAST_TESTED = 20  # test rows of a class, for it to count
N_DRAWS = 200
_FEW_CLASSES = 3  # for trees
_MOST_CODED = 255  # levels that the trees can tell apart
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval, by drawing the test rows again."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One target, predicted by the same model from two tables."""

    target: str
    model: str
    n_classes: int  # that are scored
    is_above_median: bool  # a number: whether it is above the median of the records
    auc_synthetic: Interval  # one class against the rest, mean over classes
    auc_real: Interval
    auc_lost: Interval  # real - synthetic, on the same draws
    auc_majority: float  # of always answering the commonest class
    accuracy_synthetic: float
    accuracy_real: float
    accuracy_majority: float


@dataclass(frozen=True, kw_only=True)
class Utility:
    """Predictions of several targets."""

    predictions: tuple[Prediction, ...]
    n_suitable: int  # columns that could have been targets
    is_tested_on_holdout: bool  # else on a fifth of `train`, which the synthetic rows come from
    mean_auc_synthetic: float
    mean_auc_real: float


def utility(tables: Tables, targets: Sequence[str], seed: int) -> Utility | None:
    """Train on synthetic and test on real, for each target; None if there is none to predict.

    Raises
    ------
    AssessError
        If a named target is no column, or cannot be predicted.
    """
    rng = np.random.default_rng([seed, 6])
    learnt, test = _split(tables, rng)
    synthetic = _some(tables.synthetic, MOST_LEARNT, rng)
    suitable = _suitable(learnt, test)
    chosen = [_place(tables.train, name) for name in targets] or suitable[:MOST_TARGETS]
    if len(tables.train.names) < 2:
        chosen = []
    weights = _weights(test, rng)
    predictions = [_predict(place, learnt, synthetic, test, weights) for place in chosen]
    if not predictions:
        return None
    return Utility(
        predictions=tuple(predictions),
        n_suitable=len(suitable),
        is_tested_on_holdout=tables.holdout is not None,
        mean_auc_synthetic=float(np.mean([p.auc_synthetic.value for p in predictions])),
        mean_auc_real=float(np.mean([p.auc_real.value for p in predictions])),
    )


def _split(tables: Tables, rng: np.random.Generator) -> tuple[Table, Table]:
    """What the real model learns from, and the test rows; whole units, where there are units."""
    if tables.holdout is not None:
        test = tables.holdout
        return _some(tables.train, MOST_LEARNT, rng), _some(test, MOST_TESTED, rng)
    train = tables.train
    units = np.arange(len(train)) if train.units is None else train.units
    every, of = np.unique(units, return_inverse=True)
    is_test = rng.permutation(len(every))[of] < len(every) / 5
    learnt, test = train.take(np.flatnonzero(~is_test)), train.take(np.flatnonzero(is_test))
    return _some(learnt, MOST_LEARNT, rng), _some(test, MOST_TESTED, rng)


def _some(table: Table, most: int, rng: np.random.Generator) -> Table:
    if len(table) <= most:
        return table
    return table.take(np.sort(rng.choice(len(table), most, replace=False)))


def _weights(test: Table, rng: np.random.Generator) -> Floats:
    """How often each test row stands in each draw; the first draw is the test rows themselves."""
    n = len(test)
    drawn = [np.bincount(drawn_again(test, n, rng), minlength=n) for _ in range(N_DRAWS)]
    return np.array([np.ones(n), *drawn])


def _suitable(learnt: Table, test: Table) -> list[int]:
    """Categories of two to ten classes, of which at least two are in the test rows often enough."""
    return [
        i
        for i, kind in enumerate(learnt.kinds)
        if kind is Kind.CATEGORICAL
        and 2 <= len(np.unique(learnt.codes[:, i])) <= MOST_CLASSES
        and len(_scored(test.codes[:, i])) >= 2
    ]


def _scored(answers: npt.NDArray[np.integer]) -> list[int]:
    return [int(k) for k in np.flatnonzero(np.bincount(answers) >= LEAST_TESTED)]


def _place(table: Table, name: str) -> int:
    if name not in table.names:
        raise AssessError(f"--target {name!r} is not compared; {nearest(name, table.names)}")
    return table.names.index(name)


def _predict(
    place: int, learnt: Table, synthetic: Table, test: Table, weights: Floats
) -> Prediction:
    answers = _answers(place, learnt)
    known, told = answers(learnt), answers(test)
    classes = _scored(told)
    if len(classes) < 2:
        raise AssessError(
            f"--target {learnt.names[place]!r}: fewer than two of its classes have "
            f"{LEAST_TESTED} test rows; choose another column"
        )
    n_classes = int(max(known.max(), told.max(), answers(synthetic).max())) + 1
    fit = _trees if len(classes) <= _FEW_CLASSES else _logistic
    scores = [fit(table, place, answers(table), test, n_classes) for table in (synthetic, learnt)]
    drawn = [mean_areas(one, told, classes, weights) for one in scores]
    common = int(np.bincount(known).argmax())
    return Prediction(
        target=learnt.names[place],
        model="logistic regression" if fit is _logistic else "gradient-boosted trees",
        n_classes=len(classes),
        is_above_median=learnt.kinds[place] is Kind.NUMERIC,
        auc_synthetic=_interval(drawn[0]),
        auc_real=_interval(drawn[1]),
        auc_lost=_interval(drawn[1] - drawn[0]),
        auc_majority=0.5,
        accuracy_synthetic=float(np.mean(scores[0].argmax(axis=1) == told)),
        accuracy_real=float(np.mean(scores[1].argmax(axis=1) == told)),
        accuracy_majority=float(np.mean(told == common)),
    )


def _answers(place: int, learnt: Table) -> Callable[[Table], Ints]:
    """What gives a table's classes: its categories, or whether a number is above the median."""
    if learnt.kinds[place] is Kind.CATEGORICAL:
        return lambda table: table.codes[:, place].astype(np.int64)
    values = learnt.values[:, place]
    median = np.median(values[~np.isnan(values)]) if not np.isnan(values).all() else 0.0
    return lambda table: (table.values[:, place] > median).astype(np.int64)


def _interval(drawn: Floats) -> Interval:
    low, high = np.nanquantile(drawn[1:], [0.025, 0.975])
    return Interval(value=float(drawn[0]), low=float(low), high=float(high))


def _others(table: Table, place: int) -> list[int]:
    return [i for i in range(len(table.names)) if i != place]


def _trees(table: Table, place: int, answers: Ints, test: Table, n_classes: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = _others(table, place)
    coded = [table.kinds[i] is Kind.CATEGORICAL and table.levels[i] <= _MOST_CODED for i in columns]
    model = HistGradientBoostingClassifier(random_state=0, categorical_features=coded)
    return _fitted(model, table.values[:, columns], answers, test.values[:, columns], n_classes)


def _logistic(table: Table, place: int, answers: Ints, test: Table, n_classes: int) -> Floats:
    from sklearn.linear_model import LogisticRegression

    columns = _others(table, place)
    levels = [table.levels[i] for i in columns]
    model = LogisticRegression(max_iter=100, C=1.0, tol=1e-3)
    return _fitted(
        model,
        _one_hot(table.codes[:, columns], levels),
        answers,
        _one_hot(test.codes[:, columns], levels),
        n_classes,
    )


def _one_hot(codes: npt.NDArray[np.int32], levels: Sequence[int]) -> Any:
    """A sparse matrix with one place for each level of each column."""
    from scipy.sparse import csr_array

    starts = np.cumsum([0, *levels])
    n, width = codes.shape
    at = (codes + starts[:-1]).ravel()
    rows = np.arange(0, n * width + 1, width)
    return csr_array((np.ones(n * width), at, rows), shape=(n, int(starts[-1])))


def _fitted(model: Any, given: Any, answers: Ints, asked: Any, n_classes: int) -> Floats:
    """The probability of every class in each asked row; a class that was never seen has none."""
    found = np.zeros((asked.shape[0], n_classes))
    seen = np.unique(answers)
    if len(seen) == 1:
        found[:, seen[0]] = 1.0
        return found
    with warnings.catch_warnings():
        # A hundred steps of the logistic regression rank rows well, whether or not it converged.
        warnings.simplefilter("ignore")
        # More threads spin on a busy machine: seven times the processor time, and no faster.
        with threadpool_limits(1):
            model.fit(given, answers)
            found[:, seen] = model.predict_proba(asked)
    return found
