"""Linkability: two sources know different columns of a person; do the synthetic rows join them?"""

from __future__ import annotations

import numpy as np

from synthetic.assess.privacy.attack import Attack, Name
from synthetic.assess.privacy.intervals import risk_between, wilson
from synthetic.assess.privacy.neighbours import Seen, Split
from synthetic.assess.tables import Table, Tables

_RANDOM = 1  # halves drawn by chance, beside those that know about equally much


def splits(table: Table, rng: np.random.Generator) -> tuple[Split, ...]:
    """Halves of the columns: the most telling dealt in turn, then drawn at random."""
    if len(table.names) < 2:
        return ()
    telling = [_entropy(table.codes[:, column]) for column in range(len(table.names))]
    orders = [np.argsort(telling)[::-1], *(rng.permutation(len(telling)) for _ in range(_RANDOM))]
    found = [(_sorted(order[0::2]), _sorted(order[1::2])) for order in orders]
    return tuple(dict.fromkeys(found))


def _sorted(columns: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(int(column) for column in columns))


def _entropy(codes: np.ndarray) -> float:
    counts = np.unique(codes, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def linkability(
    tables: Tables, halves: tuple[Split, ...], train: Seen, holdout: Seen | None
) -> tuple[Attack, ...]:
    """How many records have one synthetic row that is closest by either half of the columns."""
    found = []
    for index, half in enumerate(halves):
        rate = wilson(int(train.linked[:, index].sum()), len(train.linked))
        control = None
        if holdout is not None:
            control = wilson(int(holdout.linked[:, index].sum()), len(holdout.linked))
        variant = " | ".join(", ".join(tables.train.names[c] for c in side) for side in half)
        found.append(
            Attack(
                name=Name.LINKABILITY,
                variant=variant,
                rate=rate,
                rate_control=control,
                rate_guess=wilson(len(train.linked) / len(tables.synthetic), len(train.linked)),
                risk=risk_between(rate, control),
                n=len(train.linked),
            )
        )
    return tuple(found)
