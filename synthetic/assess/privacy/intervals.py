"""95 % intervals of rates, of the risk between two rates, of quantiles and of an AUC."""

from __future__ import annotations

import math

import numpy as np

from synthetic.assess.privacy.attack import Estimate

Z = 1.959963984540054  # the normal's 97.5 % quantile


def wilson(successes: float, n: int) -> Estimate:
    """A rate with Wilson's score interval (JASA 22, 1927); of no attacks it is 0, from 0 to 1."""
    if n == 0:
        return Estimate(0.0, 0.0, 1.0)
    rate, spread = successes / n, Z * Z / n
    middle = (rate + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(rate * (1 - rate) / n + spread / (4 * n))
    return Estimate(rate, min(rate, max(0.0, middle - half)), max(rate, min(1.0, middle + half)))


def known(value: float) -> Estimate:
    """A rate that is known, not measured."""
    return Estimate(value, value, value)


def risk_between(rate: Estimate, control: Estimate | None) -> Estimate | None:
    """The part of what could be lost that was lost, at most 1.

    The difference of the two rates has Newcombe's interval, the squares of the rates' own added
    (Statistics in Medicine 17, 1998, method 10); all of it is divided by what the control leaves.
    """
    if control is None or control.value >= 1:
        return None
    below = math.hypot(rate.value - rate.low, control.high - control.value)
    above = math.hypot(rate.high - rate.value, control.value - control.low)
    return share_of_rest(rate.value - control.value, below, above, control.value)


def share_of_rest(gain: float, below: float, above: float, control: float) -> Estimate:
    """A gain over a control, with what may be wanting below and above, as a share of the rest."""
    rest = 1 - control
    return Estimate(*(_bounded(part / rest) for part in (gain, gain - below, gain + above)))


def _bounded(share: float) -> float:
    return max(-1.0, min(1.0, share))


def quantile_of(values: np.ndarray, share: float) -> Estimate:
    """A quantile with the order statistics that hold it (binomial ranks)."""
    half = Z * math.sqrt(share * (1 - share) / len(values))
    return Estimate(
        float(np.quantile(values, share)),
        float(np.quantile(values, max(0.0, share - half), method="lower")),
        float(np.quantile(values, min(1.0, share + half), method="higher")),
    )


def auc_of(members: np.ndarray, others: np.ndarray) -> Estimate:
    """How often a member scores above another, ties half, with DeLong's interval.

    Sun and Xu (2014), IEEE Signal Processing Letters 21(11), 1389-1393. Fewer than two of
    either have no variance: the interval is then all that is possible.
    """
    from scipy.stats import rankdata

    n, m = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    above = (ranks[:n] - rankdata(members)) / m
    under = 1 - (ranks[n:] - rankdata(others)) / n
    auc = float(above.mean())
    if min(n, m) < 2:
        return Estimate(auc, 0.0, 1.0)
    half = Z * math.sqrt(above.var(ddof=1) / n + under.var(ddof=1) / m)
    return Estimate(auc, max(0.0, auc - half), min(1.0, auc + half))
