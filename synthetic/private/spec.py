"""What a custodian writes before any record is read: bounds, bins, categories, rules and limits.

Nothing here may come from the records themselves. The models check what one key can tell alone;
`schema` looks at what they tell together. A short one:

    source = "household_survey_2025"   # the same records, the same name: one budget
    limit = {epsilon = 3, delta = 1e-7} # of all fits of this source together
    unit = {column = "person_id", rows = 2} # protect a person, not a row; left out: a row

    [columns.age]
    type = "integer"
    low = 0
    high = 110
    bins = 37

    [columns.sex]
    type = "category"
    values = ["female", "male"]
    missing = true

    [columns.married]
    type = "boolean"

    [[rules]]
    holds = "not (age < 16 and married)"

    [margins.sexes]                     # published: costs nothing
    table = "population_age_sex_national_projection"
    where = {year = "2024"}
    axes = {sex = "sex"}
    value = "population"
    add_up = true
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from synthetic.errors import SpecError
from synthetic.spec.load import parse_as, text_of
from synthetic.spec.models.base import Expression, Identifier, Model
from synthetic.spec.models.margins import MarginSpec

MOST_LEVELS = 4096  # of one column
_LARGEST = 2**53  # what a file's numbers hold exactly
_NUMBERS = {"integer", "decimal", "date"}
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(max_length=500)]
Bound = dt.date | int | Decimal


class PrivateColumn(Model):
    """A column: the values that it may have, and what becomes of others.

    A number or a date beyond its bounds counts as the nearest bound. A category that is not in
    `values` counts as `outside`; without that, and wherever there is no value that can be read, the
    value is missing if `missing` is true, and else the whole row is left out.
    """

    type: Literal["category", "boolean", "integer", "decimal", "date"]
    values: tuple[Text, ...] = ()  # of a category
    ordered: bool = False  # whether neighbours in `values` are alike
    outside: Text | None = None
    low: Bound | None = None  # of numbers and dates, both bounds included
    high: Bound | None = None
    places: Annotated[int, Field(ge=0, le=9)] | None = None  # of a decimal
    bins: Annotated[int, Field(ge=1, le=MOST_LEVELS)] | None = None  # of equal width
    edges: tuple[Bound, ...] = ()  # or where each bin but the first begins, rising
    missing: bool = False

    @model_validator(mode="after")
    def _fits_its_type(self) -> PrivateColumn:
        if self.type in _NUMBERS:
            self._check_number()
        elif {"low", "high", "places", "bins", "edges"} & self.model_fields_set:
            raise ValueError(f"low, high, places, bins and edges are for {sorted(_NUMBERS)}")
        elif self.type == "boolean" and {"values", "ordered", "outside"} & self.model_fields_set:
            raise ValueError("a boolean is false or true; leave values, ordered and outside out")
        elif self.type == "category":
            self._check_category()
        return self

    def _check_category(self) -> None:
        if not 1 <= len(self.values) <= MOST_LEVELS:
            raise ValueError(f"values: from 1 to {MOST_LEVELS} texts are needed")
        if len(set(self.values)) < len(self.values):
            raise ValueError("values repeats a text; write each once")
        if self.outside is not None and self.outside not in self.values:
            raise ValueError("outside must be one of values: add it there")

    def _check_number(self) -> None:
        if {"values", "ordered", "outside"} & self.model_fields_set:
            raise ValueError("values, ordered and outside are for categories")
        if self.low is None or self.high is None:
            raise ValueError("low and high are needed: bounds known without looking at the records")
        if (self.type == "decimal") != (self.places is not None):
            raise ValueError("places says how many digits follow the point of a decimal, and only")
        low, high = self.whole(self.low), self.whole(self.high)
        if not -_LARGEST <= low <= high <= _LARGEST:
            raise ValueError(f"low must not be above high, and both within {_LARGEST} last places")
        if self.bins is not None and self.edges:
            raise ValueError("give bins or edges, not both")
        if (self.bins or 1) > high - low + 1:
            raise ValueError(f"bins: there are only {high - low + 1} values from low to high")
        if self.bins is None and not self.edges and high - low >= MOST_LEVELS:
            raise ValueError(f"more than {MOST_LEVELS} values: say how many bins of equal width")
        cuts = [low, *(self.whole(edge) for edge in self.edges), high + 1]
        if any(a >= b for a, b in pairwise(cuts)):
            raise ValueError("edges must rise, above low and up to high")

    def whole(self, bound: Bound) -> int:
        """A bound as a whole number: days since 1970-01-01, or last places."""
        if self.type == "date":
            if not isinstance(bound, dt.date) or isinstance(bound, dt.datetime):
                raise ValueError("the bounds of a date are dates such as 2001-12-31")
            return bound.toordinal() - dt.date(1970, 1, 1).toordinal()
        if isinstance(bound, dt.date):
            raise ValueError(f"the bounds of {self.type} values are numbers")
        scaled = Decimal(bound) * 10 ** (self.places or 0)
        if not scaled.is_finite() or scaled != int(scaled):
            raise ValueError(f"a bound has more than {self.places or 0} places")
        return int(scaled)


class PrivateRule(Model):
    """What holds in every row of what is drawn, whatever the records say."""

    holds: Expression


class Limit(Model):
    """What all releases from one source may cost together."""

    epsilon: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    delta: Annotated[float, Field(gt=0, lt=0.001)]


class Unit(Model):
    """Whom a release protects, where that is more than a row: all rows of one person, say."""

    column: ColumnName
    rows: Annotated[int, Field(ge=1, le=1000)]  # that are kept of each


class PublishedMargin(MarginSpec):
    """A packaged table whose axes are columns: it costs nothing and sharpens the model.

    It is read as a dataset's margins are, and used as it was printed.
    """

    strays: Annotated[float, Field(gt=0, le=1)] = 0.1  # how far a cell's part may be from it

    @model_validator(mode="after")
    def _is_as_printed(self) -> PublishedMargin:
        for key in ("times", "weigh", "complete", "rescale", "rake"):
            if getattr(self, key) is not None:
                raise ValueError(f"a published table is used as printed; remove {key!r}")
        return self


class PrivateSpec(Model):
    """One table of records."""

    source: Identifier  # whose budget is spent: the same records, the same name
    limit: Limit
    unit: Unit | None = None
    columns: Annotated[dict[ColumnName, PrivateColumn], Field(min_length=1)]
    rules: tuple[PrivateRule, ...] = ()
    margins: dict[Identifier, PublishedMargin] = Field(default={})  # published, and free


def load(path: Path) -> PrivateSpec:
    """Read a custodian's spec, or raise `SpecError` that names what is wrong and where."""
    try:
        text = text_of(path)
    except FileNotFoundError:
        raise SpecError(f"{path}: no such spec file") from None
    return parse_as(PrivateSpec, text, path.name)
