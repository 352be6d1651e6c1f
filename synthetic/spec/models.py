"""What a person may write in a dataset's spec: strict models that refuse whatever they do not know.

The models say what each key means and check what one key can tell alone. `synthetic.spec.check`
looks at what several keys, or several specs, must tell together.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from synthetic.spec.expressions import Type

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Qualified = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,2}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Expression = Annotated[str, StringConstraints(min_length=1)]
Knot = Annotated[int, Field(ge=-(2**31), le=2**31)]  # a draw spans at most 2**32

RESERVED = ("main", "temp", "system", "information_schema", "pg_catalog", "published")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Bilingual(_Model):
    """A text for people, in Vietnamese and in English."""

    vi: Words
    en: Words


class Wide(_Model):
    """An axis whose categories stand as columns of the published table."""

    axis: Identifier
    columns: dict[str, str] = Field(min_length=1)  # category -> column of the table


class Rescale(_Model):
    """Bring the margin's totals over some axes to those of another margin (newer, or official)."""

    to: Identifier
    over: tuple[Identifier, ...] = Field(min_length=1)


class Complete(_Model):
    """Fill the cells that are not published: what is left of a total, shared by another margin."""

    total: Identifier
    share_by: Identifier  # its other axes are added to this margin


class MarginSpec(_Model):
    """Numbers read from one published table: which rows, which axes, in which unit.

    One row of the table gives one cell. Where several rows meet in a cell, as years do that
    `where` does not choose from, `add_up` says that their sum is meant; else it is a fault.
    """

    table: str
    where: dict[str, str | tuple[str, ...]] = {}
    axes: dict[Identifier, str] = {}  # axis -> column of the table
    wide: Wide | None = None
    value: str | None = None
    rename: dict[Identifier, dict[str, str]] = {}  # axis -> category as published -> our code
    keep: dict[Identifier, tuple[str, ...]] = {}  # axis -> only these categories, in this order
    through: dict[Identifier, tuple[str, str, str]] = {}  # axis -> (table, from column, to column)
    add_up: bool = False  # several rows may meet in a cell and are added
    multiply: int = Field(default=1, ge=1, le=10**9)
    times: Identifier | None = None  # multiplied by another margin with the same axes
    complete: Complete | None = None
    sum_over: tuple[Identifier, ...] = ()
    rescale: Rescale | None = None
    unit: Words = "persons"

    @model_validator(mode="after")
    def _has_a_value(self) -> MarginSpec:
        if (self.wide is None) == (self.value is None):
            raise ValueError("give either 'value' or 'wide', not both")
        return self


class PoolSpec(_Model):
    """A pool of household compositions, reweighted for each stratum to published margins.

    `strata` gives persons by (area, residence), urban first, and `sex` by (area, sex): both are
    quotas. `ages` gives persons by (area, sex, five-year band) and `places` by (area, place);
    `place_area` square kilometres by (area, place). The mean size is `persons_total` divided by
    `groups_total`. The rest are percent of persons of 15 and over: `without_spouse` and
    `divorced` by residence, `never_married` and `married` for the country.
    """

    kind: Literal["household_compositions"]
    strata: Identifier
    sex: Identifier
    ages: Identifier
    places: Identifier
    place_area: Identifier
    persons_total: Identifier
    groups_total: Identifier
    without_spouse: Identifier
    never_married: Identifier
    married: Identifier
    divorced: Identifier
    templates: int = Field(default=8192, ge=64, le=65535)
    because: Bilingual


class UnitRows(_Model):
    """Rows for units such as enterprises: a published number per area, shared among its places."""

    per: Identifier  # margin with axis area
    places: Identifier  # margin with axes area, place
    because: Bilingual


class MatchingRows(_Model):
    """One row for each member of `members` who is given a place in one of `units`."""

    members: Qualified
    where: Expression
    per_group: int = Field(ge=1, le=8)
    units: Qualified
    capacity: Identifier
    because: Bilingual


class Rows(_Model):
    """What the rows of a table are. Exactly one of these."""

    groups_of: Identifier | None = None
    members_of: Identifier | None = None
    units: UnitRows | None = None
    matching: MatchingRows | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Rows:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "give exactly one of 'groups_of', 'members_of', 'units' and 'matching'"
            )
        return self


class Assume(_Model):
    """A distribution that no published table gives. Exactly one of these, and a reason beside it.

    shares: code -> weight. quantiles: equally likely stretches between whole numbers, for all rows
    or for each code of the one column in `given`. date_in_year: any day of the year that the
    expression names. words: one of these texts, each as often as another.

    A stretch holds its lower end and not its upper one, which begins the next; only the last
    stretch holds both. So every stretch is as likely as another, and a knot drawn in one alone.
    """

    shares: dict[str, int] | None = None
    quantiles: tuple[Knot, ...] | dict[str, tuple[Knot, ...]] | None = None
    date_in_year: Expression | None = None
    words: tuple[Words, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Assume:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "give exactly one of 'shares', 'quantiles', 'date_in_year' and 'words'"
            )
        if self.shares is not None and (
            min(self.shares.values(), default=0) < 0 or not sum(self.shares.values())
        ):
            raise ValueError("shares must be zero or more, and not all zero")
        for knots in self.knots().values():
            if len(knots) < 2 or list(knots) != sorted(knots):
                raise ValueError(f"quantiles {list(knots)} must rise, and be two or more")
        repeated = sorted({word for word in self.words or () if (self.words or ()).count(word) > 1})
        if repeated:
            raise ValueError(f"words repeats {repeated[0]!r}; use 'shares' for unequal weights")
        return self

    def knots(self) -> dict[str, tuple[int, ...]]:
        """Return the quantiles by code; the empty code where they do not depend on one."""
        if self.quantiles is None:
            return {}
        return self.quantiles if isinstance(self.quantiles, dict) else {"": self.quantiles}


