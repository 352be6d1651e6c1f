"""What models and analysts learn from a synthetic table, beside what records teach them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthetic.assess.conclusions import Answer, Question, conclusions
from synthetic.assess.ranking import areas, mean_areas
from synthetic.assess.tables import read_tables
from synthetic.assess.utility import utility
from synthetic.assess.yardsticks import compared
from synthetic.errors import AssessError
from tests.synthetic.assess_tables import (
    both,
    categories,
    numbers,
    records,
    shuffled,
    write,
)


@pytest.mark.parametrize("seed", range(4))
def test_areas_are_those_of_pairs_and_ties_count_half(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, 40) / 6
    is_one = rng.random(40) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[is_one] for b in scores[~is_one]]
    found = areas(scores, is_one, np.ones((1, 40)))
    assert found == pytest.approx(np.mean(pairs))
    assert found == pytest.approx(roc_auc_score(is_one, scores))


def test_areas_of_a_draw_are_those_of_its_rows():
    rng = np.random.default_rng(5)
    scores, is_one = rng.random(60), rng.random(60) < 0.5
    rows = rng.integers(0, 60, 60)
    weights = np.bincount(rows, minlength=60)[None, :].astype(float)
    assert areas(scores, is_one, weights) == pytest.approx(
        roc_auc_score(is_one[rows], scores[rows])
    )


def test_mean_areas_are_one_against_the_rest():
    rng = np.random.default_rng(6)
    answers = rng.integers(0, 3, 90)
    scores = rng.dirichlet(np.ones(3), 90)
    want = roc_auc_score(answers, scores, multi_class="ovr", average="macro")
    assert mean_areas(scores, answers, [0, 1, 2], np.ones((1, 90))) == pytest.approx(want)
    two = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    is_one = answers == 1
    found = mean_areas(two, is_one.astype(int), [0, 1], np.ones((1, 90)))
    assert found == pytest.approx(roc_auc_score(is_one, scores[:, 0]))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("utility")
    train = records(800).drop_columns(["children"])
    write(train, folder / "train.parquet")
    write(records(500, seed=2).drop_columns(["children"]), folder / "holdout.parquet")
    write(shuffled(train), folder / "shuffled.parquet")
    return folder


def read(folder, name, *, has_holdout=True):
    return read_tables(
        folder / "train.parquet",
        folder / f"{name}.parquet",
        holdout=folder / "holdout.parquet" if has_holdout else None,
    )


def test_train_itself_teaches_what_train_does(files):
    found = utility(read(files, "train"), (), 1)
    assert [p.target for p in found.predictions] == ["group", "poor"]
    assert found.is_tested_on_holdout
    for p in found.predictions:
        assert p.auc_synthetic == p.auc_real
        assert p.auc_lost.value == p.auc_lost.low == p.auc_lost.high == 0
        assert p.auc_real.low < p.auc_real.value < p.auc_real.high
        assert p.auc_real.value > 0.7 > p.auc_majority == 0.5
        assert p.accuracy_real > p.accuracy_majority


@pytest.mark.slow
def test_shuffled_columns_teach_nothing(files):
    found = utility(read(files, "shuffled"), ("poor",), 1)
    (p,) = found.predictions
    assert abs(p.auc_synthetic.value - 0.5) < 0.2  # of trees that learnt noise
    assert p.auc_lost.low > 0.1
    assert found.mean_auc_real == p.auc_real.value


@pytest.mark.slow
def test_without_a_holdout_a_fifth_of_train_is_kept_from_the_real_model(files):
    found = utility(read(files, "train", has_holdout=False), ("poor",), 1)
    assert not found.is_tested_on_holdout
    (p,) = found.predictions
    assert p.auc_synthetic.value > p.auc_real.value  # it has seen the test rows


@pytest.mark.slow
def test_a_number_is_predicted_as_above_its_median(files):
    (p,) = utility(read(files, "train"), ("income",), 1).predictions
    assert p.is_above_median
    assert p.accuracy_majority == pytest.approx(0.5, abs=0.1)


def test_a_table_of_one_class_teaches_to_guess():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, (300, 2))
    made = codes.copy()
    made[:, 0] = 1
    tables = both(*(categories(c, [3, 3]) for c in (codes, made, codes[:200])))
    (p,) = utility(tables, ("a",), 1).predictions
    assert p.auc_synthetic.value == 0.5


def test_targets_that_cannot_be_predicted_are_refused(files):
    tables = read(files, "train")
    with pytest.raises(AssessError, match="--target 'pour' is not compared; did you mean 'poor'"):
        utility(tables, ("pour",), 1)
    constant = categories(np.zeros((100, 2), dtype=int), [3, 3])
    with pytest.raises(AssessError, match="--target 'a': fewer than two of its classes have 20"):
        utility(both(constant, constant), ("a",), 1)
    assert utility(both(constant, constant), (), 1) is None


def test_train_itself_leads_to_the_same_conclusions(files):
    found = conclusions(compared(read(files, "train"), 1), 1)
    assert found.synthetic.same == found.n_analyses == found.n_possible
    assert found.different == ()
    assert found.shuffled.lost > 0
    assert found.shuffled.same < found.bootstrap.same


def test_a_shuffled_table_loses_conclusions(files):
    found = conclusions(compared(read(files, "shuffled"), 1), 1)
    assert found.synthetic.lost + found.synthetic.wrong_sign >= found.n_analyses / 3
    total = found.synthetic
    assert total.same + total.lost + total.wrong_sign + total.invented == found.n_analyses


def test_a_correlation_turned_round_has_the_wrong_sign():
    rng = np.random.default_rng(1)
    a, noise = rng.normal(size=(2, 400))
    train = numbers(np.column_stack([a, a + noise]))
    for turned, want in (
        (np.column_stack([a, -a + noise]), Answer.WRONG_SIGN),
        (np.column_stack([a, noise]), Answer.LOST),
        (train.values[::-1], Answer.SAME),
    ):
        found = conclusions(compared(both(train, numbers(turned)), 1), 1)
        assert found.n_by_question == {Question.CORRELATION: 1}
        assert getattr(found.synthetic, want.name.lower()) == 1
    found = conclusions(compared(both(numbers(np.column_stack([a, noise])), train), 1), 1)
    assert found.synthetic.invented == 1


def test_the_order_of_group_means_and_the_largest_groups_are_asked():
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1, 2], [300, 200, 100])
    chance = np.array([0.2, 0.5, 0.8])
    codes = np.column_stack([group, rng.random(600) < chance[group]]).astype(int)
    turned = np.column_stack([group, rng.random(600) < chance[[0, 2, 1]][group]]).astype(int)
    train = categories(codes, [4, 3])
    found = conclusions(compared(both(train, categories(turned, [4, 3])), 1), 1)
    assert found.n_by_question == {Question.DIFFERENCE: 1, Question.ORDER: 1}
    (wrong,) = found.different
    assert (wrong.question, wrong.answer) == (Question.ORDER, Answer.WRONG_SIGN)
    assert wrong.columns == ("a", "b")


def test_columns_that_give_no_analysis_give_no_conclusions():
    tables = both(*[categories([[0], [1]] * 40)] * 2)
    assert conclusions(compared(tables, 1), 1) is None
