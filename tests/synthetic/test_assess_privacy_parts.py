"""The parts of the privacy evaluation beside obvious slow ones, and beside published figures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from synthetic.assess.privacy.gower import UNIT, distances, points
from synthetic.assess.privacy.intervals import auc_of, quantile_of, risk_between, wilson
from synthetic.assess.privacy.membership import found_at
from synthetic.assess.privacy.neighbours import look
from synthetic.assess.privacy.pairs import pair_ratios
from synthetic.assess.privacy.predicates import counts, of_columns, of_one_column
from synthetic.assess.privacy.singling_out import just_one
from synthetic.assess.tables import Kind
from tests.synthetic.test_assess_privacy import KINDS, people, three


def gapped(n, seed):
    values = people(n, seed)
    values[::5, 0] = values[1::6, 3] = values[2::7, 2] = np.nan
    return values


@pytest.fixture
def tables():
    return three(gapped(25, 1), gapped(12, 2), gapped(40, 3))


def gower(tables, one, other, columns):
    """The definition, in shares of a column."""
    parts = tables.train, tables.holdout, tables.synthetic
    every = np.concatenate([part.values for part in parts])
    found = 0.0
    for column in columns:
        a, b = one[column], other[column]
        if np.isnan(a) or np.isnan(b):
            found += np.isnan(a) != np.isnan(b)
        elif KINDS[column] is Kind.NUMERIC:
            found += abs(a - b) / (np.nanmax(every[:, column]) - np.nanmin(every[:, column]))
        else:
            found += a != b
    return found


def test_distances_are_gowers_to_a_millionth_of_each_column(tables):
    train, _, synthetic = points(tables)
    for columns in (range(8), (0, 3), (1,)):
        for row in range(len(train)):
            ours = distances(synthetic, train, row, columns) / UNIT
            theirs = [
                gower(tables, tables.train.values[row], other, columns)
                for other in tables.synthetic.values
            ]
            assert ours == pytest.approx(theirs, abs=len(columns) / UNIT)


def test_one_look_finds_what_a_search_column_by_column_finds(tables):
    train, _, synthetic = points(tables)
    half = ((0, 2, 5), (1, 3, 4, 6, 7))
    seen = look(train, synthetic, [half])
    for row in range(len(train)):
        assert seen.nearest[row] == distances(synthetic, train, row, range(8)).min()
        sides = [np.argmin(distances(synthetic, train, row, side)) for side in half]
        assert seen.linked[row, 0] == (sides[0] == sides[1])
        for secret in range(8):
            known = [column for column in range(8) if column != secret]
            assert seen.guesses[row, secret] == distances(synthetic, train, row, known).argmin()


def test_predicates_fit_one_synthetic_row_and_differ(tables):
    learnt = of_columns(tables.synthetic, 30, 3, np.random.default_rng(1))
    learnt += of_one_column(tables.synthetic)
    assert len(set(learnt)) == len(learnt) > 30
    assert set(counts(learnt, tables.synthetic.values.T)) == {1}


def test_one_column_tells_rare_values_extremes_and_a_lone_gap():
    column = np.array([[1.0], [1.0], [2.0], [7.0], [np.nan]])
    made = of_one_column(three(column, None, column, kinds=KINDS[:1]).synthetic)
    told = sorted((op.value, value) for ((_, op, value),) in made)
    assert told == [("==", 2.0), ("==", 7.0), (">=", 7.0), ("is missing", 0.0)]


@pytest.mark.parametrize(("size", "drawn"), [(6, 4), (6, 6), (5, 1)])
def test_the_chance_of_just_one_is_that_of_all_ways_to_draw(size, drawn):
    fitting = np.arange(size + 1)
    ways = list(itertools.combinations(range(size), drawn))
    expected = [np.mean([sum(i < fit for i in way) == 1 for way in ways]) for fit in fitting]
    assert just_one(fitting, drawn, size) == pytest.approx(expected)


def test_the_pair_ratio_is_the_mean_over_pairs_of_the_logarithm_of_shares(tables):
    (found,) = pair_ratios([tables.train], tables.synthetic, tables.holdout)
    for row, codes in enumerate(tables.train.codes):
        ratios = []
        for pair in itertools.combinations(range(8), 2):
            shares = []
            for part in (tables.synthetic, tables.holdout):
                alike = (part.codes[:, pair] == codes[list(pair)]).all(axis=1)
                shares.append((alike.sum() + 1) / (len(part) + 1))
            ratios.append(np.log(shares[0] / shares[1]))
        assert found[row] == pytest.approx(np.mean(ratios))


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (17, 2000)])
def test_wilsons_interval_is_scipys(successes, n):
    found = wilson(successes, n)
    theirs = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_risk_has_the_interval_of_newcombes_example():
    # Newcombe (1998), table II, example (a), method 10: 56/70 - 48/80 is 0.2, 0.0524 to 0.3339.
    risk = risk_between(wilson(56, 70), wilson(48, 80))
    assert [0.4 * part for part in (risk.value, risk.low, risk.high)] == pytest.approx(
        [0.2, 0.0524, 0.3339], abs=5e-5
    )


def test_nothing_is_left_to_lose_where_the_control_always_succeeds():
    assert risk_between(wilson(10, 10), wilson(10, 10)) is None


def test_an_auc_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(2)
    members, others = rng.integers(9, size=40), rng.integers(7, size=30)
    pairs = [(a > b) + 0.5 * (a == b) for a in members for b in others]
    found = auc_of(members, others)
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low < found.value < found.high


def test_the_interval_of_an_auc_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(3)
    n, inside = 400, 0
    for _ in range(n):
        found = auc_of(rng.normal(0.5, 1, 60), rng.normal(0, 1, 50))
        inside += found.low <= 0.6382 <= found.high  # the normal's at 0.5 / sqrt(2)
    assert inside / n == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / n))


@pytest.mark.parametrize(
    ("members", "others", "share", "found"),
    [
        ([5, 6, 7, 8], [1, 2, 3, 4], 0.01, 1.0),  # all members above all others
        ([1, 1, 1, 1], [1, 1, 1, 1], 0.25, 0.25),  # all alike: by lot
        ([9, 1, 1, 1], [9, 1, 1, 1], 0.25, 0.25),
        ([9, 9, 1, 1], [9, 1, 1, 1], 0.125, 0.25),  # half of the tie at the top
        ([3, 0], [5, 4, 2, 1], 0.5, 0.5),
        ([3, 0], [5, 4, 2, 1], 1.0, 1.0),
    ],
)
def test_members_are_found_at_a_share_of_false_positives(members, others, share, found):
    assert found_at(np.array(members), np.array(others), share) == pytest.approx(found)


def test_the_interval_of_a_quantile_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(4)
    n, inside = 400, 0
    for _ in range(n):
        found = quantile_of(rng.random(200), 0.05)
        inside += found.low <= 0.05 <= found.high
    assert inside / n >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n)
