"""Households are believable, and their weights meet the published margins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.errors import BuildError
from synthetic.generation import models, poolfit
from synthetic.generation.compositions import (
    MARITAL,
    POSITIONS,
    RELATIONS,
    features,
    graduate,
    reweight,
    simulate,
    spread_over_places,
)
from synthetic.generation.quotas import Quota, households, quotas
from synthetic.spec.load import load, packaged
from synthetic.spec.margins import resolve


@pytest.fixture(scope="module")
def pool():
    spec = load(packaged()["population"])
    inputs = poolfit.inputs(spec.pools["homes"], resolve(spec))
    return spec.pools["homes"], inputs


@pytest.fixture(scope="module")
def packaged_fit(pool):
    path = models.packaged_folder() / f"{poolfit.key(*pool)}.npz"
    assert path.is_file(), "run `synthetic freeze`: the packaged model does not fit the spec"
    return models.read(path)


def members(fit, relation):
    present = np.arange(POSITIONS) < fit["size"][:, None]
    return present & (fit["relation"] == RELATIONS.index(relation))


def test_the_packaged_fit_is_the_only_packaged_model(packaged_fit):
    assert len(list(models.packaged_folder().glob("*.npz"))) == 1


def test_every_household_has_one_head_who_is_an_adult(packaged_fit):
    heads = members(packaged_fit, "head")
    assert (heads.sum(axis=1) == 1).all()
    assert (packaged_fit["age"][heads] >= 18).all()


def test_nobody_shares_sex_and_age_in_a_household(packaged_fit):
    present = np.arange(POSITIONS) < packaged_fit["size"][:, None]
    for i in range(len(present)):
        keys = list(
            zip(packaged_fit["sex"][i][present[i]], packaged_fit["age"][i][present[i]], strict=True)
        )
        assert len(set(keys)) == len(keys)


def test_spouses_are_near_in_age_and_of_two_sexes(packaged_fit):
    for row in np.flatnonzero(members(packaged_fit, "spouse").any(axis=1)):
        ages, sexes = packaged_fit["age"][row].astype(int), packaged_fit["sex"][row]
        head = int(np.flatnonzero(members(packaged_fit, "head")[row])[0])
        spouse = int(np.flatnonzero(members(packaged_fit, "spouse")[row])[0])
        assert sexes[head] != sexes[spouse]
        assert abs(ages[head] - ages[spouse]) <= 20


def test_parents_are_fifteen_to_sixty_five_years_older_than_children(packaged_fit):
    for row in np.flatnonzero(members(packaged_fit, "child").any(axis=1)):
        ages = packaged_fit["age"][row].astype(int)
        head = int(np.flatnonzero(members(packaged_fit, "head")[row])[0])
        gaps = ages[head] - ages[members(packaged_fit, "child")[row]]
        assert gaps.min() >= 15
        assert gaps.max() <= 65


def test_children_of_a_father_bear_his_surname(packaged_fit):
    children = members(packaged_fit, "child")
    for row in np.flatnonzero(children.any(axis=1)):
        head = int(np.flatnonzero(members(packaged_fit, "head")[row])[0])
        if packaged_fit["sex"][row, head] == 0:
            line = packaged_fit["line"][row]
            assert (line[children[row]] == line[head]).all()


def test_marriage_is_lawful(packaged_fit):
    present = np.arange(POSITIONS) < packaged_fit["size"][:, None]
    bound = present & (packaged_fit["marital"] != MARITAL.index("never_married"))
    assert (packaged_fit["age"][bound & (packaged_fit["sex"] == 0)] >= 20).all()
    assert (packaged_fit["age"][bound & (packaged_fit["sex"] == 1)] >= 18).all()


def test_the_packaged_weights_meet_every_published_margin(packaged_fit, pool):
    _, inputs = pool
    bands = inputs["ages"].categories["age_band"]
    templates = simulate(pool[0].templates)
    x = features(templates, [int(b.rstrip("+").split("-")[0]) for b in bands])
    targets = poolfit._targets(inputs)
    for weights, target in zip(packaged_fit["weights"].astype(np.int64), targets, strict=True):
        mean = (weights @ x) / weights.sum()
        # Weights are whole numbers of 24 bits: the last of them moves a mean by less than 1e-5.
        assert np.abs(mean - target).max() < 1e-4 * target.sum()


def test_a_target_that_no_household_can_meet_is_refused():
    x = np.array([[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises((BuildError, np.linalg.LinAlgError, ValueError), match="cannot meet"):
        reweight(x, np.array([3.0, 3.0]))


def test_single_years_are_smooth_and_keep_their_bands():
    persons, starts = np.array([80.0, 90.0, 100.0, 60.0, 20.0]), [0, 5, 10, 15, 20]
    years = graduate(persons, starts, 30)
    assert len(years) == 31
    assert [years[a : a + 5].sum() for a in starts[:-1]] == pytest.approx(persons[:-1])
    assert years[20:].sum() == pytest.approx(20)
    assert (years > 0).all()
    assert np.abs(np.diff(years[:20])).max() < 4


def test_the_replica_has_no_hole_and_no_spike_among_its_ages(packaged_fit):
    weights = packaged_fit["weights"].sum(axis=0).astype(float)
    present = np.arange(POSITIONS) < packaged_fit["size"][:, None]
    counts = np.bincount(
        packaged_fit["age"][present], np.repeat(weights, packaged_fit["size"]), minlength=96
    )
    steps = counts[1:80] / counts[:79]
    assert steps.min() > 0.8
    assert steps.max() < 1.2


def test_places_meet_their_persons_and_their_residences():
    persons, density = np.array([100.0, 300.0, 0.0]), np.array([50.0, 5000.0, 0.0])
    table = spread_over_places(persons, density, np.array([250.0, 150.0])).astype(float)
    assert table.sum(axis=0).tolist() == [2**30, 2**30]
    counts = table / 2**30 * np.array([250.0, 150.0])
    assert np.abs(counts.sum(axis=1) - persons).max() < 1e-3
    assert counts[1, 0] / 300 > counts[0, 0] / 100  # the denser place is the more urban


shapes = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any),
    st.integers(1, 1000),
    min_size=1,
    max_size=12,
)


@given(shapes, st.integers(0, 3000), st.integers(0, 3000))
def test_households_hold_exactly_their_quota(extra, males, females):
    weights = {(1, 0): 5, (0, 1): 5, (1, 1): 10, (2, 1): 3} | extra
    counts = households(weights, Quota(males, females))
    assert sum(m * n for (m, _), n in counts.items()) == males
    assert sum(f * n for (_, f), n in counts.items()) == females
    assert min(counts.values()) >= 0


@given(st.fractions(Fraction(1, 10**6), 1))
def test_quotas_are_published_times_scale_to_the_last_person(scale):
    spec = load(packaged()["population"])
    margins = MARGINS or MARGINS.update(resolve(spec)) or MARGINS
    strata, sexes = margins["residents"], margins["sexes"]
    if strata.total * scale < 1:
        return
    found = quotas(strata, sexes, ("male", "female"), scale)
    for stratum, quota in found.items():
        gap = abs(strata.over("area").cells[stratum[0],] - sexes.over("area").cells[stratum[0],])
        wanted = strata.cells[stratum] * scale
        assert abs(quota.males + quota.females - wanted) < 1
        assert gap <= 11  # persons: the published tables disagree by no more
    persons = sum(q.males + q.females for q in found.values())
    assert abs(persons - strata.total * scale) <= Fraction(1, 2)


MARGINS: dict = {}
