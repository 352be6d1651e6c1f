"""The estimator: against brute force on tiny domains, and its pieces against obvious ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from synthetic.private import mixture
from synthetic.private.groups import alone
from synthetic.private.mixture import Settings, average, fit
from synthetic.private.noise import Measured
from synthetic.private.plan import Release
from synthetic.private.repair import misfit, moves
from synthetic.private.rules import empty_cells
from synthetic.private.shrinking import shrunk
from synthetic.private.targets import projected, targets

from .private_tables import TWO, schema_of

FREE = Settings(n_classes=12, n_fits=1, iterations=600, pull=0.0, smooth=0.0)
THREE = TWO + '[columns.c]\ntype = "boolean"\n'


def measured_of(tables, sigma=10.0):
    rho = len(tables) / (2 * sigma**2)
    release = Release(name="t", rho=rho, n_tables=len(tables), n_cells=1, unit_rows=1)
    return Measured(release=release, tables=tables)


def told_of(text, *measured):
    schema = schema_of(text)
    return targets(schema, measured, {}, alone(schema))


def noisy_two(seed, n=1000, sigma=10.0):
    """A table whose noise has made some cells negative, and its margins measured apart."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(12, 0.4)).reshape(3, 4)
    noisy = np.rint(n * shares + rng.normal(0, sigma, (3, 4))).astype(int)
    margins = [np.rint(n * shares.sum(axis=i) + rng.normal(0, sigma, 4 - (i == 1))) for i in (1, 0)]
    one = {(i,): margin.astype(int) for i, margin in enumerate(margins)}
    return told_of(TWO, measured_of(one), measured_of({(0, 1): noisy}))


def loss(told, pair):
    """Half the weighted squares, of one two-way table of shares."""
    table, weights = told.pair(0, 1)
    found = (weights * (told.total * pair - table) ** 2).sum()
    one = np.concatenate([pair.sum(axis=1), pair.sum(axis=0)])
    return 0.5 * (found + (told.one_weights * (told.total * one - told.one_way) ** 2).sum())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fit_is_as_good_as_the_best_table_there_is(seed):
    told = noisy_two(seed)
    ours = loss(told, fit(told, FREE, np.random.default_rng(0)).pair(0, 1))
    shape = np.full(12, 1 / 12)
    best = minimize(
        lambda x: loss(told, x.reshape(3, 4)) / 1000,
        shape,
        bounds=[(0, 1)] * 12,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    # Half a chi-square: a tenth of a unit is nothing beside the noise of twelve cells.
    assert ours == pytest.approx(1000 * best.fun, abs=0.1)


def test_gradients_are_those_of_the_loss():
    told = noisy_two(4)
    held = mixture._Fit(told, replace(FREE, n_classes=2), np.random.default_rng(0))

    def value():
        shares, weights = held._distributions()
        return loss(told, (shares[:3].astype(float) * weights) @ shares[3:].T.astype(float))

    by_offset, by_class = (g / held.unit for g in held._gradients(*held._distributions()))
    for array, gradient in ((held.offsets, by_offset), (held.class_logits, by_class)):
        for index in np.ndindex(array.shape):
            before, step = array[index], np.float32(0.02)
            array[index] = before + step
            above = value()
            array[index] = before - step
            slope = (above - value()) / (2 * float(step))
            array[index] = before
            # 32 bits and a step of 0.02: a hundredth of the largest slope.
            assert slope == pytest.approx(gradient[index], abs=0.01 * float(np.abs(gradient).max()))


def test_exact_tables_of_three_columns_are_met():
    rng = np.random.default_rng(3)
    cube = np.rint(5000 * rng.dirichlet(np.full(24, 0.6))).reshape(3, 4, 2).astype(int)
    one = {(i,): cube.sum(axis=tuple({0, 1, 2} - {i})) for i in range(3)}
    two = {(a, b): cube.sum(axis=3 - a - b) for a, b in ((0, 1), (0, 2), (1, 2))}
    told = told_of(THREE, measured_of(one), measured_of(two))
    assert told.total == pytest.approx(cube.sum())
    fitted = fit(told, FREE, np.random.default_rng(0))
    for pair, counts in two.items():
        assert np.abs(fitted.pair(*pair) - counts / cube.sum()).sum() < 0.005


def test_what_is_not_measured_is_left_to_the_one_way_shape():
    one = {(0,): np.array([5000, 3000, 2000]), (1,): np.array([2500] * 4)}
    told = told_of(TWO, measured_of(one))
    assert not told.weights.any()
    fitted = fit(told, replace(FREE, pull=300.0), np.random.default_rng(0))
    np.testing.assert_allclose(fitted.one_way()[:3], [0.5, 0.3, 0.2], atol=0.02)
    expected = np.outer([0.5, 0.3, 0.2], [0.25] * 4)
    np.testing.assert_allclose(fitted.pair(0, 1), expected, atol=0.03)


def test_tables_measured_twice_count_by_their_precision():
    table = np.full((3, 4), 100)
    twice = [measured_of({(0, 1): table}, 10.0), measured_of({(0, 1): table + 30}, 20.0)]
    one = {(0,): np.array([400, 400, 400]), (1,): np.array([300] * 4)}
    told = told_of(TWO, measured_of(one), *twice)
    held, weights = told.pair(0, 1)
    # (100 / 100 + 130 / 400) / (1 / 100 + 1 / 400), but for the rounding up of scales
    np.testing.assert_allclose(held, 106.0, rtol=1e-3)
    np.testing.assert_allclose(weights, 1 / 100 + 1 / 400, rtol=1 / 200)


def test_averaged_fits_are_equal_parts_of_one_mixture():
    told = noisy_two(5)
    few = [fit(told, replace(FREE, iterations=20), np.random.default_rng(i)) for i in (1, 2)]
    both = average(few)
    assert both.weights.sum() == pytest.approx(1)
    mean = (few[0].pair(0, 1) + few[1].pair(0, 1)) / 2
    np.testing.assert_allclose(both.pair(0, 1), mean, atol=1e-6)


def test_projected_counts_are_the_nearest():
    rng = np.random.default_rng(1)
    counts = rng.normal(2, 5, 5)
    ours = projected(counts, 10.0)
    assert ours.min() >= 0
    assert ours.sum() == pytest.approx(10)
    for other in rng.dirichlet(np.ones(5), 2000) * 10:
        assert ((ours - counts) ** 2).sum() <= ((other - counts) ** 2).sum() + 1e-9


@pytest.mark.parametrize("is_ordered", [False, True])
def test_counts_without_noise_stay_and_noise_alone_is_levelled(is_ordered):
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 900, 40).astype(float)
    np.testing.assert_allclose(shrunk(counts, 0.0, is_ordered=is_ordered), counts)
    noise = 100 + rng.normal(0, 30, 40)
    level = shrunk(noise, 900.0, is_ordered=is_ordered)
    assert level.std() < 0.5 * noise.std()
    assert level.mean() == pytest.approx(noise.mean())
    assert shrunk(np.array([7.0]), 4.0, is_ordered=is_ordered) == pytest.approx([7.0])


