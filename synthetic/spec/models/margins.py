"""Numbers read from published tables, and how several are brought to agree."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from synthetic.spec.models.base import Bilingual, Identifier, Model, Share, Words


class Wide(Model):
    """An axis whose categories stand as columns of the published table."""

    axis: Identifier
    columns: dict[str, str] = Field(min_length=1)  # category -> column of the table


class Rescale(Model):
    """Bring the margin's totals over some axes to those of another margin (newer, or official)."""

    to: Identifier
    over: tuple[Identifier, ...]  # none: the totals alone


class Complete(Model):
    """Fill the cells that are not published: what is left of a total.

    Either shared by another margin, whose other axes are added to this one, or, of a margin with
    one axis, whole, as a further category `rest` ("other", or what percentages lack of 100).
    """

    total: Annotated[int, Field(ge=1, le=10**12)] | Identifier  # a written number, or a margin
    share_by: Identifier | None = None
    rest: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Complete:
        if (self.share_by is None) == (self.rest is None):
            raise ValueError("give either 'share_by' or 'rest', not both")
        return self


class Weigh(Model):
    """Multiply cells by assumed whole numbers, by the codes of some axes joined by "|".

    "*" stands for any code, as in an assumption by code; every cell must find its number. What
    comes out is no longer published.
    """

    by: tuple[Identifier, ...] = Field(min_length=1)
    weights: dict[str, Annotated[int, Field(ge=0, le=10**9)]] = Field(min_length=1)
    because: Bilingual


class Rake(Model):
    """A margin over several axes that agrees with several others, each over some of them.

    `start` gives the cells before (how the axes hang together; without it they hang together only
    as the margins say), and `to` the margins that they are brought to, all totals being the first
    one's. `tolerance` is the largest part of the total by which margins may disagree; the first is
    then met and the others as nearly as can be.
    """

    to: tuple[Identifier, ...] = Field(min_length=2)
    start: Identifier | None = None
    tolerance: Share = "0.001"


class MarginSpec(Model):
    """Numbers read from one published table: which rows, which axes, in which unit.

    One row of the table gives one cell. Where several rows meet in a cell, as years do that
    `where` does not choose from, `add_up` says that their sum is meant; else it is a fault.
    A margin that is raked reads no table of its own.
    """

    table: str = ""
    where: dict[str, str | tuple[str, ...]] = Field(default={})
    axes: dict[Identifier, str] = Field(default={})  # axis -> column of the table
    wide: Wide | None = None
    value: str | None = None
    rename: dict[Identifier, dict[str, str]] = Field(
        default={}
    )  # axis -> category as published -> our code
    keep: dict[Identifier, tuple[str, ...]] = Field(
        default={}
    )  # axis -> only these categories, in this order
    through: dict[Identifier, tuple[str, str, str]] = Field(
        default={}
    )  # axis -> (table, from column, to column)
    add_up: bool = False  # several rows may meet in a cell and are added
    multiply: int = Field(default=1, ge=1, le=10**9)
    times: Identifier | None = None  # multiplied by another margin with the same axes
    weigh: Weigh | None = None  # multiplied by assumed numbers
    complete: Complete | None = None
    sum_over: tuple[Identifier, ...] = ()
    rescale: Rescale | None = None
    rake: Rake | None = None
    unit: Words = "persons"

    @model_validator(mode="after")
    def _has_a_value(self) -> MarginSpec:
        if self.rake is not None:
            other = sorted(self.model_fields_set - {"rake", "unit"})
            if other:
                raise ValueError(f"a raked margin takes nothing but 'unit'; remove {other[0]!r}")
            return self
        if not self.table:
            raise ValueError("give 'table', a published table, or 'rake'")
        if (self.wide is None) == (self.value is None):
            raise ValueError("give either 'value' or 'wide', not both")
        return self
