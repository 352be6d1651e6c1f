"""Three small tables made of Adult by a fixed rule: 2,000 rows each of train, holdout, synthetic.

A synthetic row is a row of train in which each column is, once in two, another row's, and numbers
are moved a little. The first two rows hold the least and the greatest of every number, so that all
tools see the same ranges. Python's own generator gives the same everywhere.
"""

from __future__ import annotations

import csv
import lzma
from bisect import bisect_right
from pathlib import Path
from random import Random

FILE = Path(__file__).parents[2] / "benchmarks" / "data" / "adult.data.xz"
NAMES = (
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"),
    *("relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week"),
    *("native_country", "income"),
)
NUMBERS = (0, 2, 4, 10, 11, 12)
NOISE = {0: 1, 2: 1000, 12: 1}
ROWS = 2000
HALVES = (  # of the columns, for linkability
    ((0, 2, 4, 6, 8, 10, 12, 14), (1, 3, 5, 7, 9, 11, 13)),
    ((0, 1, 3, 5, 9), (2, 6, 7, 10, 12, 13)),
)


def tables():
    """Train, holdout and synthetic as lists of rows."""
    with lzma.open(FILE, "rt", newline="") as file:
        read = csv.reader(file, skipinitialspace=True)
        rows = [row for row in read if len(row) == len(NAMES)][: 2 * ROWS]
    rows = [[int(v) if c in NUMBERS else v for c, v in enumerate(row)] for row in rows]
    ends = {c: (min(row[c] for row in rows), max(row[c] for row in rows)) for c in NUMBERS}
    train, chance = rows[:ROWS], Random(7)
    made = [_made(train, ends, chance) for _ in range(ROWS)]
    for column, least_and_most in ends.items():
        made[0][column], made[1][column] = least_and_most
    return train, rows[ROWS:], made


def _made(train, ends, chance):
    row = list(chance.choice(train))
    for column in range(len(row)):
        if chance.random() < 0.5:
            row[column] = chance.choice(train)[column]
        if column in NOISE:
            moved = row[column] + chance.randint(-NOISE[column], NOISE[column])
            row[column] = min(max(moved, ends[column][0]), ends[column][1])
    return row


def cuts(train, column, bins=16):
    """The edges of a number's bins: quantiles of train, each once."""
    values = sorted(row[column] for row in train)
    return sorted({values[len(values) * i // bins] for i in range(1, bins)})


def binned(rows, train, column):
    """The bin of each row's number, or the text of its category."""
    if column not in NUMBERS:
        return [row[column] for row in rows]
    edges = cuts(train, column)
    return [f"bin {bisect_right(edges, row[column])}" for row in rows]
