"""Drawing by weight from slots, and choosing one of two values: what a slower way would give."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.generation.alias import Alias
from synthetic.generation.draws import stream, words
from synthetic.generation.selection import either
from synthetic.generation.slots import Meant, Slots, weighted
from synthetic.generation.values import repeated

weights = st.integers(1, 5).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(0, 40), min_size=n, max_size=n).filter(any), min_size=1, max_size=4
    )
)


@given(weights)
def test_slots_hold_the_exact_shares(rows):
    table = weighted(rows)
    assert isinstance(table, Slots)
    for context, row in enumerate(rows):
        held = table.held[table.first[context] : table.first[context + 1]].tolist()
        for category, weight in enumerate(row):
            assert Fraction(held.count(category), len(held)) == Fraction(weight, sum(row))


@given(weights, st.integers(0, 2**64 - 1))
def test_a_word_picks_the_slot_that_its_high_half_falls_on(rows, seed):
    word = words(stream(seed, "slots"), np.arange(200))
    context = np.arange(200) % len(rows)
    drawn = weighted(rows).draw(word, context)
    for one, where, found in zip(word.tolist(), context.tolist(), drawn.tolist(), strict=True):
        at = Fraction(one >> 32, 1 << 32) * sum(rows[where])
        assert found == sum(total <= at for total in np.cumsum(rows[where]).tolist())
    assert (weighted(rows).draw(word | np.uint64(0xFFFFFFFF), context) == drawn).all()
    assert (weighted(rows[:1]).draw(word) == weighted(rows[:1]).draw(word, context * 0)).all()


def test_sums_that_share_no_divisor_have_slots_of_their_own():
    rows = [[1, 2, 5], [3, 10, 0], [0, 0, 997], [331, 331, 2]]
    table = weighted(rows)
    assert isinstance(table, Slots)
    assert np.diff(table.first).tolist() == [8, 13, 1, 664]
    word = words(stream(1, "slots"), np.arange(80_000))
    for context, row in enumerate(rows):
        drawn = table.draw(word, np.full(len(word), context))
        share = np.bincount(drawn, minlength=3) / len(word)
        # 80,000 draws: a standard deviation of a share is at most 0.0018.
        assert np.abs(share - np.array(row) / sum(row)).max() < 5 * 0.0018


def test_many_slots_become_an_alias_table_with_the_same_meanings():
    meanings = np.array([30, 10, 20])
    few, many = (weighted([[1, n, 1], [0, 1, 0]], meanings) for n in (2, 99_991))
    assert isinstance(few, Slots)
    assert isinstance(many, Meant)
    assert isinstance(weighted([[1, 99_991]]), Alias)
    assert (few.uses_low_half, many.uses_low_half) == (False, True)
    word = words(stream(1, "slots"), np.arange(2000))
    for table in (few, many):
        assert set(table.draw(word, np.zeros(2000, dtype=np.int64)).tolist()) <= {10, 20, 30}
        assert set(table.draw(word, np.ones(2000, dtype=np.int64)).tolist()) == {10}


@pytest.mark.parametrize("rows", [[[0, 0]], [[1, 2], [0, 0]], [[-1, 2]]])
def test_weights_that_cannot_be_drawn_by_are_refused(rows):
    with pytest.raises(ValueError, match="weights must be zero or more, and not all zero"):
        weighted(rows)


arrays = st.sampled_from([np.int64, np.uint64, np.bool_, np.int8])


@given(st.integers(0, 300), st.floats(0, 1), arrays, arrays, st.integers(0, 99))
def test_either_gives_what_where_gives(n, share, one, other, seed):
    random = np.random.default_rng(seed)
    chosen = random.random(n) < share
    yes = random.integers(-(2**62), 2**62, n).astype(one)
    no = random.integers(-(2**62), 2**62, n).astype(other)
    found = either(chosen, yes, no)
    assert found.dtype == np.where(chosen, yes, no).dtype
    assert (found == np.where(chosen, yes, no)).all()
    if n:
        alike = repeated(no[:1], n)
        assert (either(chosen, yes, alike) == np.where(chosen, yes, alike)).all()
        assert (either(chosen, alike, yes) == np.where(chosen, alike, yes)).all()
    assert no.flags.owndata or not n
