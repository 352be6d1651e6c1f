"""Whole numbers from shares: sums are exact and no share is off by a whole unit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.generation.alias import alias
from synthetic.generation.apportion import controlled, largest_remainder, rounded, systematic
from synthetic.generation.draws import stream, words

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)


@given(st.integers(0, 10**9), weights)
def test_largest_remainders_add_up_and_stay_near_their_quota(total, given_weights):
    shares = largest_remainder(total, given_weights)
    assert sum(shares) == total
    for share, weight in zip(shares, given_weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(given_weights))) < 1


@given(st.integers(0, 10**9), weights, st.integers(0, 10**6))
def test_equal_steps_add_up_and_every_run_has_its_due(total, given_weights, start):
    counts = systematic(np.array([total]), np.array([given_weights]), np.array([start]))[0]
    assert counts.sum() == total
    assert (counts >= 0).all()
    due = np.cumsum(given_weights) * Fraction(total, sum(given_weights))
    assert all(abs(int(got) - want) <= 1 for got, want in zip(np.cumsum(counts), due, strict=True))


@given(st.lists(st.fractions(0, 1000, max_denominator=1000), min_size=1, max_size=20))
def test_controlled_rounding_goes_up_or_down_only(quotas):
    total = rounded(sum(quotas))
    shares = controlled(total, quotas)
    assert sum(shares) == total
    assert all(abs(share - quota) < 1 for share, quota in zip(shares, quotas, strict=True))


def test_two_tables_that_disagree_are_brought_to_the_total():
    assert controlled(12, [Fraction(5), Fraction(5)]) == [6, 6]


def test_nothing_to_share_by_is_an_error_unless_there_is_nothing_to_share():
    assert largest_remainder(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="all zero"):
        largest_remainder(1, [0, 0])
    with pytest.raises(ValueError, match="all zero"):
        systematic(np.array([1]), np.array([[0, 0]]), np.array([0]))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60).filter(any))
def test_an_alias_table_holds_the_exact_shares(shares):
    table = alias([shares])
    n = len(shares)
    got = [Fraction(0)] * n
    for own in range(n):
        threshold, other = divmod(int(table.packed[own]), 1 << 32)
        kept = Fraction(threshold, 1 << 32)
        got[own] += kept / n
        got[other] += (1 - kept) / n
    for found, share in zip(got, shares, strict=True):
        # Each of n columns cuts its threshold to 32 bits.
        assert abs(found - Fraction(share, sum(shares))) <= Fraction(1, 1 << 32)


def test_alias_draws_follow_their_context():
    table = alias([[1, 3], [1, 0]])
    word = words(stream(1, "alias"), np.arange(40_000))
    first = table.draw(word, np.zeros(len(word), dtype=np.int64))
    # 40,000 draws with p = 3/4: standard deviation 87.
    assert abs(first.sum() - 30_000) < 5 * 87
    assert not table.draw(word, np.ones(len(word), dtype=np.int64)).any()
