"""Attacks on synthetic tables that leak everything, something, nothing; and on odd tables."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from synthetic.assess.privacy import Name, measure
from synthetic.assess.tables import Kind, Table, Tables

N = 800
KINDS = (Kind.NUMERIC, Kind.CATEGORICAL) * 4


def people(n, seed):
    """Records of a population: four numbers and four categories that hang together."""
    rng = np.random.default_rng(seed)
    group = rng.integers(6, size=n)
    columns = []
    for index in range(4):
        columns.append(np.round(rng.lognormal(3 + group / 6, 0.5), 2))
        columns.append((group + rng.integers(3 + index, size=n)) % 7)
    return np.column_stack(columns).astype(float)


def table(values, kinds=KINDS, n_levels=8):
    """A table of these values; numbers have eight bins, the last level is missing."""
    codes = np.empty(values.shape, np.int32)
    for column, kind in enumerate(kinds):
        there = values[:, column]
        bins = np.minimum(there // 20, n_levels - 2) if kind is Kind.NUMERIC else there
        codes[:, column] = np.where(np.isnan(there), n_levels - 1, np.nan_to_num(bins))
    return Table(
        names=tuple(f"c{i}" for i in range(values.shape[1])),
        kinds=tuple(kinds),
        codes=codes,
        levels=(n_levels,) * values.shape[1],
        values=np.where([kind is Kind.NUMERIC for kind in kinds], values, codes),
    )


def three(train, holdout, synthetic, **how):
    return Tables(
        train=table(train, **how),
        holdout=None if holdout is None else table(holdout, **how),
        synthetic=table(synthetic, **how),
    )


@pytest.fixture(scope="module")
def copied():
    train = people(N, 1)
    return measure(three(train, people(N // 2, 2), train), seed=3, n_attacks=200)


def attacks(privacy, name):
    found = [attack for attack in privacy.attacks if attack.name is name]
    assert found
    return found


@pytest.mark.parametrize("name", list(Name), ids=lambda name: name.name)
def test_a_copy_of_the_training_records_is_caught_by_every_attack(copied, name):
    risks = [a.risk for a in attacks(copied, name) if a.variant != "pair ratio"]
    assert max(risk.value for risk in risks) > 0.5
    assert all(risk.low > 0 for risk in risks)


def test_a_copy_is_at_no_distance(copied):
    for distance in copied.distances:
        assert distance.train.value == 0
        assert distance.holdout.low > 0


def test_an_independent_table_of_the_same_population_shows_no_risk():
    found, n = 0, 0
    for seed in range(3):
        train, holdout, synthetic = (people(400, 10 * seed + part) for part in range(3))
        privacy = measure(
            three(train, holdout[: 400 - 150 * seed], synthetic), seed=seed, n_attacks=600
        )
        for attack in privacy.attacks:
            assert attack.risk is None or attack.risk.low < 0.1
            found += attack.risk is not None and attack.risk.low > 0
            n += attack.risk is not None
    # Each of some 60 intervals of 95 % lies wholly above 0 by chance once in 40; 5 or more of 60
    # happen once in 60 at seeds that are not fixed.
    assert n > 50
    assert found <= 4


@pytest.fixture(scope="module")
def leaked():
    train = people(1500, 21)
    mixed = np.concatenate([train[:150], people(1350, 22)])
    return measure(three(train, people(1500, 23), mixed), seed=4, n_attacks=1500)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "variant"),
    [
        (Name.COPIES, "all columns"),
        (Name.NEARER, "all columns"),
        (Name.TPR, "closest record"),
        (Name.TPR, "density ratio"),
        (Name.SINGLING_OUT, "7 columns"),
    ],
    ids=lambda part: getattr(part, "name", part),
)
def test_a_tenth_of_leaked_rows_is_caught(leaked, name, variant):
    (attack,) = (a for a in attacks(leaked, name) if a.variant == variant)
    assert attack.risk.low > 0


def chained(train, n, rng):
    """Rows whose neighbouring columns are as in train: a generator that leaks pairs alone."""
    codes = table(train).codes
    rows = [rng.integers(len(train), size=n)]
    for column in range(1, train.shape[1]):
        alike = [np.flatnonzero(codes[:, column - 1] == code) for code in range(8)]
        rows.append(np.array([rng.choice(alike[codes[row, column - 1]]) for row in rows[-1]]))
    return np.column_stack([train[chosen, column] for column, chosen in enumerate(rows)])


def test_pairs_that_leak_are_seen_by_their_ratio_before_rows_are():
    train, holdout = people(150, 61), people(900, 62)
    made = chained(train, 1000, np.random.default_rng(6))
    privacy = measure(three(train, holdout, made), seed=5, n_attacks=300)
    found = {attack.variant: attack.risk for attack in attacks(privacy, Name.AUC)}
    assert found["pair ratio"].low > 0.1
    assert found["pair ratio"].value > found["density ratio"].value


def test_the_same_seed_makes_the_same_attacks():
    tables = three(people(200, 31), people(100, 32), people(200, 33))
    first, again, other = (measure(tables, seed=seed, n_attacks=50) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_without_a_holdout_there_is_no_risk_and_it_is_said_what_is_untold():
    train = people(200, 41)
    privacy = measure(three(train, None, train), seed=7, n_attacks=50)
    assert privacy.untold == (Name.AUC, Name.TPR, Name.NEARER)
    assert {attack.name for attack in privacy.attacks} == set(Name) - set(privacy.untold)
    for attack in privacy.attacks:
        assert attack.rate_control is None
        assert attack.risk is None
    assert all(distance.holdout is None for distance in privacy.distances)


def odd_tables():
    base = people(60, 51)
    constant, lost = base.copy(), base.copy()
    constant[:, 2:] = 3.0
    lost[:, [0, 1]] = np.nan
    gaps = base.copy()
    gaps[::3, 0] = gaps[1::4, 3] = np.nan
    return {
        "one row each": (base[:1], base[1:2], base[2:3]),
        "one row of training": (base[:1], base[1:40], base[2:50]),
        "a holdout of one": (base[:40], base[40:41], base[41:]),
        "a holdout of two": (base[:40], base[40:42], base[42:]),
        "constant columns": (constant[:30], constant[30:40], constant[40:]),
        "all columns constant": (np.ones((9, 8)), np.ones((4, 8)), np.ones((5, 8))),
        "columns all missing": (lost[:30], lost[30:40], lost[40:]),
        "some missing": (gaps[:30], gaps[30:40], gaps[40:]),
        "no holdout": (base[:30], None, base[30:]),
    }


@pytest.mark.parametrize("name", list(odd_tables()))
def test_odd_tables_give_finite_figures_inside_their_bounds(name):
    privacy = measure(three(*odd_tables()[name]), seed=8, n_attacks=20)
    for attack in privacy.attacks:
        for estimate in (attack.rate, attack.rate_control, attack.rate_guess, attack.risk):
            if estimate is not None:
                assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
    json.dumps(asdict(privacy), allow_nan=False)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_a_table_of_few_columns_is_attacked(n_columns):
    parts = (people(30, seed)[:, :n_columns] for seed in (61, 62, 63))
    privacy = measure(three(*parts, kinds=KINDS[:n_columns]), seed=9, n_attacks=20)
    assert len(attacks(privacy, Name.INFERENCE)) == n_columns


def test_sixty_columns_are_attacked():
    kinds = (Kind.NUMERIC, Kind.CATEGORICAL) * 30
    parts = []
    for seed in (71, 72, 73):
        rng = np.random.default_rng(seed)
        parts.append(np.hstack([people(120, rng.integers(1 << 32)) for _ in range(8)])[:, :60])
    parts[2][:60] = parts[0][:60]
    privacy = measure(three(*parts, kinds=kinds), seed=10, n_attacks=60)
    assert len(attacks(privacy, Name.INFERENCE)) == 60
    assert attacks(privacy, Name.COPIES)[0].risk.value == pytest.approx(0.5)
