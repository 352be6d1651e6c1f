"""Levels that are measured together: laws of groups, and fits of columns with many levels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.private import InsecureNoise, Order, fit
from synthetic.private.counting import count
from synthetic.private.groups import Groups, alone, grouped
from synthetic.private.mixture import Mixture
from synthetic.private.plan import Mode, planned
from synthetic.private.reading import Records, blocks
from synthetic.private.repair import Move
from synthetic.private.sampling import Sampler
from synthetic.private.spec import PrivateSpec, Unit
from synthetic.spec.load import parse_as

from .private_tables import TWO, schema_of

ORDERED = (
    'source = "s"\n[limit]\nepsilon = 9\ndelta = 1e-6\n'
    '[columns.n]\ntype = "integer"\nlow = 0\nhigh = 7\nmissing = true\n'
    '[columns.c]\ntype = "category"\nvalues = ["p", "q", "r", "s", "t"]\n'
)


def test_neighbours_and_rare_levels_are_put_together_and_no_value_stays_alone():
    counts = [np.array([1, 2, 9, 40, -3, 2, 5, 1, 0]), np.array([3, 50, -2, 12, 9])]
    found = grouped(schema_of(ORDERED), counts, 10.0)
    # 1 + 2 + 9 are enough, 40 alone, and what remains at the end joins the last.
    np.testing.assert_array_equal(found.of[0], [0, 0, 0, 1, 1, 1, 1, 1, 2])
    np.testing.assert_array_equal(found.of[1], [0, 1, 0, 2, 0])
    assert found.told(schema_of(ORDERED)) == {
        "n": [0, 0, 0, 1, 1, 1, 1, 1, 2],
        "c": [0, 1, 0, 2, 0],
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-20, 200), min_size=8, max_size=8),
    st.lists(st.integers(-20, 200), min_size=5, max_size=5),
    st.floats(0, 300),
)
def test_every_group_has_rows_enough_or_is_the_only_one_that_lacks_them(ordered, rare, fewest):
    schema = schema_of(ORDERED)
    found = grouped(schema, [np.array([*ordered, 0]), np.array(rare)], fewest)
    for of, counts in zip(found.of, ([*ordered], rare), strict=True):
        there = of[: len(counts)]
        assert (np.diff(np.unique(there)) == 1).all()
        assert there[0] == 0
        rows = np.bincount(there, weights=counts)
        assert (rows < fewest).sum() <= 1


def test_a_column_kept_apart_has_no_groups():
    counts = [np.zeros(9, dtype=int), np.zeros(5, dtype=int)]
    found = grouped(schema_of(ORDERED), counts, 10.0, {0})
    assert found.sizes == (9, 1)
    assert alone(schema_of(ORDERED)).sizes == (9, 5)


def test_a_table_of_groups_holds_the_same_rows_and_is_empty_where_all_its_levels_are():
    groups = Groups((np.array([0, 0, 1]), np.array([0, 1, 1, 2])))
    table = np.arange(12).reshape(3, 4)
    expected = [[0 + 4, 1 + 2 + 5 + 6, 3 + 7], [8, 9 + 10, 11]]
    np.testing.assert_array_equal(groups.added(table, (0, 1)), expected)
    empty = np.zeros((3, 4), dtype=bool)
    empty[0, 1:3] = empty[1, 1] = empty[2, 3] = True
    np.testing.assert_array_equal(
        groups.empty(empty, (0, 1)), [[False, False, False], [False, False, True]]
    )


def test_levels_have_their_share_of_a_group_in_every_class_and_move():
    groups = Groups((np.array([0, 0, 1]), np.array([0, 1, 1, 2])))
    inside = np.array([0.25, 0.75, 1, 1, 0.5, 0.5, 1])
    rng = np.random.default_rng(1)
    shares = np.vstack([rng.dirichlet(np.ones(n), 2).T for n in (2, 3)]).astype(np.float32)
    small = Mixture(
        weights=np.array([0.4, 0.6], dtype=np.float32), shares=shares, starts=groups.starts
    )
    large = small.expanded(groups, inside)
    np.testing.assert_allclose(large.block(0)[1], 0.75 * small.block(0)[0], rtol=1e-6)
    np.testing.assert_allclose(large.block(1).sum(axis=0), 1, rtol=1e-6)
    back = groups.added((large.pair(0, 1) * 1e9).astype(np.int64), (0, 1)) / 1e9
    np.testing.assert_allclose(back, small.pair(0, 1), atol=1e-6)
    move = Move(parent=0, child=1, stay=np.ones((2, 3)) / 2, to=np.full((2, 3), 1 / 3))
    wide = move.expanded(groups, inside)
    np.testing.assert_allclose(wide.to.sum(axis=1), 1)
    np.testing.assert_allclose(wide.to[0], [1 / 3, 1 / 6, 1 / 6, 1 / 3])
    assert wide.stay.shape == (3, 4)


@pytest.mark.parametrize("seed", range(4))
def test_one_unit_more_or_less_moves_all_tables_of_a_release_by_its_sensitivity_at_most(
    tmp_path, seed
):
    """Units with many rows, among them rows twice over; tables as they are, and of groups."""
    rng = np.random.default_rng(seed)
    schema = schema_of(TWO)
    unit = rng.integers(0, 12, 60)
    table = pa.table(
        {
            "who": unit,
            "a": [f"a{i}" for i in rng.integers(0, 2, 60)],
            "b": [f"b{i}" for i in rng.integers(0, 2, 60)],
        }
    )
    plan = planned(schema, epsilon=1, delta=1e-6, rho=0.02, mode=Mode.FAST, unit_rows=3)
    lumped = Groups((np.array([0, 0, 1]), np.array([0, 1, 1, 1])))
    tables = []
    for name, rows in {"all": table, "less": table.filter(pa.array(unit != unit[0]))}.items():
        pq.write_table(rows, tmp_path / f"{name}.parquet")
        records = Records(str(tmp_path / f"{name}.parquet"))
        found = count(blocks(records, schema, Unit(column="who", rows=3)), schema)
        pairs = list(combinations(range(2), 2))
        tables.append(
            {
                "one-way": np.concatenate(found.one_way),
                "pairs": np.concatenate([found.two_way[p].ravel() for p in pairs]),
                "grouped": np.concatenate(
                    [lumped.added(found.two_way[p], p).ravel() for p in pairs]
                ),
            }
        )
    one_way, two_way = (release.sensitivity for release in plan.releases)
    for name, most in {"one-way": one_way, "pairs": two_way, "grouped": two_way}.items():
        assert 0 < np.linalg.norm(tables[0][name] - tables[1][name]) <= most


MANY = (
    'source = "codes"\n[limit]\nepsilon = 9\ndelta = 1e-6\n[columns.code]\ntype = "category"\n'
    f"values = {[f'c{i}' for i in range(400)]}\nmissing = true\n"
    '[columns.kind]\ntype = "category"\nvalues = ["low", "high"]\n'
    '[columns.amount]\ntype = "decimal"\nplaces = 1\nlow = 0\nhigh = 1000000\n'
    "edges = [1, 10, 100, 1000, 10000, 100000]\n"
)


def test_a_column_of_400_levels_keeps_its_frequent_codes_and_what_they_tell(tmp_path):
    rng = np.random.default_rng(5)
    n = 20_000
    code = np.minimum(rng.zipf(1.4, n) - 1, 399)  # the first code has a third of the rows
    kind = np.where(rng.random(n) < 0.9, code % 2, rng.integers(0, 2, n))
    table = pa.table(
        {
            "code": pa.array([f"c{i}" for i in code], mask=rng.random(n) < 0.05),
            "kind": np.array(["low", "high"])[kind],
            "amount": np.exp(rng.normal(3 + 3 * kind, 2, n)),  # a heavy tail
        }
    )
    pq.write_table(table, tmp_path / "r.parquet")
    order = Order.of(
        str(tmp_path / "r.parquet"),
        parse_as(PrivateSpec, MANY, "spec.toml"),
        file="spec.toml",
        epsilon=1.0,
        delta=1e-7,
        mode="fast",
        ledger=tmp_path / "ledger.sqlite",
    )
    model = fit(order, InsecureNoise(1))
    of = model.facts["groups"]["code"]
    assert len(of) == 401
    assert max(of) + 1 < 100
    assert len(model.noisy[1]) < 100 * 9 + 2 * 7
    drawn_code, drawn_kind, amount = Sampler(model, n, 1).levels(np.arange(n))
    assert np.mean(drawn_code == 400) == pytest.approx(0.05, abs=0.02)
    for common in range(4):
        share = np.mean(code == common) * 0.95
        assert np.mean(drawn_code == common) == pytest.approx(share, abs=0.02)
        ours = drawn_kind[drawn_code == common].mean()
        assert ours == pytest.approx(kind[code == common].mean(), abs=0.1)
    # e^6 lies in [100, 1000), e^3 in [10, 100): the median bins of the two kinds.
    assert [np.median(amount[drawn_kind == k]) for k in (0, 1)] == [2, 3]