class Identifying(_Model):
    """An identifier with its true structure and a mark that nobody can be given.

    Which parts a kind needs, and of which type, is told by `synthetic.spec.kinds`.
    """

    kind: Identifier
    parts: dict[Identifier, Expression] = {}


class Link(_Model):
    """A key to another table's row, chosen in the same area.

    Row i of an area meets group P(i) of that area, P a keyed permutation, and the first of its
    members, counted from a random one, for whom `where` holds; if there is none, it goes on to
    groups that no other row meets. Columns of that member may be taken: `take = "key.column"`.
    """

    members: Qualified
    where: Expression


class CodesFrom(_Model):
    """A code list that is a published table: one row per code."""

    table: str
    code: str
    vi: str
    en: str | None = None
    where: dict[str, str] = {}


class ColumnSpec(_Model):
    """A column: what it means, and where its values come from.

    Sources, exactly one: `take` (a field of the row's structure, or `parent.column`), `follows` (a
    margin, given other columns), `derive`, `assume`, `identifier`, `link`. Only `follows` and
    quantiles by code take `given`; only `follows` and `assume` take `per`. A column of type 'code'
    holds nothing but its codes.
    """

    title: Bilingual
    description: Bilingual | None = None
    type: Literal["integer", "code", "text", "date", "boolean"]
    unit: Words | None = None
    sensitivity: Literal["identifier", "quasi-identifier", "sensitive", "none"] = "none"
    codes: dict[str, Bilingual] | None = None
    codes_from: CodesFrom | None = None
    references: Qualified | None = None
    hidden: bool = False  # computed for other columns, not written

    take: str | None = None
    follows: Identifier | None = None
    given: dict[Identifier, Identifier] = {}  # axis of the margin -> column
    derive: Expression | None = None
    assume: Assume | None = None
    identifier: Identifying | None = None
    link: Link | None = None

    per: Identifier | None = None  # drawn once per value of this field within a group
    only_if: Expression | None = None  # missing elsewhere
    because: Bilingual | None = None

    @model_validator(mode="after")
    def _one_source(self) -> ColumnSpec:
        sources = ("take", "follows", "derive", "assume", "identifier", "link")
        given = [name for name in sources if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(sources)}; found {', '.join(given) or 'none'}"
            )
        if given == ["assume"] and self.because is None:
            raise ValueError("an assumption needs 'because', in Vietnamese and English")
        if self.type == "code" and (self.codes is None) == (self.codes_from is None):
            raise ValueError("a code column needs either 'codes' or 'codes_from'")
        if self.type != "code" and (self.codes is not None or self.codes_from is not None):
            raise ValueError("only a column of type 'code' has a code list")
        self._check_what_sources_take()
        if self.references is not None and self.references.count(".") != 2:
            raise ValueError(f"references = {self.references!r} must be dataset.table.column")
        return self

    def _check_what_sources_take(self) -> None:
        by_code = self.assume is not None and isinstance(self.assume.quantiles, dict)
        if self.given and self.follows is None and not by_code:
            raise ValueError("only 'follows' and quantiles by code take 'given'; remove it")
        if self.per is not None and self.follows is None and self.assume is None:
            raise ValueError("only 'follows' and 'assume' take 'per'; remove it")

    @property
    def expression_type(self) -> Type:
        """The type that expressions see: a code is a text."""
        return Type.TEXT if self.type == "code" else Type(self.type)


class RuleSpec(_Model):
    """A sentence that holds in every row; a row where it is unknown does not break it."""

    title: Bilingual
    holds: Expression


class CompareSpec(_Model):
    """Where a replica is held against a published table."""

    margin: Identifier
    by: dict[Identifier, Expression] = Field(min_length=1)  # axis -> column or expression
    quota: bool = False  # with exact margins every cell is published x scale, to the last unit


class TableSpec(_Model):
    """A table: its rows, columns, key and rules."""

    title: Bilingual
    description: Bilingual
    rows: Rows
    key: tuple[Identifier, ...] = Field(min_length=1)
    area: Identifier  # the column that `--area` selects by
    columns: dict[Identifier, ColumnSpec] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    compare: tuple[CompareSpec, ...] = ()


class Spec(_Model):
    """One dataset."""

    spec: Literal[1]
    dataset: Identifier
    title: Bilingual
    description: Bilingual
    as_of: dt.date
    licence: Words
    uses: tuple[Identifier, ...] = ()
    margins: dict[Identifier, MarginSpec] = {}
    pools: dict[Identifier, PoolSpec] = {}
    tables: dict[Identifier, TableSpec] = Field(min_length=1)

    @field_validator("dataset")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in RESERVED:  # schemas of DuckDB, and ours for the published tables
            raise ValueError(f"a reserved name; choose another than {', '.join(RESERVED)}")
        return name
