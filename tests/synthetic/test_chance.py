"""What chance alone hardly gives: the limit is right for every size and share, and not too wide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.evaluation.chance import RARE, divergence, unlikely

shares = st.floats(0.001, 0.999)


def tail(n, p, test):
    """The chance of the counts of n draws that pass a test, added up one by one."""
    return sum(
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(p)
            + (n - k) * math.log(1 - p)
        )
        for k in range(n + 1)
        if test(k)
    )


@given(st.integers(1, 400), shares)
def test_an_honest_count_is_called_unlikely_once_in_a_million_at_most(n, p):
    assert tail(n, p, lambda k: unlikely(k, n, p)) <= RARE


@given(st.integers(1000, 10**7), st.floats(0.01, 0.99))
def test_six_and_a_half_standard_deviations_are_always_unlikely(n, p):
    """The limit is that of a normal count, 5.4 deviations, where the counts are many."""
    away = math.ceil(6.5 * math.sqrt(n * p * (1 - p)))
    if min(p, 1 - p) * n > 500:
        assert unlikely(round(n * p) + away, n, p)
        assert unlikely(round(n * p) - away, n, p)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_share_of_none_or_all_is_met_exactly(n, k):
    assert not unlikely(0, n, 0.0)
    assert not unlikely(n, n, 1.0)
    assert unlikely(min(k, n), n, 0.0)
    assert unlikely(n - min(k, n), n, 1.0)


@given(st.integers(100, 10_000), shares, shares)
def test_a_range_lets_through_what_one_of_its_shares_would(n, a, b):
    low, high = sorted((a, b))
    for p in (low, (low + high) / 2, high):
        assert not unlikely(round(n * p), n, low, high)


def test_nothing_among_no_rows_is_no_news():
    assert not unlikely(0, 0, 0.5)


@given(shares, shares)
def test_the_divergence_is_zero_at_the_share_and_nowhere_else(q, p):
    assert divergence(p, p) == pytest.approx(0, abs=1e-12)
    assert divergence(q, p) >= 2 * (q - p) ** 2 - 1e-12  # Pinsker


def test_draws_without_replacement_keep_the_limit():
    rng = np.random.default_rng(1)
    found = rng.hypergeometric(600, 1400, 500, size=200_000)
    assert not any(unlikely(int(k), 500, 0.3) for k in np.unique(found))
