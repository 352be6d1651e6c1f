"""Between (epsilon, delta) and rho of zero-concentrated differential privacy, rounded to be safe.

References
----------
Bun and Steinke (2016), arXiv 1605.02065; Canonne, Kamath and Steinke (2020), arXiv 2004.00010,
proposition 12.
"""

from __future__ import annotations

import math

_HALVINGS = 60
_ORDER_HALVINGS = 40
_SAFE = 1 - 1e-9  # what rounding of these formulas could amount to, and far more


def delta_of(rho: float, epsilon: float) -> float:
    """A delta for which rho implies (epsilon, delta); any order gives one, this is the least."""
    # The logarithm is convex in the order less one: its least is where its slope is zero. All
    # orders are safe, so that it need not be met exactly.
    low, high = -20.0, 30.0
    for _ in range(_ORDER_HALVINGS):
        middle = (low + high) / 2
        over_one = math.exp(middle)
        slope = (2 * over_one + 1) * rho - epsilon + middle - math.log1p(over_one)
        low, high = (middle, high) if slope < 0 else (low, middle)
    return math.exp(min(_log_delta(rho, epsilon, (low + high) / 2), 0.0))


def _log_delta(rho: float, epsilon: float, log_order: float) -> float:
    over_one = math.exp(log_order)  # the order less one
    order = 1 + over_one
    return (
        over_one * (order * rho - epsilon) - log_order + order * (log_order - math.log1p(over_one))
    )


def rho_of(epsilon: float, delta: float) -> float:
    """The greatest rho that implies (epsilon, delta), a little less of it."""
    low, high = 0.0, 1.0
    while delta_of(high, epsilon) <= delta:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low * _SAFE


def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon that rho implies at this delta, a little more of it."""
    if rho == 0:
        return 0.0
    low, high = 0.0, 1.0
    while delta_of(rho, high) > delta:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if delta_of(rho, middle) <= delta else (middle, high)
    return high / _SAFE
