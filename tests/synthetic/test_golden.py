"""The content of every packaged dataset, pinned: no change of speed may change a value.

A change of a spec changes its dataset and those that use it. Remake the file, and read what changed:

    uv run pytest tests/synthetic/test_golden.py -m "" -n 0 --update-golden

Where no spec and no published table changed and a hash does all the same, raise
`synthetic.build.GENERATION`, or find the fault.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthetic.build import make_recipe, shard_table
from synthetic.generation.world import World
from synthetic.spec.load import load_all, packaged
from synthetic.tables.content import Content, of_table

PINNED = Path(__file__).parent.parent / "golden" / "content.json"
RECIPES = {"exact": ("0.001", 1), "sampled": ("0.0005", 7)}  # draw -> scale, seed
QUICK = {("population", "exact"), ("population", "sampled"), ("enterprise", "exact")}


def contents(dataset, draw):
    """The content hash of every table of a dataset, without a file."""
    scale, seed = RECIPES[draw]
    world = World(load_all([dataset]), make_recipe(scale, None, seed, draw), Path("unused"))
    found = {}
    for name in world.specs[dataset].tables:
        shards = world.shards(f"{dataset}.{name}")
        parts = (of_table(shard_table(world, shard)) for shard in shards)
        found[name] = sum(parts, Content()).hexdigest()
    return found


@pytest.mark.parametrize(
    ("dataset", "draw"),
    [
        pytest.param(d, m, marks=() if (d, m) in QUICK else pytest.mark.slow)
        for d in packaged()
        for m in RECIPES
    ],
)
def test_a_dataset_has_the_content_that_is_pinned(request, dataset, draw):
    pinned = json.loads(PINNED.read_text()) if PINNED.is_file() else {}
    found = contents(dataset, draw)
    if request.config.getoption("--update-golden"):
        pinned.setdefault(dataset, {})[draw] = found
        PINNED.write_text(json.dumps(pinned, indent=1, sort_keys=True) + "\n")
    assert found == pinned.get(dataset, {}).get(draw)


def test_nothing_else_is_pinned():
    assert set(json.loads(PINNED.read_text())) == set(packaged())
