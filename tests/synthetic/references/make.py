"""Writes values.json: what anonymeter and sdmetrics say of the small tables.

    uv run --no-project --python 3.11 --with anonymeter==1.1.0 --with sdmetrics==0.32.0 \
        python -m tests.synthetic.references.make

Their pins do not fit our lock, so their figures are kept. Attacks are made on all records; only
the singling out of several columns is drawn at random, with its seed.
"""

from __future__ import annotations

import json
import logging
import warnings
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from sdmetrics.column_pairs import ContingencySimilarity
from sdmetrics.single_column import TVComplement
from sdmetrics.single_table.privacy import DCROverfittingProtection
from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr

from tests.synthetic.references.small import HALVES, NAMES, NUMBERS, ROWS, binned, tables

PAIRS = (1, 3, 5, 9, 14)


def main():
    rows = tables()
    frames = [pd.DataFrame(part, columns=NAMES) for part in rows]
    coded = [
        pd.DataFrame({name: binned(part, rows[0], c) for c, name in enumerate(NAMES)})
        for part in rows
    ]
    values = {
        "made by": {name: version(name) for name in ("anonymeter", "sdmetrics")},
        "singling out": singled_out(*frames),
        "linkability": [linked(*frames, halves) for halves in HALVES],
        "attribute inference": {name: inferred(frames, coded, name) for name in NAMES},
        "distance to closest record": closest(*frames),
        "total variation complement": {
            name: TVComplement.compute(coded[0][name], coded[2][name]) for name in NAMES
        },
        "contingency similarity": similar(coded),
    }
    path = Path(__file__).with_name("values.json")
    path.write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def told(results, n=ROWS):
    return {"n": n, "success": int(results.n_success), "control": int(results.n_control)}


def singled_out(train, holdout, synthetic):
    found = {}
    for known in (1, 3, 5):
        evaluator = SinglingOutEvaluator(
            train, synthetic, n_attacks=3000, n_cols=known, control=holdout, seed=known
        )
        evaluator.evaluate("univariate" if known == 1 else "multivariate")
        found[str(known)] = told(evaluator.results(), n_queries(evaluator, synthetic, known))
    return found


def n_queries(evaluator, synthetic, known):
    """Of one column there are fewer predicates than asked for; anonymeter keeps no count."""
    if known > 1:
        return 3000
    from anonymeter.evaluators import singling_out_evaluator as inside

    return len(inside.univariate_singling_out_queries(evaluator._syn, 3000, evaluator._rng))


def linked(train, holdout, synthetic, halves):
    names = tuple([NAMES[c] for c in half] for half in halves)
    evaluator = LinkabilityEvaluator(train, synthetic, names, None, 1, holdout)
    return told(evaluator.evaluate(n_jobs=1).results())


def inferred(frames, coded, secret):
    """A number's secret is its bin."""
    known = [name for name in NAMES if name != secret]
    train, holdout, synthetic = (
        frame.assign(**{secret: codes[secret]}) for frame, codes in zip(frames, coded, strict=True)
    )
    evaluator = InferenceEvaluator(
        train, synthetic, known, secret, regression=False, n_attacks=ROWS, control=holdout
    )
    return told(evaluator.evaluate(n_jobs=1).results())


def closest(train, holdout, synthetic):
    kinds = {c: "numerical" if i in NUMBERS else "categorical" for i, c in enumerate(NAMES)}
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    found = {}
    for name, frame in (("train", train), ("holdout", holdout)):
        distances = calculate_dcr(frame, synthetic, metadata)
        found[name] = {str(q): float(distances.quantile(q)) for q in (0.05, 0.5)}
    # It divides numbers by each part's own range, and a wider range draws rows near: with the rows
    # that hold the extremes both parts have the same.
    train, holdout = (pd.concat([part, synthetic[:2]]) for part in (train, holdout))
    shares = DCROverfittingProtection.compute_breakdown(
        train, synthetic, holdout, {"tables": {"adult": metadata}}, "adult"
    )["synthetic_data_percentages"]
    return found | {"closer to train": float(shares["closer_to_training"])}


def similar(coded):
    return {
        f"{NAMES[a]} {NAMES[b]}": ContingencySimilarity.compute(
            coded[0][[NAMES[a], NAMES[b]]], coded[2][[NAMES[a], NAMES[b]]]
        )
        for a, b in combinations(PAIRS, 2)
    }


if __name__ == "__main__":
    logging.disable()
    warnings.simplefilter("ignore")
    main()
