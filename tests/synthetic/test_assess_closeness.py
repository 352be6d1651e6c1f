"""Marginals, associations and conditional dependences, against slow and obvious ways."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, f_oneway
from scipy.stats import pearsonr as scipy_pearson

from synthetic.assess import closeness as closeness_module
from synthetic.assess.associations import (
    Measure,
    associations,
    correlation_ratio,
    cramers_v,
    measure_of,
    pearson,
)
from synthetic.assess.closeness import closeness, subsets, total_variations
from synthetic.assess.independence import N_GROUPS, grouping, independence, information
from synthetic.assess.tables import Kind, read_tables
from synthetic.assess.yardsticks import compared, drawn_again
from tests.synthetic.assess_tables import (
    both,
    categories,
    numbers,
    records,
    shuffled,
    slow_total_variation,
    write,
)


def random_codes(n, sizes, seed):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.integers(0, size, n) for size in sizes])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_total_variation_is_that_of_counting_by_hand(n_one, n_other, seed):
    sizes = (2, 3, 4, 2)
    one, other = (
        categories(random_codes(n, sizes, seed + i), [s + 1 for s in sizes])
        for i, n in enumerate((n_one, n_other))
    )
    for width in (1, 2, 3):
        chosen = list(itertools.combinations(range(4), width))
        slow = [slow_total_variation(one, other, columns) for columns in chosen]
        assert total_variations(one, other, chosen) == pytest.approx(slow, abs=1e-12)


def test_marginals_of_mostly_empty_cells_are_counted_alike(monkeypatch):
    tables = [categories(random_codes(80, (9, 9, 9), seed), [10] * 3) for seed in (1, 2)]
    chosen = [(0, 1, 2)]
    dense = total_variations(*tables, chosen)
    monkeypatch.setattr(closeness_module, "_DENSE", 10)
    assert total_variations(*tables, chosen) == pytest.approx(dense, abs=1e-12)


def test_marginals_are_sampled_where_there_are_many_always_the_same():
    assert subsets(5, 2, 100, 1) == list(itertools.combinations(range(5), 2))
    some = subsets(40, 3, 50, 1)
    assert some == subsets(40, 3, 50, 1) != subsets(40, 3, 50, 2)
    assert len(set(some)) == 50
    assert all(a < b < c < 40 for a, b, c in some)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closeness")
    train = records(3000)
    write(train, folder / "train.parquet")
    write(records(1500, seed=2), folder / "holdout.parquet")
    write(shuffled(train), folder / "shuffled.parquet")
    return folder


def read(folder, name):
    return read_tables(
        folder / "train.parquet",
        folder / f"{name}.parquet",
        holdout=folder / "holdout.parquet",
    )


def test_train_itself_is_perfect(files):
    tables = read(files, "train")
    beside = compared(tables, 1)
    for width in (1, 2, 3):
        found = closeness(beside, width, 1)
        assert found.mean.synthetic == found.largest.synthetic == 0
        assert 0 < found.mean.bootstrap < found.mean.shuffled or width == 1
    assert associations(beside, 1).largest.synthetic == 0
    given_third = independence(tables.train, tables.synthetic, 1)
    assert given_third.lost == given_third.invented == 0
    assert given_third.kept == given_third.n_real > 0


def test_a_shuffled_table_scores_as_badly_as_the_yardstick_says(files):
    tables = read(files, "shuffled")
    beside = compared(tables, 1)
    assert closeness(beside, 1, 1).mean.synthetic == 0  # each column is whole
    for width in (2, 3):
        mean = closeness(beside, width, 1).mean
        assert mean.synthetic == pytest.approx(mean.shuffled, rel=0.1)
        assert mean.synthetic > 1.3 * mean.bootstrap
    found = associations(beside, 1)
    assert found.mean.synthetic > 5 * found.mean.bootstrap
    assert {found.worst[0].columns, found.worst[1].columns} <= {
        ("group", "income"),
        ("group", "children"),
        ("income", "children"),
        ("group", "poor"),
    }
    given_third = independence(tables.train, tables.synthetic, 1)
    assert given_third.kept < 0.1 * given_third.n_real
    assert given_third.records_lost == given_third.records_invented == 0
    assert given_third.worst_lost[0].synthetic < given_third.worst_lost[0].threshold


def test_too_few_columns_have_no_wide_marginals():
    tables = both(*[categories([[0], [1]])] * 2)
    assert closeness(compared(tables, 1), 2, 1) is None
    assert associations(compared(tables, 1), 1) is None
    assert independence(tables.train, tables.synthetic, 1) is None


@pytest.mark.parametrize("seed", range(5))
def test_cramers_v_is_the_corrected_one(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 200).astype(np.int32)
    b = np.where(rng.random(200) < 0.4, a % 3, rng.integers(0, 3, 200)).astype(np.int32)
    counts = np.array([[np.sum((a == i) & (b == j)) for j in range(3)] for i in range(4)])
    n, (rows, columns) = 200, counts.shape
    phi2 = chi2_contingency(counts, correction=False).statistic / n
    corrected = max(0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    assert cramers_v(a, b, 9, 7) == pytest.approx(np.sqrt(corrected / (least - 1)))


def test_cramers_v_of_equal_columns_is_one_and_of_one_level_none():
    a = np.arange(100, dtype=np.int32) % 4
    assert cramers_v(a, a, 5, 5) == pytest.approx(1)
    assert np.isnan(cramers_v(a, a * 0, 5, 5))
    independent = np.arange(100, dtype=np.int32) // 4 % 5
    assert cramers_v(a, independent, 5, 6) == 0


def test_the_correlation_ratio_is_that_of_an_analysis_of_variance():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 4, 300).astype(np.int32)
    values = groups + rng.normal(size=300)
    values[::10] = np.nan
    there = ~np.isnan(values)
    f = f_oneway(*(values[there & (groups == g)] for g in range(4))).statistic
    n = np.count_nonzero(there)
    eta2 = f * 3 / (f * 3 + n - 4)
    epsilon2 = 1 - (1 - eta2) * (n - 1) / (n - 4)
    assert correlation_ratio(groups, values) == pytest.approx(np.sqrt(epsilon2))
    assert correlation_ratio(groups, groups.astype(float)) == pytest.approx(1)
    assert np.isnan(correlation_ratio(groups * 0, values))
    assert np.isnan(correlation_ratio(groups, values * 0))


def test_pearson_is_pearson_over_rows_that_have_both():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 100))
    b += a
    gap = a.copy()
    gap[:20] = np.nan
    assert pearson(gap, b) == pytest.approx(scipy_pearson(a[20:], b[20:]).statistic)
    assert np.isnan(pearson(a * 0, b))
    assert np.isnan(pearson(a * np.nan, b))


def test_kinds_choose_the_measure():
    table = replace(
        numbers(np.zeros((2, 3))), kinds=(Kind.NUMERIC, Kind.CATEGORICAL) * 1 + (Kind.NUMERIC,)
    )
    assert measure_of(table, 0, 2) is Measure.PEARSON
    assert measure_of(table, 0, 1) is measure_of(table, 1, 2) is Measure.CORRELATION_RATIO
    assert measure_of(categories([[0, 0]]), 0, 1) is Measure.CRAMERS_V


def test_conditional_information_is_that_of_the_definition():
    rng = np.random.default_rng(5)
    x, y, z = rng.integers(0, 3, (3, 400))
    y = np.where(rng.random(400) < 0.5, x, y)
    slow = 0.0
    for i, j, k in itertools.product(range(3), repeat=3):
        here = np.mean((x == i) & (y == j) & (z == k))
        with_x, with_y = np.mean((x == i) & (z == k)), np.mean((y == j) & (z == k))
        slow += here * np.log(here * np.mean(z == k) / (with_x * with_y)) if here else 0
    assert information(x, y, z) == pytest.approx(slow)


def test_a_chain_is_told_from_what_a_bad_sampler_makes_of_it():
    """a - b - c: a and c are independent given b, until a sampler lets them rise together."""
    rng = np.random.default_rng(6)
    n = 8000
    b = rng.integers(0, 3, n)
    a, c = (np.where(rng.random(n) < 0.5, b, rng.integers(0, 3, n)) for _ in range(2))
    other = np.where(rng.random(n) < 0.5, b, rng.integers(0, 3, n))
    train = categories(np.column_stack([a, b, c]), [4] * 3)
    together = categories(np.column_stack([a, b, np.where(rng.random(n) < 0.5, a, c)]), [4] * 3)
    again = categories(np.column_stack([other, b, c]), [4] * 3)
    found = independence(train, together, 1)
    assert (found.lost, found.invented) == (0, 1)
    assert found.worst_invented[0].columns == ("a", "c")
    assert found.worst_invented[0].given == "b"
    fine = independence(train, again, 1)
    assert (fine.lost, fine.invented, fine.kept) == (0, 0, 2)


def test_groups_are_few_and_keep_the_missing_apart():
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 30, (1000, 1))
    frequent = grouping(categories(codes, [31]))[0]
    assert set(frequent) == set(range(N_GROUPS))
    neighbours = grouping(replace(categories(codes, [31]), kinds=(Kind.NUMERIC,)))[0]
    assert neighbours[-1] == N_GROUPS - 1
    assert (np.diff(neighbours[:-1]) >= 0).all()
    sizes = np.bincount(neighbours[codes[:, 0]])
    assert sizes.max() < 1.4 * 1000 / (N_GROUPS - 1)


def test_units_are_drawn_whole():
    table = replace(
        categories(np.arange(12)[:, None]), units=np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 9, 9])
    )
    rows = drawn_again(table, 120, np.random.default_rng(1))
    times = np.bincount(rows, minlength=12)
    for unit in set(table.units.tolist()):
        assert len(set(times[table.units == unit])) == 1
    assert 80 < len(rows) < 160  # 50 units of 2.4 rows with deviation 1.0: 120 and 7
