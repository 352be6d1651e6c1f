"""How far a count may be from its share by chance alone.

The limit is Chernoff's and Hoeffding's: of n rows, each with the chance p, a part q or one further
from p comes out with at most the chance exp(-n D), where D = q ln(q/p) + (1-q) ln((1-q)/(1-p)). It
holds for every n and p, and for draws without replacement too; no normal approximation is made. A
share of 0 or 1 is met exactly.

References
----------
Hoeffding (1963), Journal of the American Statistical Association 58(301), 13-30.
"""

from __future__ import annotations

import math

RARE = 1e-6  # an honest count is called unlikely once in a million times at most


def divergence(q: float, p: float) -> float:
    """The relative entropy of a part q to a chance p; without limit where p rules q out."""
    if (p <= 0 and q > 0) or (p >= 1 and q < 1):
        return math.inf
    left = q * math.log(q / p) if q > 0 else 0.0
    right = (1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0
    return left + right


def unlikely(count: int, n: int, lowest: float, highest: float | None = None) -> bool:
    """Whether chance alone hardly gives `count` of `n` rows, for a share or any of a range."""
    if not n:
        return bool(count)
    part, highest = count / n, lowest if highest is None else highest
    nearest = min(max(part, lowest), highest)
    return n * divergence(part, nearest) > math.log(2 / RARE)
