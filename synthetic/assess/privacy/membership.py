"""Membership inference: was a known record in training? Three scores, each higher for a member.

`closest record`: how close the closest synthetic row is. `density ratio`: how much closer it is
than the closest record of the reference part, which was in no training: the two densities as one
nearest neighbour tells them. `pair ratio`: how much commoner its pairs of values are among synthetic rows than among those,
which is where a generator that is fitted to pairs would leak. Ratios of densities as in van
Breugel et al. (2023), AISTATS, PMLR 206 (DOMIAS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic.assess.privacy.attack import Attack, Name
from synthetic.assess.privacy.intervals import auc_of, known, risk_between, wilson

FALSE_POSITIVES = 0.01
_COPY = 1000  # millionths of a column within which a row is as good as a copy


@dataclass(frozen=True, eq=False)
class Scores:
    """One score of members and of others."""

    variant: str
    members: np.ndarray
    others: np.ndarray


def density_ratio(to_synthetic: np.ndarray, to_reference: np.ndarray) -> np.ndarray:
    """The logarithm of the distances' ratio, which ranks as the ratio of densities does."""
    return np.log((to_reference + _COPY) / (to_synthetic + _COPY))


def membership(scores: Scores) -> tuple[Attack, Attack]:
    """The AUC of a score, and the share of members found at 1 % of false positives."""
    n, m = len(scores.members), len(scores.others)
    half, allowed = known(0.5), wilson(FALSE_POSITIVES * m, m)
    auc = auc_of(scores.members, scores.others)
    found = wilson(found_at(scores.members, scores.others, FALSE_POSITIVES) * n, n)
    return (
        Attack(
            name=Name.AUC,
            variant=scores.variant,
            rate=auc,
            rate_control=half,
            rate_guess=half,
            risk=risk_between(auc, half),
            n=n,
        ),
        Attack(
            name=Name.TPR,
            variant=scores.variant,
            rate=found,
            rate_control=allowed,
            rate_guess=known(FALSE_POSITIVES),
            risk=risk_between(found, allowed),
            n=n,
        ),
    )


def found_at(members: np.ndarray, others: np.ndarray, share: float) -> float:
    """The share of members above a threshold that this share of others pass; ties by lot."""
    cuts = np.unique(np.concatenate([members, others]))[::-1]
    rates = [
        np.concatenate([[0.0], 1 - np.searchsorted(np.sort(part), cuts, "left") / len(part)])
        for part in (others, members)
    ]
    # Where several thresholds let the same share of others pass, the last finds most members.
    last = np.flatnonzero(rates[0] <= share)[-1]
    if last == len(cuts):
        return 1.0
    x, y = rates[0][last : last + 2], rates[1][last : last + 2]
    return float(y[0] + (share - x[0]) / (x[1] - x[0]) * (y[1] - y[0]))
