"""What the rows of a table are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from synthetic.spec.models.assume import Assume
from synthetic.spec.models.base import Bilingual, Expression, Identifier, Model, Qualified
from synthetic.spec.models.columns import ColumnSpec

MOST = 4096  # children of one parent


class UnitRows(Model):
    """Rows for units such as enterprises: a published number per area, shared among its places.

    `per` may have more axes than the area (a school's level, a month): every unit then has a
    category of each, a field of the axis' name. A margin without the axis `area` is shared among
    areas by `spread`. Units stand in the order of area, these axes and place.

    Every cell is its published number x scale, rounded down or up, and so is every area's and every
    category's total. With floor = 1 a cell whose published number is above zero keeps a unit at
    any scale, and the totals are larger by these.
    """

    per: Identifier  # margin with axis area, or `spread`, and any others
    places: Identifier  # margin with axes area, place and, where it matters, some of these others
    spread: Identifier | None = None  # margin with axis area
    floor: int = Field(default=0, ge=0, le=1)
    because: Bilingual


class Count(Model):
    """How many children a parent has, drawn: by an assumption, or by a margin with axis `count`.

    Both may be given columns of the parent.
    """

    assume: Assume | None = None
    follows: Identifier | None = None
    given: dict[Identifier, Identifier] = Field(default={})  # axis -> the parent's column

    @model_validator(mode="after")
    def _exactly_one(self) -> Count:
        if (self.assume is None) == (self.follows is None):
            raise ValueError("give either 'assume' or 'follows', not both")
        return self

    def column(self, because: Bilingual) -> ColumnSpec:
        """The same as a column of the parent would say it."""
        text = self.follows is not None or (
            self.assume is not None and self.assume.shares is not None
        )
        return ColumnSpec(
            title=Bilingual(vi="số dòng con", en="number of children"),
            type="text" if text else "integer",
            assume=self.assume,
            follows=self.follows,
            given=self.given,
            because=because,
        )


class ChildRows(Model):
    """Rows below those of another table: so many for each of its rows for whom `where` holds.

    `count` is a whole number, an expression over the parent's columns, or drawn; what it gives is
    brought into 0..most. Every column of the parent may be taken: `take = "parent.column"`. A
    child's number is that of its parent x most + its position: no two of a table are the same.
    """

    of: Qualified
    count: Annotated[int, Field(ge=0, le=MOST)] | Expression | Count
    most: int | None = Field(default=None, ge=1, le=MOST)
    where: Expression | None = None
    because: Bilingual

    @model_validator(mode="after")
    def _is_bounded(self) -> ChildRows:
        if isinstance(self.count, int) == (self.most is not None):
            raise ValueError("'most' bounds a count that is no written number; give it there only")
        return self

    @property
    def stride(self) -> int:
        """More than any child's position."""
        return self.most or max(int(str(self.count)), 1)


class CellRows(Model):
    """One row for each cell of a margin: its axes are fields, and `value` its number.

    `spread`, a margin with axis area, shares every cell among areas. Without an area the rows
    belong to the country, and a replica of any area holds them all.
    """

    of: Identifier
    spread: Identifier | None = None
    scaled: bool = False  # x scale, rounded down or up
    because: Bilingual


class MatchingRows(Model):
    """One row for each member of `members` who is given a place in one of `units`."""

    members: Qualified
    where: Expression
    per_group: int = Field(ge=1, le=8)
    units: Qualified
    capacity: Identifier
    because: Bilingual


class Rows(Model):
    """What the rows of a table are. Exactly one of these."""

    groups_of: Identifier | None = None
    members_of: Identifier | None = None
    units: UnitRows | None = None
    matching: MatchingRows | None = None
    children: ChildRows | None = None
    cells: CellRows | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Rows:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "give exactly one of 'groups_of', 'members_of', 'units', 'matching', 'children' "
                "and 'cells'"
            )
        return self
