"""Noise: unbiased, of the stated variance, paid for once; audited on neighbouring tables."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy.stats import beta

from synthetic.errors import BudgetError, PrivateError
from synthetic.private.accounting import rho_of
from synthetic.private.ledger import Receipt
from synthetic.private.noise import InsecureNoise, SecureNoise, measure
from synthetic.private.plan import Release

DELTA = 1e-5


def release_of(n_tables=1, rho=0.02, unit_rows=1, kind=Release):
    return kind(name="test", rho=rho, n_tables=n_tables, n_cells=4, unit_rows=unit_rows)


def test_noise_is_unbiased_whole_and_of_the_stated_variance():
    n, release = 6000, release_of()
    noisy = SecureNoise().added(np.full(n, 3), release)
    assert noisy.dtype == np.int64
    off, sigma = noisy - 3, release.sigma
    assert abs(off.mean()) < 4.5 * sigma / math.sqrt(n)  # standard error of a mean
    assert abs(off.var() / sigma**2 - 1) < 4.5 * math.sqrt(2 / n)  # of a Gaussian's variance
    assert (noisy < 0).any()  # signed: a negative count stays one


def test_two_draws_of_secure_noise_differ_and_seeded_ones_do_not():
    counts, release = np.zeros(50, dtype=np.int64), release_of()
    assert (SecureNoise().added(counts, release) != SecureNoise().added(counts, release)).any()
    first, second = (InsecureNoise(3).added(counts, release) for _ in range(2))
    assert (first == second).all()


def test_what_is_not_paid_for_is_not_measured_and_nothing_twice():
    release, table = release_of(), {(0,): np.array([4, 5])}
    with pytest.raises(BudgetError, match="'test' is not paid for"):
        measure(table, release=release, receipt=Receipt("now"), noise=InsecureNoise(1))
    receipt = Receipt("now", [release])
    measure(table, release=release, receipt=receipt, noise=InsecureNoise(1))
    with pytest.raises(BudgetError, match="or was made already"):
        measure(table, release=release, receipt=receipt, noise=InsecureNoise(1))


def test_more_tables_than_were_paid_for_are_not_measured():
    release = release_of()
    two = {(0,): np.array([4, 5]), (1,): np.array([4, 5])}
    with pytest.raises(BudgetError, match="of 1 tables, not 2"):
        measure(two, release=release, receipt=Receipt("now", [release]), noise=InsecureNoise(1))


class Cheap(Release):
    """A release that adds less noise than it pays for."""

    sigma = 1.0


def test_opendp_is_asked_what_the_noise_costs():
    with pytest.raises(BudgetError, match="costs rho"):
        SecureNoise().added(np.zeros(2, dtype=np.int64), release_of(kind=Cheap))


def test_without_opendp_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(PrivateError, match="uv sync --extra private"):
        SecureNoise()


def lower_bound(added, release, runs):
    """An epsilon that the mechanism surely exceeds (99.9 %), from tables with a unit and without.

    The unit is in one cell of each table; an attacker looks at the sum of those cells, at the
    threshold that tells most, which the first half of the runs finds.
    """
    sums = []
    for count in (5, 5 + release.unit_rows):
        exact = np.full(runs * release.n_tables, count)
        sums.append(added(exact, release).reshape(runs, -1).sum(axis=1))
    half = runs // 2
    cuts = np.unique(np.quantile(sums[1][:half], np.linspace(0.01, 0.6, 60)))
    with np.errstate(divide="ignore"):
        guess = [
            np.log(
                (np.mean(sums[1][:half] >= cut) + 1e-9) / (np.mean(sums[0][:half] >= cut) + 0.002)
            )
            for cut in cuts
        ]
    cut = cuts[int(np.argmax(guess))]
    hits, false = ((held[half:] >= cut).sum() for held in (sums[1], sums[0]))
    low = beta.ppf(0.0005, hits, half - hits + 1) if hits else 0.0
    high = beta.ppf(0.9995, false + 1, half - false)
    return math.log(max(low - DELTA, 1e-9) / high)


class Careless(Release):
    """A release that forgets that a row is in every table."""

    sensitivity = 1.0


def test_an_audit_finds_a_mechanism_that_forgets_its_sensitivity():
    # Seeded noise: the audit must be able to tell, whatever draws the noise.
    added, rho = InsecureNoise(1).added, rho_of(1.0, DELTA)
    honest = lower_bound(added, release_of(n_tables=25, rho=rho), 20_000)
    broken = lower_bound(added, release_of(n_tables=25, rho=rho, kind=Careless), 20_000)
    assert 0 < honest < 1.0 < broken


@pytest.mark.slow
def test_an_audit_of_the_secure_mechanism_stays_under_its_epsilon():
    added, rho = SecureNoise().added, rho_of(1.0, DELTA)
    for n_tables, unit_rows in ((1, 1), (3, 1), (3, 2)):
        release = release_of(n_tables=n_tables, rho=rho, unit_rows=unit_rows)
        assert lower_bound(added, release, 15_000) < 1.0
    careless = release_of(n_tables=25, rho=rho, kind=Careless)
    assert lower_bound(added, careless, 4_000) > 1.0
