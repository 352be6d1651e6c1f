"""How much a custodian cares for pairs of columns: known before any record is read.

A pair's table gets a part of the budget in proportion to its weight, which is 1 where none is
written: a pair of weight 4 has half the noise of others, one of weight 0 is not measured. Of
entries that speak of one pair, the last one counts. A short file:

    [[pairs]]
    columns = ["age", "income"]
    weight = 4

    [[pairs]]
    columns = ["comment"] # all pairs with it
    weight = 0
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from synthetic.errors import SpecError
from synthetic.private.plan import Clique
from synthetic.private.schema import Schema
from synthetic.private.spec import ColumnName
from synthetic.spec.load import parse_as, text_of
from synthetic.spec.models.base import Model

_LEAST = 0.01  # a smaller one gives nothing but noise
_MOST = 8  # different weights: noise of each scale is drawn in one go


class PairWeight(Model):
    """The weight of one pair, or of all pairs with a column."""

    columns: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=2)]
    weight: float

    @field_validator("weight")
    @classmethod
    def _is_of_use(cls, weight: float) -> float:
        if weight and not _LEAST <= weight <= 1 / _LEAST:
            raise ValueError(f"a weight is 0, or from {_LEAST} to {1 / _LEAST:g}")
        return weight


class Weights(Model):
    """A file of weights."""

    pairs: Annotated[tuple[PairWeight, ...], Field(min_length=1)]


def read(path: Path, schema: Schema) -> dict[Clique, float]:
    """The weights of a file by pair of places, or SpecError that tells what is wrong with it."""
    try:
        asked = parse_as(Weights, text_of(path), path.name)
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file of weights") from None
    found: dict[Clique, float] = {}
    for number, entry in enumerate(asked.pairs):
        try:
            wanted = {schema.place(name) for name in entry.columns}
        except SpecError as error:
            raise SpecError(f"{path.name}: pairs.{number}.columns: {error}") from None
        if len(wanted) < len(entry.columns):
            raise SpecError(f"{path.name}: pairs.{number}.columns: name two different columns")
        pairs = combinations(range(len(schema.attributes)), 2)
        found |= {pair: entry.weight for pair in pairs if wanted <= set(pair)}
    if len(set(found.values())) > _MOST:
        raise SpecError(f"{path.name}: more than {_MOST} different weights; use fewer")
    return found
