"""The accounting: against OpenDP's own, and never a little too little."""

from __future__ import annotations

import math
from fractions import Fraction

import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.errors import PrivateError
from synthetic.private.accounting import delta_of, epsilon_of, rho_of
from synthetic.private.plan import Mode, Release, planned

from .private_tables import schema_of

dp.enable_features("contrib")


@pytest.mark.parametrize("sigma", [0.5, 4.0, 60.0])
@pytest.mark.parametrize("delta", [1e-4, 1e-9])
def test_epsilon_is_that_of_opendp(sigma, delta):
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    mechanism = dp.m.make_gaussian(*space, scale=sigma)
    theirs = dp.c.make_zCDP_to_approxDP(mechanism).map(1.0).epsilon(delta)
    assert epsilon_of(mechanism.map(1.0), delta) == pytest.approx(theirs, rel=1e-6)


@settings(max_examples=15)
@given(st.floats(0.01, 20), st.floats(1e-12, 1e-4))
def test_a_budget_turned_to_rho_and_back_is_never_exceeded(epsilon, delta):
    rho = rho_of(epsilon, delta)
    assert delta_of(rho, epsilon) <= delta
    assert epsilon_of(rho * (1 - 1e-6), delta) <= epsilon


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("unit_rows", [1, 3])
@pytest.mark.parametrize("epsilon", [0.03, 1.0, 9.7])
def test_releases_cost_what_the_plan_says_by_opendps_reckoning(mode, unit_rows, epsilon):
    rho = rho_of(epsilon, 1e-7)
    plan = planned(
        schema_of(), epsilon=epsilon, delta=1e-7, rho=rho, mode=mode, unit_rows=unit_rows
    )
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    for release in plan.releases:
        mechanism = dp.m.make_gaussian(*space, scale=release.sigma)
        cost = mechanism.map(release.sensitivity)
        assert release.rho * (1 - 1 / 256) <= cost <= release.rho  # its scale has few digits
        assert Fraction(release.sensitivity) ** 2 >= unit_rows**2 * release.n_tables
    assert sum(Fraction(r.rho) for r in plan.releases) <= Fraction(rho)


def test_a_table_too_wide_for_its_noise_is_refused():
    column = '[columns.{0}]\ntype = "integer"\nlow = 0\nhigh = 199\n'
    text = 'source = "w"\n[limit]\nepsilon = 1\ndelta = 1e-6\n'
    schema = schema_of(text + "".join(column.format(f"c{i}") for i in range(12)))
    with pytest.raises(PrivateError, match="2,640,000 cells in all two-way tables"):
        planned(schema, epsilon=1, delta=1e-6, rho=0.01, mode=Mode.FAST)


@given(st.floats(1e-9, 50), st.integers(1, 3000))
def test_a_scale_has_ten_digits_at_most_and_is_never_too_small(rho, n_tables):
    release = Release(name="t", rho=rho, n_tables=n_tables, n_cells=1, unit_rows=1)
    wanted = math.sqrt(n_tables / (2 * rho))
    assert wanted <= release.sigma <= wanted * (1 + 1 / 512 + 1e-9)
    share, _ = math.frexp(release.sigma)
    assert (share * 1024).is_integer()
