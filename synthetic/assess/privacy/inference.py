"""Attribute inference: all columns of a person but one are known; the closest row tells the rest.

A secret is guessed when its category or bin is, and missing is one of them.
"""

from __future__ import annotations

import numpy as np

from synthetic.assess.privacy.attack import Attack, Estimate, Name
from synthetic.assess.privacy.intervals import risk_between, wilson
from synthetic.assess.privacy.neighbours import Seen
from synthetic.assess.privacy.targets import Targets
from synthetic.assess.tables import Table, Tables


def inference(
    tables: Tables, chosen: Targets, train: Seen, holdout: Seen | None
) -> tuple[Attack, ...]:
    """Each column secret in turn; the guess without rows is the commonest answer of all."""
    found = []
    for column, name in enumerate(tables.train.names):
        rows = tables.train.codes[chosen.train, column]
        synthetic = tables.synthetic.codes[:, column]
        rate = _right(rows, synthetic[train.guesses[:, column]])
        control = None
        if holdout is not None and tables.holdout is not None:
            others = tables.holdout.codes[chosen.holdout, column]
            control = _right(others, synthetic[holdout.guesses[:, column]])
        found.append(
            Attack(
                name=Name.INFERENCE,
                variant=name,
                rate=rate,
                rate_control=control,
                rate_guess=_right(rows, np.full_like(rows, _commonest(tables.train, column))),
                risk=risk_between(rate, control),
                n=len(rows),
            )
        )
    return tuple(found)


def _right(secrets: np.ndarray, guesses: np.ndarray) -> Estimate:
    return wilson(int(np.count_nonzero(secrets == guesses)), len(secrets))


def _commonest(table: Table, column: int) -> int:
    return int(np.bincount(table.codes[:, column]).argmax())
