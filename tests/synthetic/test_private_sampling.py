"""Drawn rows: exact probabilities, independence inside a class, the same in any shard."""

from __future__ import annotations

import hashlib
import zipfile
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy.stats import chi2

from synthetic.errors import PrivateError, SyntheticError
from synthetic.private import model as models
from synthetic.private.aliases import ONE, alias_of, whole
from synthetic.private.drawing import sample
from synthetic.private.sampling import Sampler
from synthetic.private.strata import ends, spread
from synthetic.private.where import parse

from .private_tables import SPEC, TWO, model_by_hand, move_by_hand

N = 40_000
MOVE = move_by_hand(
    0, 1, [[1, 0, 0.5, 1]] * 3, [[0.5, 0, 0, 0.5], [0.2, 0.3, 0.5, 0], [1, 0, 0, 0]]
)


def shares_of(model):
    return model.class_weights / ONE, [model.block(i) / ONE for i in range(2)]


def exact_pair(model):
    """The probability of each cell, repairs included."""
    weights, (a, b) = shares_of(model)
    found = np.einsum("h,ha,hb->ab", weights, a, b)
    for move in model.moves:
        stay, to = move.stay / ONE, move.to / ONE
        found = found * stay + (found * (1 - stay)).sum(axis=1, keepdims=True) * to
    return found


def is_likely(counts, probabilities):
    """Pearson's test at one in ten thousand, seeds being fixed."""
    expected = counts.sum() * probabilities
    there = expected > 0
    assert counts[~there].sum() == 0
    statistic = ((counts - expected)[there] ** 2 / expected[there]).sum()
    return chi2.sf(statistic, there.sum() - 1) > 1e-4


def counts_of(levels):
    return np.bincount(levels[0] * 4 + levels[1], minlength=12).reshape(3, 4)


@pytest.mark.parametrize("moves", [(), (MOVE,)], ids=["plain", "repaired"])
def test_rows_drawn_one_by_one_have_the_models_probabilities(moves):
    model = model_by_hand(moves=moves)
    levels = Sampler(model, N, 3)._levels_again(np.arange(N), 1)
    assert is_likely(counts_of(levels), exact_pair(model))


@pytest.mark.parametrize("moves", [(), (MOVE,)], ids=["plain", "repaired"])
def test_rows_drawn_by_strata_have_the_models_probabilities(moves):
    model = model_by_hand(moves=moves)
    levels = Sampler(model, N, 3).levels(np.arange(N))
    assert is_likely(counts_of(levels), exact_pair(model))


def test_a_single_row_has_the_models_probabilities():
    # The first row of many small tables: strata must favour none.
    model = model_by_hand()
    firsts = [Sampler(model, 7, seed).levels(np.arange(7)) for seed in range(400)]
    levels = [np.array([found[i][0] for found in firsts]) for i in (0, 1)]
    assert is_likely(counts_of(levels), exact_pair(model))


def test_columns_are_independent_inside_a_class():
    model = model_by_hand(classes=1)
    a, b = Sampler(model, N, 9).levels(np.arange(N))
    counts = counts_of([a, b])
    # Strata fix the margins, so that they are known and cost degrees of freedom.
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / N
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert 1e-4 < chi2.sf(statistic, 6) < 1 - 1e-4


def test_two_columns_of_one_distribution_do_not_rise_together():
    # The fault of a sampler that orders the rows of a class alike for every column.
    text = TWO.replace('"b0", "b1", "b2", "b3"', '"a0", "a1", "a2"')
    a, b = Sampler(model_by_hand(classes=1, text=text), N, 1).levels(np.arange(N))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(N)


def test_strata_stray_by_less_than_a_row():
    model = model_by_hand(classes=1)
    a, b = Sampler(model, 1000, 4).levels(np.arange(1000))
    for levels, place in ((a, 0), (b, 1)):
        expected = model.block(place)[0] / ONE * 1000
        assert np.abs(np.bincount(levels, minlength=len(expected)) - expected).max() <= 1


def test_spread_gives_every_context_its_size():
    rng = np.random.default_rng(1)
    shares = whole(rng.dirichlet(np.ones(5), 4))
    sizes = np.array([0, 1, 7, 1000])
    offsets = rng.integers(0, 2**64, 4, dtype=np.uint64)
    assert len(spread(ends(shares), sizes, offsets)) == 1008


@pytest.mark.parametrize("n", [1, 2, 5, 300])
def test_alias_tables_hold_the_very_shares(n):
    rng = np.random.default_rng(n)
    shares = whole(rng.dirichlet(np.full(n, 0.2), 7))
    assert (shares.sum(axis=1, dtype=np.int64) == ONE).all()
    packed = alias_of(shares).packed.reshape(7, n)
    limit, other = packed >> np.uint64(32), (packed & np.uint64(2**32 - 1)).astype(np.int64)
    for context in range(7):
        found = np.bincount(np.arange(n), limit[context] / 2**32, n)
        found += np.bincount(other[context], 1 - limit[context] / 2**32, n)
        np.testing.assert_allclose(found / n, shares[context] / ONE, atol=2**-31)


def test_where_draws_from_the_conditional_distribution():
    model = model_by_hand()
    given = parse("b = 'b2'", model.schema)
    levels = Sampler(model, N, 2, given).levels(np.arange(N))
    exact = exact_pair(model)[:, 2]
    assert set(levels[1]) == {2}
    assert is_likely(np.bincount(levels[0], minlength=3), exact / exact.sum())


def test_where_is_never_moved_by_a_repair():
    model = model_by_hand(moves=(MOVE,))
    given = parse("b = 'b1'", model.schema)  # which the move empties
    assert set(Sampler(model, 500, 2, given).levels(np.arange(500))[1]) == {1}


