"""A small table of invented records, the spec that bounds it, and models made by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.private.aliases import whole
from synthetic.private.model import Model, WholeMove
from synthetic.private.schema import compiled
from synthetic.private.spec import PrivateSpec
from synthetic.spec.load import parse_as

SPEC = """
source = "survey"

[limit]
epsilon = 3
delta = 1e-6

[columns.age]
type = "integer"
low = 0
high = 99
bins = 10

[columns.sex]
type = "category"
values = ["female", "male"]
missing = true

[columns.job]
type = "category"
values = ["farmer", "teacher", "driver", "other"]
outside = "other"
missing = true

[columns.income]
type = "decimal"
places = 1
low = 0
high = 1000
edges = [1, 10, 100]

[columns.born]
type = "date"
low = 1920-01-01
high = 2019-12-31
bins = 5
missing = true

[columns.married]
type = "boolean"

[[rules]]
holds = "not (age < 10 and married)"
"""


def spec_of(text=SPEC):
    return parse_as(PrivateSpec, text, "survey.toml")


def schema_of(text=SPEC):
    return compiled(spec_of(text), "survey.toml")


def records(n=400, seed=1):
    """Records with values out of bounds, of no category, and missing."""
    rng = np.random.default_rng(seed)
    age = rng.integers(-5, 110, n)
    jobs = ["farmer", "teacher", "driver", "other", "astronaut", None]
    return pa.table(
        {
            "age": age,
            "sex": pa.array([[None, "male", "female"][i] for i in rng.integers(0, 3, n)]),
            "job": pa.array([jobs[i] for i in rng.integers(0, 6, n)]),
            "income": np.round(rng.lognormal(2, 2, n), 1),
            "born": pa.array(
                [None if i % 7 == 0 else int(d) for i, d in enumerate(rng.integers(-2e4, 2e4, n))],
                pa.int32(),
            ).cast(pa.date32()),
            "married": (age >= 20) & (rng.random(n) < 0.6),
            "unit": rng.integers(0, max(n // 3, 1), n),
        }
    )


def write(table, path):
    pq.write_table(table, path)
    return path


TWO = """
source = "two"
[limit]
epsilon = 10
delta = 1e-4
[columns.a]
type = "category"
values = ["a0", "a1", "a2"]
[columns.b]
type = "category"
values = ["b0", "b1", "b2", "b3"]
"""


def model_by_hand(classes=3, seed=5, moves=(), text=TWO):
    """A model of a few classes, whose probabilities are known."""
    spec = spec_of(text)
    sizes = [a.size for a in compiled(spec, "two").attributes]
    rng = np.random.default_rng(seed)
    return Model(
        spec=spec,
        facts={"releasable": False, "releases": []},
        class_weights=whole(rng.dirichlet(np.ones(classes))[None, :])[0],
        shares=np.concatenate(
            [whole(rng.dirichlet(np.full(size, 0.7), classes)) for size in sizes], axis=1
        ),
        moves=tuple(moves),
    )


def move_by_hand(parent, child, stay, to):
    return WholeMove(
        parent=parent,
        child=child,
        stay=np.rint(np.array(stay) * 2**31).astype(np.uint32),
        to=whole(np.array(to)),
    )
