"""How a value varies from draw to draw."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

SHARE = 0.95  # of further draws that an interval is to hold


def spread(values: Sequence[Any]) -> dict[str, Any]:
    """Give the least, the greatest, the mean, the standard deviation and an interval of numbers.

    The interval is the 95 % prediction interval of Student's t: mean ± t(k-1) · sd · √(1 + 1/k)
    over k draws. If values are about normal over draws, that of one further draw of the same
    generator lies in it 19 times in 20. It tells what the generator's chance does to a value at
    this scale, and nothing of Viet Nam. Of one draw there is none; of values that are no numbers
    there is nothing to give.

    References
    ----------
    Hahn and Meeker (1991), Statistical Intervals, section 4.7.
    """
    numbers = [float(value) for value in values if is_number(value)]
    if not numbers or len(numbers) < len(values):
        return {"low": None, "high": None, "mean": None, "sd": None, "interval": None}
    mean, sd = statistics.mean(numbers), _sd(numbers)
    return {
        "low": min(numbers),
        "high": max(numbers),
        "mean": mean,
        "sd": sd,
        "interval": None if sd is None else _interval(mean, sd, len(numbers)),
    }


def is_number(value: Any) -> bool:
    """Whether a declared value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sd(numbers: Sequence[float]) -> float | None:
    try:
        return statistics.stdev(numbers) if len(numbers) > 1 else None
    except OverflowError:  # of numbers that nobody means
        return None


def _interval(mean: float, sd: float, n: int) -> list[float] | None:
    from scipy.special import stdtrit  # takes a moment to import

    half = float(stdtrit(n - 1, (1 + SHARE) / 2)) * sd * math.sqrt(1 + 1 / n)
    ends = [mean - half, mean + half]
    return ends if all(map(math.isfinite, ends)) else None
