"""Tables computed together, range by range, have the rows that each has alone."""

from __future__ import annotations

import pytest

from synthetic.build import make_recipe, shard_table
from synthetic.generation import shards as stepping
from synthetic.generation.shards import together, write_shards
from synthetic.generation.world import World
from synthetic.spec.load import load_all
from synthetic.tables.content import Content, of_files, of_table

SPAN = 65_536


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Children of children, members who hold places in units, and links among all of them."""
    recipe = make_recipe("0.001", None, 3, "exact")
    return World(load_all(["insurance"]), recipe, tmp_path_factory.mktemp("models"))


def shards_of(world, groups):
    return [
        shard
        for table in world.tables
        if table.startswith(("insurance.", "enterprise."))
        for shard in world.shards(table, groups)
    ]


@pytest.fixture(scope="module")
def alone(world):
    found = {}
    for shard in shards_of(world, SPAN):
        found[shard.table] = found.get(shard.table, Content()) + of_table(shard_table(world, shard))
    return found


@pytest.mark.parametrize(("groups", "rows"), [(SPAN, 10**9), (SPAN, 20_000), (9_000, 131_072)])
def test_tables_together_are_what_they_are_alone(world, alone, tmp_path, monkeypatch, groups, rows):
    monkeypatch.setattr(stepping, "STEP_ROWS", rows)
    found, paths = {}, {}
    for held in together(shards_of(world, groups), world, groups):
        folder = tmp_path / held[0].table.partition(".")[0]
        for shard, written in write_shards(world, held, folder):
            found[shard.table] = found.get(shard.table, Content()) + written.content
            paths.setdefault(shard.table, []).append(folder / written.path)
    assert found == alone
    for table, files in paths.items():
        assert of_files(files) == alone[table], table


def test_shards_of_one_span_and_dataset_are_computed_together(world):
    shards = shards_of(world, 9_000)
    groups = together(shards, world, 9_000)
    assert {s for held in groups for s in held} == set(shards)
    for held in groups:
        assert len({shard.table.partition(".")[0] for shard in held}) == 1
        assert len({shard.start // 9_000 for shard in held}) == 1
    assert any(len(held) == 3 for held in groups)
