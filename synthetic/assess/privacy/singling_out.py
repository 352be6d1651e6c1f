"""Singling out: predicates that fit one synthetic row, and whether they fit one record too.

Whether a predicate fits just one record depends on how many records there are. A holdout at least
as large as the training part is thinned to its size. Against a smaller one the control is what
the same share would be had the records of both been dealt to them at random: exact, but a leaked
record counts in it as well, so that a small leak shows as a smaller risk.
"""

from __future__ import annotations

import math

import numpy as np

from synthetic.assess.privacy import predicates as making
from synthetic.assess.privacy.attack import Attack, Estimate, Name
from synthetic.assess.privacy.intervals import Z, risk_between, share_of_rest, wilson
from synthetic.assess.privacy.predicates import Predicate
from synthetic.assess.tables import Tables

COLUMNS_KNOWN = (3, 5, 7)


def singling_out(tables: Tables, n: int, rng: np.random.Generator) -> tuple[Attack, ...]:
    """Attacks by one column and by several columns at once."""
    lone = making.of_one_column(tables.synthetic)
    lone = [lone[i] for i in rng.permutation(len(lone))[:n]]
    found = [_attack(tables, lone, "1 column", making.at_random(tables.synthetic, n, 1, rng))]
    for known in (k for k in COLUMNS_KNOWN if k <= len(tables.train.names)):
        several = making.of_columns(tables.synthetic, n, known, rng)
        guesses = making.at_random(tables.synthetic, n, known, rng)
        found.append(_attack(tables, several, f"{known} columns", guesses))
    return tuple(found)


def _attack(
    tables: Tables, learnt: list[Predicate], variant: str, guesses: list[Predicate]
) -> Attack:
    train = np.ascontiguousarray(tables.train.values.T)
    fits, by_chance = making.counts(learnt, train), making.counts(guesses, train)
    rate = wilson(int(np.sum(fits == 1)), len(learnt))
    control, risk = None, None
    if tables.holdout is not None and learnt:
        others = making.counts(learnt, np.ascontiguousarray(tables.holdout.values.T))
        sizes = len(tables.train), len(tables.holdout)
        control, risk = _against(rate, fits, others, *sizes)
    return Attack(
        name=Name.SINGLING_OUT,
        variant=variant,
        rate=rate,
        rate_control=control,
        rate_guess=wilson(int(np.sum(by_chance == 1)), len(guesses)),
        risk=risk,
        n=len(learnt),
    )


def _against(
    rate: Estimate, fits: np.ndarray, others: np.ndarray, n_train: int, n_holdout: int
) -> tuple[Estimate, Estimate | None]:
    """The control, and the risk over it."""
    if n_holdout < n_train:
        return _dealt(rate, just_one(fits + others, n_train, n_train + n_holdout))
    control = wilson(float(just_one(others, n_train, n_holdout).sum()), len(others))
    return control, risk_between(rate, control)


def _dealt(rate: Estimate, chances: np.ndarray) -> tuple[Estimate, Estimate | None]:
    """The control had all records been dealt at random, by each predicate's chance; the risk."""
    expected, n = float(chances.mean()), len(chances)
    half = Z * math.sqrt(float((chances * (1 - chances)).sum())) / n
    control = Estimate(expected, max(0.0, expected - half), min(1.0, expected + half))
    if expected >= 1:
        return control, None
    return control, share_of_rest(rate.value - expected, half, half, expected)


def just_one(fitting: np.ndarray, drawn: int, size: int) -> np.ndarray:
    """The chance that just one of the fitting records is among those drawn of all."""
    from scipy.stats import hypergeom

    kinds, place = np.unique(fitting, return_inverse=True)
    return hypergeom.pmf(1, size, kinds, drawn)[place]
