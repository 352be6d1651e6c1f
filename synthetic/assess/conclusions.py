"""Whether an analyst of the synthetic table concludes what an analyst of the records does.

The analyses are ordinary ones, drawn from the columns: does a mean differ between the two largest
groups, in which order do the means of all groups stand, do two numbers rise together. A difference
or a correlation is significant where |z| is above 1.96. Tables with more rows than the records are
cut to as many, so that both could find as much.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from synthetic.assess.associations import pearson
from synthetic.assess.tables import Kind, Table
from synthetic.assess.yardsticks import Compared

MOST_ANALYSES = 300
MOST_GROUPS = 10
LEAST_IN_GROUP = 30  # records
N_WORST = 10
_Z = 1.96  # two-sided, 5 %
Floats = npt.NDArray[np.float64]


class Question(StrEnum):
    """What an analysis asks."""

    DIFFERENCE = "difference of two groups"
    ORDER = "order of group means"
    CORRELATION = "sign of a correlation"


class Answer(StrEnum):
    """How the answer of another table stands beside that of the records."""

    SAME = "same"
    WRONG_SIGN = "wrong sign"  # significant in both, the other way round
    LOST = "lost"  # significant in the records alone
    INVENTED = "invented"  # significant in the other table alone


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One analysis, and what the synthetic table answers."""

    question: Question
    columns: tuple[str, str]  # of groups and of their mean, or two numbers
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How many analyses have which answer."""

    same: int
    wrong_sign: int
    lost: int
    invented: int


@dataclass(frozen=True, kw_only=True)
class Conclusions:
    """All analyses."""

    n_analyses: int
    n_possible: int
    n_by_question: Mapping[Question, int]
    synthetic: Agreement
    bootstrap: Agreement
    holdout: Agreement | None
    shuffled: Agreement
    different: tuple[Analysis, ...]  # wrong signs first, at most 10


Asked = tuple[Question, int, int]


def conclusions(compared: Compared, seed: int) -> Conclusions | None:
    """The answers of all analyses, or of 300; None where the columns give none."""
    every = _analyses(compared.train)
    if not every:
        return None
    rng = np.random.default_rng([seed, 7])
    asked = every
    if len(every) > MOST_ANALYSES:
        asked = [every[i] for i in sorted(rng.choice(len(every), MOST_ANALYSES, replace=False))]
    real = [_scores(compared.train, compared.train, one) for one in asked]

    def answers(table: Table) -> list[Answer]:
        if len(table) > len(compared.train):
            rows = np.random.default_rng([seed, 8]).permutation(len(table))
            table = table.take(rows[: len(compared.train)])
        other = [_scores(table, compared.train, one) for one in asked]
        return [_answer(*three) for three in zip(asked, real, other, strict=True)]

    found = compared.each(answers)
    names = compared.train.names
    told = [
        Analysis(question=q, columns=(names[a], names[b]), answer=answer)
        for (q, a, b), answer in zip(asked, found["synthetic"], strict=True)
        if answer is not Answer.SAME
    ]
    worst = list(Answer)
    return Conclusions(
        n_analyses=len(asked),
        n_possible=len(every),
        n_by_question=Counter(q for q, _, _ in asked),
        synthetic=_agreement(found["synthetic"]),
        bootstrap=_agreement(found["bootstrap"]),
        holdout=_agreement(found["holdout"]) if "holdout" in found else None,
        shuffled=_agreement(found["shuffled"]),
        different=tuple(sorted(told, key=lambda one: worst.index(one.answer))[:N_WORST]),
    )


def _agreement(answers: list[Answer]) -> Agreement:
    counts = Counter(answers)
    return Agreement(**{answer.name.lower(): counts[answer] for answer in Answer})


def _analyses(train: Table) -> list[Asked]:
    places = range(len(train.names))
    numbers = [i for i in places if train.kinds[i] is Kind.NUMERIC and _varies(train, i)]
    outcomes = numbers + [i for i in places if _is_binary(train, i)]
    found: list[Asked] = []
    for a, b in itertools.product(places, outcomes):
        groups = _groups(train, a)
        if a == b or train.kinds[a] is Kind.NUMERIC or not 2 <= len(groups) <= MOST_GROUPS:
            continue
        found.append((Question.DIFFERENCE, a, b))
        if len(groups) > 2:
            found.append((Question.ORDER, a, b))
    return found + [(Question.CORRELATION, a, b) for a, b in itertools.combinations(numbers, 2)]


def _varies(train: Table, place: int) -> bool:
    values = train.values[:, place]
    values = values[~np.isnan(values)]
    return len(values) > 0 and values.min() < values.max()


def _is_binary(train: Table, place: int) -> bool:
    return train.kinds[place] is Kind.CATEGORICAL and len(_there(train, place)) == 2


def _there(train: Table, place: int) -> npt.NDArray[np.intp]:
    """The levels that records have, "no value" apart, the commonest first."""
    counts = np.bincount(train.codes[:, place], minlength=train.levels[place])[:-1]
    order = np.argsort(-counts, kind="stable")
    return order[counts[order] > 0]


def _groups(train: Table, place: int) -> npt.NDArray[np.intp]:
    """The levels with 30 records and more, the commonest first."""
    counts = np.bincount(train.codes[:, place], minlength=train.levels[place])
    levels = _there(train, place)
    return levels[counts[levels] >= LEAST_IN_GROUP]


def _outcome(table: Table, train: Table, place: int) -> Floats:
    """A number as it is; of two categories 1 for the commoner; NaN for no value."""
    if train.kinds[place] is Kind.NUMERIC:
        return table.values[:, place]
    codes = table.codes[:, place]
    is_first = (codes == _there(train, place)[0]).astype(np.float64)
    return np.where(codes == table.levels[place] - 1, np.nan, is_first)


def _scores(table: Table, train: Table, asked: Asked) -> Floats:
    """The z scores that answer an analysis: of each pair of groups, or of a correlation."""
    question, a, b = asked
    if question is Question.CORRELATION:
        return _of_correlation(table.values[:, a], table.values[:, b])
    groups = _groups(train, a)
    if question is Question.DIFFERENCE:
        groups = groups[:2]
    return _of_differences(table.codes[:, a], _outcome(table, train, b), groups)


def _of_correlation(a: Floats, b: Floats) -> Floats:
    """Fisher's z of Pearson's correlation, in standard errors."""
    n = np.count_nonzero(~(np.isnan(a) | np.isnan(b)))
    correlation = float(np.clip(pearson(a, b), -1 + 1e-12, 1 - 1e-12))
    return np.nan_to_num(np.array([np.arctanh(correlation) * np.sqrt(max(int(n) - 3, 0))]))


def _of_differences(
    codes: npt.NDArray[np.int32], numbers: Floats, groups: npt.NDArray[np.intp]
) -> Floats:
    """Welch's statistic of each pair of groups; 0 where a group is too small to have one."""
    there = ~np.isnan(numbers)
    codes, numbers = codes[there], numbers[there]
    n = np.bincount(codes, minlength=int(groups.max()) + 1)[groups].astype(np.float64)
    centred = numbers - (numbers.mean() if len(numbers) else 0.0)
    sums, squares = (
        np.bincount(codes, weights=centred**power, minlength=int(groups.max()) + 1)[groups]
        for power in (1, 2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / n
        error2 = np.maximum(squares / n - mean**2, 0) / (n - 1)
        first, second = np.triu_indices(len(groups), 1)
        z = (mean[first] - mean[second]) / np.sqrt(error2[first] + error2[second])
    return np.nan_to_num(z, posinf=np.finfo(float).max, neginf=np.finfo(float).min)


def _answer(asked: Asked, real: Floats, other: Floats) -> Answer:
    is_real, is_other = np.abs(real) > _Z, np.abs(other) > _Z
    turned = np.sign(real) != np.sign(other)
    if (is_real & is_other & turned).any():
        return Answer.WRONG_SIGN
    if asked[0] is Question.ORDER:  # the same, if no two groups that differ change places
        return Answer.LOST if (is_real & turned).any() else Answer.SAME
    if (is_real & ~is_other).any():
        return Answer.LOST
    return Answer.INVENTED if (~is_real & is_other).any() else Answer.SAME
