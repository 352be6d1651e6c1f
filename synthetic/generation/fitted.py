"""Columns that are drawn together from a fitted model, given other columns of the row.

The model itself comes from above: this room knows what it can do, and not how.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from synthetic.generation.fields import Fields
from synthetic.generation.frames import Frame, Parent, Source, Sources
from synthetic.generation.values import Ints, Values
from synthetic.spec.models import ModelSpec

_DRAWN = "[model]"  # among a frame's parents; no column can have this name


class Fitted(Protocol):
    """A model that gives rows by key: the same row whichever others are asked for with it."""

    @property
    def digest(self) -> str:
        """A hash of all that rows are drawn from."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a manifest says of it."""

    def draw(
        self, seed: int, path: tuple[str, str], keys: Ints, given: Mapping[str, Values]
    ) -> Mapping[str, Values]:
        """The columns of the model that are not given, for the rows of a table of this path."""


def compile_fitted(
    model: Fitted, spec: ModelSpec, seed: int, path: tuple[str, str], column: str
) -> Source:
    """Return the function that gives a column of the model; a frame's rows are drawn once."""

    def drawn(frame: Frame) -> Frame:
        given = {theirs: frame.column(ours) for theirs, ours in spec.given.items()}
        rows = model.draw(seed, path, frame.key, given)
        return Frame(frame.n, frame.key, Fields(rows), Sources({}, ()), frame.as_of)

    def compute(frame: Frame) -> Values:
        if _DRAWN not in frame.parents:
            frame.parents[_DRAWN] = Parent.of(drawn(frame), None)
        parent = frame.parents[_DRAWN]
        return parent.bring(parent.frame.field(column))

    return compute
