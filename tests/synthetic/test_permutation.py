"""A keyed permutation is a bijection for every size, and leads back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.generation.draws import stream
from synthetic.generation.permutation import permute, unpermute

DRAWS = stream(1, "permutation")


@given(st.integers(1, 3000), st.integers(0, 1000))
def test_every_value_is_met_once(n, key):
    values = np.arange(n)
    assert np.array_equal(np.sort(permute(DRAWS, key, values, n)), values)


@given(st.integers(1, 2**40), st.integers(0, 1000), st.data())
def test_the_inverse_leads_back(n, key, data):
    values = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=20)))
    assert np.array_equal(unpermute(DRAWS, key, permute(DRAWS, key, values, n), n), values)


def test_many_permutations_at_once_are_those_of_each_alone():
    sizes, keys = np.array([5, 17, 1000, 1]), np.array([1, 2, 3, 4])
    values = np.array([3, 16, 999, 0])
    together = permute(DRAWS, keys, values, sizes)
    alone = [
        int(permute(DRAWS, int(k), np.array([v]), int(n))[0])
        for k, v, n in zip(keys, values, sizes, strict=True)
    ]
    assert together.tolist() == alone


def test_keys_give_different_orders():
    values = np.arange(1000)
    assert not np.array_equal(permute(DRAWS, 1, values, 1000), permute(DRAWS, 2, values, 1000))


def test_neighbours_do_not_stay_neighbours():
    out = permute(DRAWS, 1, np.arange(10_000), 10_000)
    # Of 9,999 neighbours about two stay next to each other by chance.
    assert (np.abs(np.diff(out)) == 1).sum() < 12


def test_a_value_outside_is_refused():
    with pytest.raises(ValueError, match="from 0 to n - 1"):
        permute(DRAWS, 1, np.array([5]), 5)


def test_nothing_to_permute_is_fine():
    assert permute(DRAWS, 1, np.array([], dtype=np.int64), 0).size == 0
