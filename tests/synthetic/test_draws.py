"""Words are a function of (stream, row) alone, and look like chance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.generation.draws import Stream, below, mixed, stream, words, words_of


@given(st.integers(0, 2**63 - 1), st.lists(st.integers(0, 2**40), min_size=1, max_size=50))
def test_scattered_rows_get_the_words_of_a_range(seed, rows):
    draws = stream(seed, "a")
    together = words(draws, np.array(rows))
    assert together.tolist() == [int(words(draws, np.array([row]))[0]) for row in rows]


def test_the_first_words_never_change():
    # A change here changes every replica: raise synthetic.build.GENERATION with it.
    assert [hex(w) for w in words(stream(1, "population", "persons"), np.arange(3))] == [
        "0x1a3eb53b9de29b23",
        "0x762e42c2234c3934",
        "0x755550dc6053e338",
    ]


def test_names_are_not_run_together():
    assert stream(1, "ab", "c") != stream(1, "a", "bc")
    assert stream(1, "a") != stream(2, "a")


def test_lanes_of_a_word_are_even_and_apart():
    # Chi-square over 2**16 cells has mean 65535 and standard deviation 362: five of them either way.
    word = words(stream(7, "chi"), np.arange(2_000_000))
    for lane in range(4):
        part = (word >> np.uint64(16 * lane)) & np.uint64(0xFFFF)
        counts = np.bincount(part.astype(np.int64), minlength=1 << 16)
        expected = len(word) / (1 << 16)
        assert abs(((counts - expected) ** 2 / expected).sum() - 65535) < 5 * 362


def test_streams_whose_keys_differ_are_not_shifts_of_each_other():
    first = words(stream(1, "x"), np.arange(10_000))
    second = words(stream(1, "y"), np.arange(10_000))
    assert not set(first.tolist()) & set(second.tolist())


@pytest.mark.parametrize("stride", [1, 8, 8 * 3 * 256, 1 << 20])
def test_columns_of_the_same_rows_do_not_depend_on_each_other(stride):
    """Their words share the first mixing: pairs of bytes must be even all the same."""
    rows = mixed(np.arange(1_000_000) * stride)
    streams = [stream(7, "pairs", "a"), stream(7, "pairs", "b")]
    # Keys that no name was found for, and that differ in one bit alone.
    streams += [Stream(streams[0].key ^ 1), Stream(streams[0].key ^ 1 << 63)]
    first, *others = (words_of(one, rows).view(np.uint8).reshape(-1, 8) for one in streams)
    expected = len(rows) / (1 << 16)
    for other in others:
        for a, b in itertools.product((0, 3, 4, 7), (0, 3, 4, 7)):
            pairs = first[:, a].astype(np.int64) * 256 + other[:, b]
            counts = np.bincount(pairs, minlength=1 << 16)
            assert abs(((counts - expected) ** 2 / expected).sum() - 65535) < 5 * 362


@given(st.integers(1, 2**31))
def test_below_stays_below(bound):
    drawn = below(words(stream(3, "b"), np.arange(200)), bound)
    assert drawn.min() >= 0
    assert drawn.max() < bound


def test_below_is_even():
    counts = np.bincount(below(words(stream(3, "c"), np.arange(70_000)), 7))
    # Each count has mean 10,000 and standard deviation 93.
    assert np.abs(counts - 10_000).max() < 5 * 93
