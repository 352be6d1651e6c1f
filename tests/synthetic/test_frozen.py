"""Frozen margins are those that the published tables give, and a damaged file is told."""

from __future__ import annotations

import gzip

import pytest

from synthetic.errors import StorageError
from synthetic.spec import frozen
from synthetic.spec.load import load, packaged
from synthetic.spec.margins import computed, resolve


@pytest.mark.parametrize("dataset", packaged())
def test_the_frozen_margins_are_the_published_ones(dataset):
    spec = load(packaged()[dataset])
    path = frozen.path(spec)
    assert path is not None
    if not spec.margins:
        return
    assert path.is_file(), "run `synthetic freeze`: a margin or a published table has changed"
    kept, fresh = frozen.read(path), computed(spec)
    assert list(kept) == list(fresh)
    for name, margin in fresh.items():
        told = kept[name]
        assert (told.table, told.unit, told.axes) == (margin.table, margin.unit, margin.axes)
        assert told.published == margin.published
        assert list(told.cells.items()) == list(margin.cells.items())


def test_another_question_has_no_frozen_answer():
    spec = load(packaged()["population"])
    margin = spec.margins["ages"].model_copy(update={"multiply": 3})
    asked = spec.model_copy(update={"margins": spec.margins | {"ages": margin}})
    path = frozen.path(asked)
    assert path is not None
    assert not path.exists()
    assert resolve(asked)["ages"].total == resolve(spec)["ages"].total  # it is rescaled anyway


HARMED = {
    "empty": b"",
    "no gzip": b"not gzip",
    "another digest": gzip.compress(b"0\n{}"),
    "no digest": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("harm", HARMED.values(), ids=HARMED)
def test_a_damaged_file_is_told(tmp_path, harm):
    path = tmp_path / "margins-x.json.gz"
    path.write_bytes(harm)
    with pytest.raises(StorageError, match=r"margins-x.json.gz: damaged .* install .* again"):
        frozen.read(path)