def rows_of(model, n, start=0, end=None):
    blocks = list(Sampler(model, n, 11).blocks(start, end))
    return {name: np.concatenate([block[name].ints for block in blocks]) for name in blocks[0]}


def test_any_shard_holds_the_rows_of_the_whole():
    model, n = model_by_hand(moves=(MOVE,)), 150_001
    whole_table = rows_of(model, n)
    cuts = [0, 1, 65_535, 65_537, 149_999, n]
    for start, end in pairwise(cuts):
        part = rows_of(model, n, start, end)
        for name, levels in part.items():
            np.testing.assert_array_equal(levels, whole_table[name][start:end])


def test_draws_are_the_same_on_every_machine():
    model = model_by_hand(moves=(MOVE,))
    found = rows_of(model, 5000)
    digest = hashlib.sha256(b"".join(found[name].tobytes() for name in ("a", "b"))).hexdigest()
    assert digest == "995499df461ee0596921dabe7c21a3bdebed11f120393139c691f32a881d1069"


RULED = SPEC.replace("bins = 10\n", "bins = 4\n") + (
    '[[rules]]\nholds = "years_between(born, date(2020, 1, 1)) >= 18 or not married"\n'
)


def test_rules_hold_in_every_row_in_any_shard(tmp_path):
    model = model_by_hand(classes=4, text=RULED)
    model.save(tmp_path / "m.zip")
    out = [tmp_path / "all.parquet", tmp_path / "1.parquet", tmp_path / "2.parquet"]
    assert sample(tmp_path / "m.zip", rows=2000, seed=1, out=out[0]).n_rows == 2000
    for i in (1, 2):
        sample(tmp_path / "m.zip", rows=2000, seed=1, out=out[i], shard=f"{i}/2")
    table = pq.read_table(out[0])
    assert pc.sum(pc.and_(pc.less(table["age"], 10), table["married"])).as_py() in (0, None)
    assert table["married"].to_pylist().count(True) > 50
    parts = [row for path in out[1:] for row in pq.read_table(path).to_pylist()]
    assert parts == table.to_pylist()
    born = [row["born"] for row in table.to_pylist() if row["married"] and row["born"]]
    assert max(born).year < 2002


def test_a_rule_that_no_row_keeps_is_named(tmp_path):
    model = model_by_hand(text=TWO + "[[rules]]\nholds = 'a == \"a9\"'\n")
    with pytest.raises(PrivateError, match="hardly a row of the model keeps it"):
        list(Sampler(model, 100, 1).blocks())


def test_values_are_within_bounds_of_every_type_and_written_to_csv(tmp_path):
    model = model_by_hand(classes=4, text=SPEC)
    model.save(tmp_path / "m.zip")
    sample(tmp_path / "m.zip", rows=3000, seed=1, out=tmp_path / "o.parquet")
    sample(tmp_path / "m.zip", rows=3000, seed=1, out=tmp_path / "o.csv")
    rows = pq.read_table(tmp_path / "o.parquet").to_pylist()
    lines = (tmp_path / "o.csv").read_text("utf-8").splitlines()
    assert len(lines) == 3001
    assert all(0 <= r["age"] <= 99 and 0 <= r["income"] <= 1000 for r in rows)
    assert {r["sex"] for r in rows} == {None, "female", "male"}
    assert {r["born"].year // 100 for r in rows if r["born"]} <= {19, 20}
    assert any(r["born"] is None for r in rows)


def test_no_rows_make_an_empty_file(tmp_path):
    model_by_hand(text=SPEC).save(tmp_path / "m.zip")
    assert sample(tmp_path / "m.zip", rows=0, seed=1, out=tmp_path / "o.parquet").n_rows == 0
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("jobb = 'x'", "unknown column 'jobb'; did you mean 'job'"),
        ("job = 'x'", "has no value 'x'; it is one of farmer"),
        ("age = 200", "outside its bounds"),
        ("age = 1.5", "not of type integer"),
        ("born = '1990'", "not of type date"),
        ("age is missing", "'age' is never missing"),
        ("age = 1 and age = 2", "names 'age' twice"),
        ("age > 1", "not understood at character 1"),
        ("age = 1 sex = 'male'", "'and' is missing at character 9"),
    ],
)
def test_a_condition_that_cannot_be_is_told(where, message):
    with pytest.raises(SyntheticError, match=message):
        parse(where, model_by_hand(text=SPEC).schema)


def test_a_condition_may_be_of_any_type():
    schema = model_by_hand(text=SPEC).schema
    told = (
        "age = 35 and sex is missing and income = 12.5 and born = '1990-05-06' and married = true"
    )
    given = parse(told, schema)
    assert {schema.names[i]: g.level for i, g in given.items()} == {
        "age": 3,
        "sex": 2,
        "income": 2,
        "born": 3,
        "married": 1,
    }
    rows = list(Sampler(model_by_hand(text=SPEC), 50, 1, given).blocks())
    assert set(rows[0]["income"].ints) == {125}


def test_a_model_is_the_same_after_it_was_written(tmp_path):
    model = model_by_hand(moves=(MOVE,))
    model.save(tmp_path / "a.zip")
    again = models.load(tmp_path / "a.zip")
    assert again.digest == model.digest
    again.save(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"json", "npy"}


def test_a_damaged_model_is_told(tmp_path):
    path = tmp_path / "m.zip"
    model_by_hand().save(path)
    data = path.read_bytes()
    for broken in (
        b"no zip",
        data[: len(data) // 2],
        data.replace(b"class_weights", b"class_wrights"),
    ):
        path.write_bytes(broken)
        with pytest.raises(PrivateError, match="not a fitted model, or a damaged one"):
            models.load(path)