def test_a_near_determined_pair_is_repaired_and_one_way_shares_stay():
    exact = np.diag([500, 300, 200]) @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]])
    one = {(0,): exact.sum(axis=1).astype(int), (1,): exact.sum(axis=0).astype(int)}
    told = told_of(TWO, measured_of(one, 5.0), measured_of({(0, 1): exact.astype(int)}, 5.0))
    poor = fit(told, replace(FREE, n_classes=2, iterations=30), np.random.default_rng(0))
    assert misfit(poor, told, (0, 1)) > 6
    (move,) = moves(poor, told, {}, 6.0)
    assert (move.parent, move.child) == (0, 1)
    before = poor.pair(0, 1)
    after = before * move.stay + (before * (1 - move.stay)).sum(axis=1, keepdims=True) * move.to
    assert after[exact == 0].sum() < 1e-9
    np.testing.assert_allclose(after.sum(axis=1), before.sum(axis=1))
    # The poor model's two one-way shares cannot both be met where one column tells the other.
    np.testing.assert_allclose(after.sum(axis=0), before.sum(axis=0), atol=0.02)
    assert moves(poor, told, {}, 1e9) == []


def test_rules_leave_the_cells_empty_that_no_value_can_be_in():
    text = TWO + (
        '[columns.n]\ntype = "integer"\nlow = 0\nhigh = 9\nbins = 2\nmissing = true\n'
        '[[rules]]\nholds = "not (a == \\"a0\\" and b == \\"b1\\")"\n'
        '[[rules]]\nholds = "a != \\"a1\\" or n < 5"\n'
        '[[rules]]\nholds = "a != \\"a2\\" or n < 8"\n'
        '[[rules]]\nholds = "b != \\"b3\\""\n'
    )
    schema = schema_of(text)
    found = empty_cells(schema)
    expected = np.zeros((3, 4), dtype=bool)
    expected[0, 1] = expected[:, 3] = True
    np.testing.assert_array_equal(found[0, 1], expected)
    # a1 leaves 5 to 9 empty, a2 only a part of it; no value breaks no rule.
    np.testing.assert_array_equal(found[0, 2], [[False] * 3, [False, True, False], [False] * 3])
    np.testing.assert_array_equal(found[1, 2][3], [True] * 3)


def test_a_rule_over_two_columns_is_repaired_with_certainty_and_one_over_one_is_not():
    told = noisy_two(6)
    fitted = fit(told, replace(FREE, iterations=40), np.random.default_rng(0))
    joint, own = np.zeros((3, 4), dtype=bool), np.zeros((3, 4), dtype=bool)
    joint[0, 1] = own[:, 2] = True
    (move,) = moves(fitted, told, {(0, 1): joint}, 1e9)
    before = fitted.pair(0, 1)
    after = before * move.stay + (before * (1 - move.stay)).sum(axis=1, keepdims=True) * move.to
    assert after[0, 1] < 1e-9
    assert moves(fitted, told, {(0, 1): own}, 1e9) == []
