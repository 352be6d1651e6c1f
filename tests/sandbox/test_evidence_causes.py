"""Why a cell differs: guessed from its code, the cells that it rests on, and what it shows."""

from __future__ import annotations

import pytest

from sandbox.evidence import calls, causes

SETTINGS = {
    "first": {"host": "sandbox", "folder": "/sandbox/work", "time_zone": "UTC"},
    "repeat": {
        "host": "host-0a1b2c",
        "folder": "/sandbox/0f1e2d3c",
        "time_zone": "Pacific/Marquesas",
    },
}
IMPORTS = """
import datetime as dt, os, platform, random, socket, tempfile, time, uuid
from datetime import date, datetime
from random import choice as pick
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
"""
CASES = {
    "legacy numpy": ("np.random.rand()", "unseeded random"),
    "a generator": ("rng = np.random.default_rng()\nrng.normal()", "unseeded random"),
    "a library": ("random.random()", "unseeded random"),
    "a name of its own": ("pick([1, 2])", "unseeded random"),
    "a model": ("RandomForestClassifier().fit(x, y)", "unseeded random"),
    "a split": ("train_test_split(x, test_size=0.5)", "unseeded random"),
    "a sample": ("frame.sample(3)", "unseeded random"),
    "an id by chance": ("uuid.uuid4()", "unseeded random"),
    "a query's sample": ("%%sql\nSELECT * FROM t USING SAMPLE 5", "unseeded random"),
    "a clock": ("time.time()", "clock"),
    "a date": ("date.today()", "clock"),
    "a moment": ("datetime.now()", "clock"),
    "a moment by its module": ("dt.datetime.now()", "clock"),
    "a moment of pandas": ("pd.Timestamp.now()", "clock"),
    "the present hour": ("time.strftime('%H')", "clock"),
    "a query's date": ("%%sql\nSELECT current_date", "clock"),
    "an hour of a moment": ("time.strftime('%H', time.localtime(0))", "time zone"),
    "a moment without a zone": ("datetime.fromtimestamp(0)", "time zone"),
    "the zone": ("time.tzname", "time zone"),
    "an address": ("id(x)", "memory address"),
    "a set": ("{a, b}", "set order"),
    "a set of a list": ("set(names)", "set order"),
    "a hash": ("hash('x')", "set order"),
    "a host": ("socket.gethostname()", "host"),
    "a system": ("os.uname()", "host"),
    "a folder": ("os.getcwd()", "path"),
    "a temporary folder": ("tempfile.mkdtemp(prefix='x-')", "path"),
    "seeded": ("np.random.seed(1)\nnp.random.rand()", "unknown"),
    "a seeded generator": ("np.random.default_rng(7).normal()", "unknown"),
    "a seeded model": ("RandomForestClassifier(random_state=1)", "unknown"),
    "a seeded sample": ("frame.sample(3, random_state=1)", "unknown"),
    "nothing known": ("open('x').read()", "unknown"),
    "no Python": ("this is no code", "unknown"),
}


def cause(*sources, first="a", repeat="b"):
    codes = calls.read([IMPORTS, *sources])
    return causes.cause(calls.behind(codes, len(sources)), first, repeat, SETTINGS)


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_a_cell_tells_its_likely_cause(source, expected):
    assert cause(source) == expected


def test_the_cause_is_looked_for_in_the_cells_that_made_what_is_shown():
    assert cause("x = np.random.rand(3)", "y = x.mean()", "print(y)") == "unseeded random"
    assert cause("x = np.random.rand(3)", "y = 1", "print(y)") == "unknown"
    assert cause("def draw(): return random.random()", "draw()") == "unseeded random"


SHOWN = {
    "a host": ("on sandbox", "on host-0a1b2c", "host"),
    "a folder": ("/sandbox/work/x", "/sandbox/0f1e2d3c/x", "path"),
    "a zone": ("UTC", "Pacific/Marquesas", "time zone"),
    "another order": ("a b c", "c a b", "set order"),
    "the last digits": ("0.30000000000000004", "0.3", "thread sums"),
    "digits further up": ("0.3000001", "0.3", "thread sums"),
    "another number": ("0.31", "0.3", "unknown"),
    "another count": ("0.3000001 of 5", "0.3 of 6", "unknown"),
}


@pytest.mark.parametrize(("first", "repeat", "expected"), SHOWN.values(), ids=SHOWN)
def test_what_is_shown_tells_the_cause_where_the_code_does_not(first, repeat, expected):
    assert cause("print(x)", first=first, repeat=repeat) == expected


def test_of_several_causes_the_one_that_looks_like_the_difference_is_told():
    source = "print(set(names), random.random())"
    assert cause(source, first="a b c", repeat="b c a") == "set order"
    assert cause(source, first="0.5", repeat="0.7") == "unseeded random"
    assert cause("random.random()", first="0.30000000000000004", repeat="0.3") == "thread sums"
