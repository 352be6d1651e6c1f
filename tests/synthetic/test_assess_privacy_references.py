"""Our attacks beside anonymeter's and sdmetrics' on the same small tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synthetic.assess.closeness import total_variations
from synthetic.assess.privacy.closest import nearer
from synthetic.assess.privacy.gower import UNIT, points
from synthetic.assess.privacy.intervals import wilson
from synthetic.assess.privacy.neighbours import look
from synthetic.assess.privacy.predicates import counts, of_one_column
from synthetic.assess.privacy.singling_out import singling_out
from synthetic.assess.tables import Kind, Table, Tables
from tests.synthetic.references.small import HALVES, NAMES, NUMBERS, ROWS, binned
from tests.synthetic.references.small import tables as small

VALUES = json.loads(Path(__file__).with_name("references").joinpath("values.json").read_text())
KINDS = tuple(Kind.NUMERIC if c in NUMBERS else Kind.CATEGORICAL for c in range(len(NAMES)))


@pytest.fixture(scope="module")
def tables():
    rows = small()
    words = [[binned(part, rows[0], c) for c in range(len(NAMES))] for part in rows]
    levels = [sorted({*words[0][c], *words[1][c], *words[2][c]}) for c in range(len(NAMES))]
    train, holdout, synthetic = (table(*part, levels) for part in zip(rows, words, strict=True))
    return Tables(train=train, holdout=holdout, synthetic=synthetic)


def table(rows, words, levels):
    places = [{word: i for i, word in enumerate(known)} for known in levels]
    codes = [[places[c][word] for word in column] for c, column in enumerate(words)]
    values = [[row[c] for row in rows] if c in NUMBERS else codes[c] for c in range(len(NAMES))]
    return Table(
        names=NAMES,
        kinds=KINDS,
        codes=np.array(codes, np.int32).T,
        levels=tuple(len(known) + 1 for known in levels),
        values=np.array(values, float).T,
    )


@pytest.fixture(scope="module")
def seen(tables):
    train, holdout, synthetic = points(tables)
    return {"success": look(train, synthetic, HALVES), "control": look(holdout, synthetic, HALVES)}


def part_of(tables, which):
    return tables.train if which == "success" else tables.holdout


@pytest.mark.parametrize("which", ["success", "control"])
@pytest.mark.parametrize("secret", NAMES)
def test_as_many_secrets_are_guessed_as_by_anonymeter(tables, seen, which, secret):
    column = NAMES.index(secret)
    guesses = tables.synthetic.codes[seen[which].guesses[:, column], column]
    right = np.count_nonzero(guesses == part_of(tables, which).codes[:, column])
    # Where rows are equally close, float sums choose one and whole millionths another.
    assert abs(right - VALUES["attribute inference"][secret][which]) <= 1


@pytest.mark.parametrize("which", ["success", "control"])
@pytest.mark.parametrize("half", range(len(HALVES)))
def test_as_many_records_are_linked_as_by_anonymeter(seen, which, half):
    theirs = VALUES["linkability"][half][which]
    linked = int(seen[which].linked[:, half].sum())
    # Half the columns leave many ties, which anonymeter's sort breaks as it comes.
    allowed = wilson(theirs, ROWS)
    assert allowed.low <= linked / ROWS <= allowed.high


@pytest.mark.parametrize("which", ["success", "control"])
def test_one_column_singles_out_the_same_records_as_in_anonymeter(tables, which):
    predicates = of_one_column(tables.synthetic)
    found = counts(predicates, part_of(tables, which).values.T)
    theirs = VALUES["singling out"]["1"]
    assert len(predicates) == theirs["n"]
    assert np.count_nonzero(found == 1) == theirs[which]


@pytest.mark.slow
def test_several_columns_single_out_as_many_records_as_in_anonymeter(tables):
    for attack in singling_out(tables, ROWS, np.random.default_rng(1)):
        known = attack.variant.split()[0]
        for which, rate in (("success", attack.rate), ("control", attack.rate_control)):
            if known in VALUES["singling out"]:
                theirs = VALUES["singling out"][known]
                allowed = wilson(theirs[which], theirs["n"])
                # Two samples of predicates, each within its interval.
                assert rate.low <= allowed.high
                assert rate.high >= allowed.low


@pytest.mark.parametrize(("part", "which"), [("train", "success"), ("holdout", "control")])
@pytest.mark.parametrize("quantile", [0.05, 0.5])
def test_records_are_as_far_from_the_closest_row_as_in_sdmetrics(seen, part, which, quantile):
    ours = np.quantile(seen[which].nearest, quantile) / UNIT / len(NAMES)
    theirs = VALUES["distance to closest record"][part][str(quantile)]
    assert ours == pytest.approx(theirs, abs=0.5 / UNIT)


def test_as_many_rows_are_closer_to_train_as_in_sdmetrics(tables):
    train, holdout, synthetic = points(tables)
    rate = nearer(synthetic, train, holdout).rate
    # Theirs saw two more rows in both parts, and counts ties as not closer.
    assert rate.low <= VALUES["distance to closest record"]["closer to train"] <= rate.high


@pytest.mark.parametrize("name", NAMES)
def test_total_variation_is_what_sdmetrics_lacks_of_1(tables, name):
    found = total_variations(tables.train, tables.synthetic, [(NAMES.index(name),)])
    assert 1 - found[0] == pytest.approx(VALUES["total variation complement"][name])


@pytest.mark.parametrize("pair", sorted(VALUES["contingency similarity"]))
def test_two_way_total_variation_is_what_the_contingency_lacks_of_1(tables, pair):
    columns = tuple(NAMES.index(name) for name in pair.split())
    found = total_variations(tables.train, tables.synthetic, [columns])
    assert 1 - found[0] == pytest.approx(VALUES["contingency similarity"][pair])
