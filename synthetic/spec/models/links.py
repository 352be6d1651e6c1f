"""Keys that lead to another row, and whom they may choose."""

from __future__ import annotations

from pydantic import Field, model_validator

from synthetic.spec.models.base import Expression, Identifier, Model, Qualified


class Link(Model):
    """A key to another row. Columns of that row may be taken: `take = "key.column"`.

    members: a table of members, or of children. A row of another group of the same area, met at
    random, for whom `where` holds; if there is none, a row of a further group. Rows of units and of
    groups meet groups that no other row meets, as long as they last; rows of other tables meet them
    with replacement.

    units: a table of units (or of groups). One of the same area for which `where` holds, with a
    chance in proportion to the column `weight`, or, with `once`, one that no other row meets, as
    long as they last; `match` asks that the unit's columns hold the same
    codes as the row's, and `same_place` prefers units of the row's own place. Where the area has
    none, `elsewhere` takes one from the whole country.

    own: an earlier row of the same table: of the same area for units and groups, of the same parent
    or group for all others. Missing for the first.

    same: the row of `members`, a table that matches members to units, that stands for the very
    member that this row stands for or lies below: a person's employment. Missing where it has none.

    `area` gives the area to choose in, for members and units. `within` asks for a row of
    `members` below the row's own group or unit ("group"), or below the one that another key
    leads to; it is never the row itself, and missing where nobody is found. `by` is a column of
    whole numbers: children of one parent who have the same number there meet the same row, as an
    account pays the same few others again and again.
    """

    members: Qualified | None = None
    units: Qualified | None = None
    own: bool = False
    where: Expression | None = None
    weight: Identifier | None = None
    match: dict[Identifier, Identifier] = Field(
        default={}
    )  # column of the units -> column of the row
    same_place: bool = False
    elsewhere: bool = False
    once: bool = False
    same: bool = False
    area: Expression | None = None
    within: Identifier | None = None
    by: Identifier | None = None

    @model_validator(mode="after")
    def _fits(self) -> Link:
        if (self.members is not None) + (self.units is not None) + self.own != 1:
            raise ValueError("give exactly one of 'members', 'units' and own = true")
        kind = "members" if self.members else "units" if self.units else "own"
        taken = {
            "members": {"members", "where", "area", "within", "same", "by"},
            "units": {
                "units",
                "where",
                "weight",
                "match",
                "same_place",
                "elsewhere",
                "area",
                "once",
            },
            "own": {"own"},
        }[kind]
        strange = sorted(self.model_fields_set - taken)
        if strange:
            raise ValueError(f"a link to {kind} takes no {strange[0]!r}; remove it")
        beside = sorted(self.model_fields_set - {"units", "once"})
        if self.once and beside:
            raise ValueError(f"once = true takes no {beside[0]!r} beside; remove one")
        beside = sorted(self.model_fields_set - {"members", "same"})
        if self.same and beside:
            raise ValueError(f"same = true takes no {beside[0]!r} beside; remove one")
        if self.within is not None and self.area is not None:
            raise ValueError("'within' needs no 'area'; remove one")
        beside = sorted(self.model_fields_set & {"area", "within"})
        if self.by is not None and beside:
            raise ValueError(f"'by' takes no {beside[0]!r} beside; remove one")
        return self

    @property
    def may_be_missing(self) -> bool:
        """Whether some row may find nobody."""
        return self.own or self.same or self.within is not None

    @property
    def may_leave_area(self) -> bool:
        """Whether the row that is found may lie in another area."""
        return self.elsewhere or self.area is not None
