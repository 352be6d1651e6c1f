"""The private fit on tables that are not Adult, and how near its defaults are to the best there.

    uv run python -m tests.benchmarks.private_others [--runs 3] [--epsilons 1 10] [--grid]
        [--tables titanic persons households digits]

Adult tunes nothing: defaults are held against a small grid on these four. Two are real (passengers
of the Titanic; the middle of scikit-learn's handwritten digits), two are replicas, whose truth is
known since we drew it. Beside each stand its own yardsticks: a bootstrap of the records, and their
columns shuffled. `--grid` changes one setting at a time, with the same noise for all of them, and
prints how the mean of tv2 and tv3 changes. Noise is seeded: nothing here is a release.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from synthetic.build import Order as Replicas
from synthetic.build import build, make_recipe
from synthetic.private import InsecureNoise, plan, regimes
from tests.benchmarks import private_scores as scored
from tests.benchmarks.private import drawn, order_of

fit = importlib.import_module("synthetic.private.fit")  # the module: its name is a function's, too
HEAD = ['source = "other"', "[limit]", "epsilon = 100", "delta = 1e-6"]
GRID = {  # what a setting is, and what it might be instead; its default is left out
    "rows of a group": (fit, "FEWEST", (0.5, 2.0, 3.0)),
    "one-way share": (plan, "_ONE_WAY_SHARE", (0.08, 0.25)),
    "second stage's share": (plan, "_AGAIN_SHARE", (0.3, 0.7)),
    "iterations": (regimes, "_ITERATIONS", (40, 60, 120, 170)),
    "pull": (regimes, "_PULL", (100.0, 1000.0)),
    "smooth": (regimes, "_SMOOTH", (30.0, 300.0)),
    "gate of repairs": (regimes, "_GATE", (4.0, 10.0)),
}


def integers(table, bounds):
    return [
        f'[columns.{name}]\ntype = "integer"\nlow = {low}\nhigh = {high}'
        for name, (low, high) in zip(table.columns, bounds, strict=True)
    ]


def titanic(_):
    """A small table of codes, 1,304 rows."""
    table = pd.read_csv(scored.DATA / "titanic.csv")
    sizes = json.loads((scored.DATA / "titanic-domain.json").read_text("utf-8"))
    bounds = [(0, sizes[name] - 1) for name in table.columns]
    return table, "\n".join(HEAD + integers(table, bounds))


def digits(_):
    """Which digit was written, and how dark the 16 points in the middle are: 1,797 rows."""
    images = load_digits()
    table = pd.DataFrame(images.images[:, 2:6, 2:6].reshape(-1, 16).astype(int))
    table.columns = [f"point_{i}" for i in range(16)]
    table["digit"] = images.target
    return table, "\n".join(HEAD + integers(table, [(0, 16)] * 16 + [(0, 9)]))


def replica(folder, name, coded, others):
    """A table of a replica: its coded columns, and others as they are told of."""
    recipe = make_recipe("0.0005", None, 1, "exact")
    (made,) = build(Replicas(datasets=("population",), recipe=recipe, out=folder))
    table = pd.read_parquet(made.folder / name, columns=[*coded, *others])
    lines = list(HEAD)
    for column in coded:
        table[column] = table[column].astype("string").fillna("none").astype(str)
        values = json.dumps(sorted(table[column].unique()), ensure_ascii=False)
        lines.append(f'[columns.{column}]\ntype = "category"\nvalues = {values}')
    lines += [f"[columns.{column}]\n{text}" for column, text in others.items()]
    return table, "\n".join(lines)


def persons(folder):
    """54 ethnic groups, dates, ages, relations that marriage determines: 50,672 rows."""
    coded = ["province_code", "residence", "sex", "relation", "marital_status", "ethnic_group"]
    age = 'type = "integer"\nlow = 0\nhigh = 119\nbins = 40'
    born = 'type = "date"\nlow = 1910-01-01\nhigh = 2026-12-31\nbins = 39'
    return replica(folder, "persons", coded, {"age": age, "birth_date": born})


def households(folder):
    """Four columns only, 14,105 rows."""
    size = 'type = "integer"\nlow = 1\nhigh = 20'
    return replica(
        folder, "households", ["province_code", "residence", "ethnic_group"], {"size": size}
    )


TABLES = {"titanic": titanic, "persons": persons, "households": households, "digits": digits}


def codes_of(table, like):
    """Codes of both tables' values: their own, or 40 bins of a wide number or date."""
    found = {}
    for name in like.columns:
        whole = pd.concat([like[name], table[name]], ignore_index=True)
        if whole.nunique() > 95:
            whole = pd.cut(pd.to_datetime(whole) if whole.dtype == object else whole, 40)
        codes = pd.Categorical(whole).codes.astype(np.int64)
        found[name] = codes[len(like) :], codes[: len(like)], int(codes.max()) + 1
    return [{name: held[i] for name, held in found.items()} for i in range(3)]


