"""Tables drawn again: the rows of a whole build, alone; kept where they are whole."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from synthetic.build import Order, build, make_recipe, redraw
from synthetic.errors import BuildError
from synthetic.tables.manifest import Manifest, sha256

pytestmark = pytest.mark.slow

SCALE, SEED = "0.0002", 7


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Enterprises as they were built, with the table of enterprises alone."""
    out = tmp_path_factory.mktemp("original")
    recipe = make_recipe(SCALE, None, 1, "exact")
    found = build(Order(datasets=("enterprise",), recipe=recipe, out=out))[-1]
    tables = [one for one in found.tables if one["name"] == "enterprises"]
    return Manifest(found.folder, {**found.data, "tables": tables})


def test_tables_drawn_alone_are_those_of_a_whole_build(original, tmp_path):
    (drawn,) = redraw([original], seed=SEED, out=tmp_path / "draws")
    recipe = make_recipe(SCALE, None, SEED, "sampled")
    whole = build(Order(datasets=("enterprise",), recipe=recipe, out=tmp_path / "whole"))[-1]
    assert [one["name"] for one in drawn.tables] == ["enterprises"]
    told = next(one for one in whole.tables if one["name"] == "enterprises")
    assert drawn.tables[0]["content_hash"] == told["content_hash"]
    assert [one["sha256"] for one in drawn.tables[0]["files"]] == [
        sha256(path) for path in drawn.files("enterprises")
    ]
    assert drawn.version == whole.version
    assert drawn.data["depends"] == {}
    assert not (tmp_path / "draws" / "population").exists()


def test_what_is_whole_is_kept_and_what_is_not_is_drawn_again(original, tmp_path):
    (drawn,) = redraw([original], seed=SEED, out=tmp_path)
    (file,) = drawn.files("enterprises")
    before = file.stat().st_mtime_ns
    unfinished = file.with_name(f".{file.name}-0a1b2c3d")  # of a build that was killed
    unfinished.write_bytes(b"half")
    (again,) = redraw([original], seed=SEED, out=tmp_path)
    assert again.data == drawn.data
    assert file.stat().st_mtime_ns == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_bytes(file.read_bytes()[:-1])
    (mended,) = redraw([original], seed=SEED, out=tmp_path)
    assert mended.data == drawn.data
    assert pq.read_metadata(file).num_rows == drawn.tables[0]["rows"]


def test_what_another_version_has_built_is_not_drawn_again(original, tmp_path):
    hashes = {**original.data["hashes"], "inputs": "of another generation"}
    other = Manifest(original.folder, {**original.data, "hashes": hashes})
    with pytest.raises(BuildError, match=r"cannot be drawn again: .* build it anew"):
        redraw([other], seed=SEED, out=tmp_path)