def distances(table, like):
    """tv1, tv2 and tv3 of a table."""
    ours, theirs, sizes = codes_of(table, like)
    return [scored.total_variation(ours, theirs, sizes, k) for k in (1, 2, 3)]


def told(name, found):
    print(f"  {name:<28}" + "".join(f"{value:>9.4f}" for value in found), flush=True)


@contextmanager
def changed(module, name, value):
    """A setting that is another one for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    yield
    setattr(module, name, before)


def fitted(data, text, epsilon, table, runs, mode="default"):
    """The mean distances of rows drawn from fits with the noise of these seeds."""
    found = []
    for seed in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            model = fit.fit(order_of(data, text, mode, epsilon, folder), InsecureNoise(seed))
        found.append(distances(drawn(model, len(table)), table))
    return np.mean(found, axis=0)


def report(name, folder, *, epsilons, runs, grid):
    """Distances of the defaults on one table, its yardsticks, and the grid; changes by setting."""
    table, text = TABLES[name](folder)
    data = folder / f"{name}.parquet"
    table.to_parquet(data, index=False)
    rng = np.random.default_rng(0)
    shuffled = pd.DataFrame({n: rng.permutation(table[n].to_numpy()) for n in table.columns})
    print(f"\n{name}, {len(table):,} rows, {len(table.columns)} columns: tv1, tv2, tv3")
    told("bootstrap", distances(table.sample(len(table), replace=True, random_state=0), table))
    told("columns shuffled", distances(shuffled, table))
    changes = {}
    for epsilon in epsilons:
        print(f"  epsilon {epsilon:g}")
        default = fitted(data, text, epsilon, table, runs)
        told("  defaults", default)
        told("  fast", fitted(data, text, epsilon, table, runs, "fast"))
        for setting, (module, key, values) in GRID.items() if grid else ():
            for value in values:
                with changed(module, key, value):
                    found = fitted(data, text, epsilon, table, runs)
                told(f"  {setting} {value:g}", found)
                changes[setting, value, epsilon] = found[1:].sum() / default[1:].sum() - 1
    return changes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epsilons", type=float, nargs="*", default=[1.0, 10.0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--grid", action="store_true")
    args = parser.parse_args()
    changes: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.tables:
            found = report(
                name, Path(folder), epsilons=args.epsilons, runs=args.runs, grid=args.grid
            )
            for key, change in found.items():
                changes.setdefault(key, []).append(change)
    if changes:
        print("\nchange of tv2 + tv3 against the defaults, by table; less is better")
    for (setting, value, epsilon), each in changes.items():
        cells = "".join(f"{change:>+8.1%}" for change in each)
        print(f"  {setting:<22}{value:>7g}  epsilon {epsilon:<4g}{cells}   mean {mean(each):+.1%}")


if __name__ == "__main__":
    main()
