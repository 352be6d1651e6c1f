"""What a person may write in a dataset's spec: strict models that refuse whatever they do not know.

The models say what each key means and check what one key can tell alone. `synthetic.spec.check`
looks at what several keys, or several specs, must tell together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Container, Mapping, Sequence
from itertools import product
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from synthetic.spec.expressions import Type, names, parse

T = TypeVar("T")
ANY = "*"  # in a key of a table by code: whatever the code


def by_code(table: Mapping[str, T] | T) -> dict[str, T]:
    """A table by code; the empty code alone where it does not depend on one."""
    return dict(table) if isinstance(table, Mapping) else {"": table}


def key_of(combination: Sequence[str], keys: Container[str]) -> str | None:
    """The most specific key for a combination of codes, counted from the left; None if none fits."""
    for parts in product(*((code, ANY) for code in combination)):
        if "|".join(parts) in keys:
            return "|".join(parts)
    return ANY if ANY in keys else None


def _share(text: str) -> str:
    if not re.fullmatch(r"0(\.\d{1,9})?|1(\.0{1,9})?", text, re.ASCII):
        raise ValueError('a share is a decimal from 0 to 1, such as "0.03"')
    return text


def _check_any(what: str, texts: tuple[str, ...]) -> None:
    if not texts:
        raise ValueError(f"{what}: at least 1 text is needed")


def _check_weights(
    what: str, table: tuple[int, ...] | dict[str, tuple[int, ...]] | None, n: int
) -> None:
    for key, weights in by_code(table).items() if table is not None else ():
        where = f"{what} of {key!r}" if key else what
        if len(weights) != n or not any(weights):
            raise ValueError(f"{where}: {n} weights are needed, not all zero; found {len(weights)}")


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Qualified = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,2}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Expression = Annotated[str, StringConstraints(min_length=1)]
Knot = Annotated[int, Field(ge=-(2**31), le=2**31)]  # a draw spans at most 2**32
Weight = Annotated[int, Field(ge=0, le=100_000)]
Weights = tuple[Weight, ...]
Shares = dict[str, int]
Choices = tuple[Words, ...] | dict[str, tuple[Words, ...]]
Share = Annotated[
    str, BeforeValidator(lambda x: repr(x) if isinstance(x, float) else x), AfterValidator(_share)
]
SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_TEXT_WITH_SLOTS = re.compile(r"(?:[^{}]|\{[a-z][a-z0-9_]*\})+")

MOST = 4096  # children of one parent
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
    over: tuple[Identifier, ...]  # none: the totals alone


class Complete(_Model):
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


class Weigh(_Model):
    """Multiply cells by assumed whole numbers, by the codes of some axes joined by "|".

    "*" stands for any code, as in an assumption by code; every cell must find its number. What
    comes out is no longer published.
    """

    by: tuple[Identifier, ...] = Field(min_length=1)
    weights: dict[str, Annotated[int, Field(ge=0, le=10**9)]] = Field(min_length=1)
    because: Bilingual


class Rake(_Model):
    """A margin over several axes that agrees with several others, each over some of them.

    `start` gives the cells before (how the axes hang together; without it they hang together only
    as the margins say), and `to` the margins that they are brought to, all totals being the first
    one's. `tolerance` is the largest part of the total by which margins may disagree; the first is
    then met and the others as nearly as can be.
    """

    to: tuple[Identifier, ...] = Field(min_length=2)
    start: Identifier | None = None
    tolerance: Share = "0.001"


class MarginSpec(_Model):
    """Numbers read from one published table: which rows, which axes, in which unit.

    One row of the table gives one cell. Where several rows meet in a cell, as years do that
    `where` does not choose from, `add_up` says that their sum is meant; else it is a fault.
    A margin that is raked reads no table of its own.
    """

    table: str = ""
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


class Count(_Model):
    """How many children a parent has, drawn: by an assumption, or by a margin with axis `count`.

    Both may be given columns of the parent.
    """

    assume: Assume | None = None
    follows: Identifier | None = None
    given: dict[Identifier, Identifier] = {}  # axis -> the parent's column

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


class ChildRows(_Model):
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


class CellRows(_Model):
    """One row for each cell of a margin: its axes are fields, and `value` its number.

    `spread`, a margin with axis area, shares every cell among areas. Without an area the rows
    belong to the country, and a replica of any area holds them all.
    """

    of: Identifier
    spread: Identifier | None = None
    scaled: bool = False  # x scale, rounded down or up
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


class Grammar(_Model):
    """Free text: one of the texts, each `{slot}` filled from its vocabulary, or from a column.

    A text and each word are drawn apart, each as often as another; texts and vocabularies may
    depend on the codes in the column's `given`. A slot that no vocabulary fills names a text column.
    """

    text: Choices
    vocabularies: dict[Identifier, Choices] = {}

    @field_validator("text", mode="before")
    @classmethod
    def _one_is_a_list(cls, text: object) -> object:
        return (text,) if isinstance(text, str) else text

    @model_validator(mode="after")
    def _has_its_slots(self) -> Grammar:
        for listed in self.vocabularies.values():
            for words in by_code(listed).values():
                _check_any("a vocabulary", words)
        for told in by_code(self.text).values():
            _check_any("text", told)
            for text in told:
                if not _TEXT_WITH_SLOTS.fullmatch(text):
                    raise ValueError(
                        f"text {text!r}: a slot is a name in braces, such as {{object}}"
                    )
        unused = sorted(set(self.vocabularies) - self.slots())
        if unused:
            raise ValueError(f"no text has the slot {{{unused[0]}}}; remove its vocabulary")
        return self

    def slots(self) -> set[str]:
        """The slots of all texts."""
        told = (text for texts in by_code(self.text).values() for text in texts)
        return {slot for text in told for slot in SLOT.findall(text)}


class Tet(_Model):
    """What Tết makes of the days around it, in percent of what they would be: 100 changes nothing.

    Both in the order of the calendar: the last of `before` is the eve, the first of `after` is the
    first day of the year.
    """

    before: tuple[Weight, ...] = Field(default=(), max_length=60)
    after: tuple[Weight, ...] = Field(default=(), max_length=60)


class Day(_Model):
    """A day from one date to another, both included, by weight; without weights, any as likely.

    A day's weight is the product of those of its month, weekday (Monday first) and year, each in
    any unit, and of Tết and holidays ("MM-DD"), in percent. A year that `years` does not name has
    none. Months and weekdays may depend on the codes in the column's `given`.
    """

    from_: Expression = Field(alias="from")
    to: Expression
    months: Weights | dict[str, Weights] | None = None
    weekdays: Weights | dict[str, Weights] | None = None
    years: dict[Annotated[str, StringConstraints(pattern=r"^\d{4}$")], Weight] = {}
    tet: Tet | None = None
    holidays: dict[Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")], Weight] = {}

    @model_validator(mode="after")
    def _has_its_lengths(self) -> Day:
        _check_weights("months", self.months, 12)
        _check_weights("weekdays", self.weekdays, 7)
        for day in self.holidays:
            try:
                dt.date.fromisoformat(f"2000-{day}")
            except ValueError:
                raise ValueError(f"holidays: {day!r} is no day of a year (MM-DD)") from None
        if self.years and not any(self.years.values()):
            raise ValueError("years must not all be zero")
        return self


class Hour(_Model):
    """A time of the day in `at`, a date column: the hour by weight, minute and second any."""

    at: Identifier
    hours: Weights | dict[str, Weights]

    @model_validator(mode="after")
    def _has_its_length(self) -> Hour:
        _check_weights("hours", self.hours, 24)
        return self


class Assume(_Model):
    """A distribution that no published table gives. Exactly one of these, and a reason beside it.

    shares: code -> weight. quantiles: equally likely stretches between whole numbers.
    words: one of these texts, each as often as another. grammar: texts put together from words.
    day: a date of an interval by season. hour: a time of a given day. date_in_year: any day of the
    year that the expression names.

    All but date_in_year may depend on the columns in `given`: a table with a key for each
    combination, their codes joined by "|" in the order of `given`, "*" standing for any code (the
    most specific key counts, from the left), and nothing for a missing value. A number is its
    digits, a boolean true or false.

    A stretch holds its lower end and not its upper one, which begins the next; only the last
    stretch holds both. So every stretch is as likely as another, and a knot drawn in one alone.
    """

    shares: Shares | dict[str, Shares] | None = None
    quantiles: tuple[Knot, ...] | dict[str, tuple[Knot, ...]] | None = None
    date_in_year: Expression | None = None
    words: Choices | None = None
    grammar: Grammar | None = None
    day: Day | None = None
    hour: Hour | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Assume:
        if len(self.model_fields_set) != 1:
            *most, last = (repr(name) for name in type(self).model_fields)
            raise ValueError(f"give exactly one of {', '.join(most)} and {last}")
        for shares in self.weights().values():
            if min(shares.values(), default=0) < 0 or not sum(shares.values()):
                raise ValueError("shares must be zero or more, and not all zero")
        for knots in self.knots().values():
            if len(knots) < 2 or list(knots) != sorted(knots):
                raise ValueError(f"quantiles {list(knots)} must rise, and be two or more")
        for words in () if self.words is None else by_code(self.words).values():
            _check_any("words", words)
            repeated = sorted({word for word in words if words.count(word) > 1})
            if repeated:
                raise ValueError(f"words repeats {repeated[0]!r}; use 'shares' for unequal weights")
        return self

    def knots(self) -> dict[str, tuple[int, ...]]:
        """Return the quantiles by code; the empty code where they do not depend on one."""
        return {} if self.quantiles is None else by_code(self.quantiles)

    def weights(self) -> dict[str, Shares]:
        """Return the shares by code; the empty code where they do not depend on one."""
        if self.shares is None:
            return {}
        nested = {key: value for key, value in self.shares.items() if isinstance(value, dict)}
        flat = {key: value for key, value in self.shares.items() if isinstance(value, int)}
        return nested or {"": flat}

    def tables(self) -> list[dict[str, Any]]:
        """Everything here that depends on codes, by its keys."""
        if self.shares is not None:
            weights = self.weights()
            return [] if set(weights) == {""} and "" not in self.shares else [weights]
        found: list[object] = [self.quantiles, self.words]
        if self.grammar is not None:
            found += [self.grammar.text, *self.grammar.vocabularies.values()]
        if self.day is not None:
            found += [self.day.months, self.day.weekdays]
        if self.hour is not None:
            found.append(self.hour.hours)
        return [table for table in found if isinstance(table, dict)]


class Missing(_Model):
    """Values that are not there: of how many rows, at random or given the codes of some columns."""

    share: Share | dict[str, Share]
    given: tuple[Identifier, ...] = ()
    because: Bilingual

    @model_validator(mode="after")
    def _depends_or_not(self) -> Missing:
        if isinstance(self.share, dict) != bool(self.given):
            raise ValueError("a share by code, and no other, needs columns in 'given'")
        return self


class Identifying(_Model):
    """An identifier with its true structure and a mark that nobody can be given.

    Which parts a kind needs, and of which type, is told by `synthetic.spec.kinds`.
    """

    kind: Identifier
    parts: dict[Identifier, Expression] = {}


class Link(_Model):
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
    leads to; it is never the row itself, and missing where nobody is found.
    """

    members: Qualified | None = None
    units: Qualified | None = None
    own: bool = False
    where: Expression | None = None
    weight: Identifier | None = None
    match: dict[Identifier, Identifier] = {}  # column of the units -> column of the row
    same_place: bool = False
    elsewhere: bool = False
    once: bool = False
    same: bool = False
    area: Expression | None = None
    within: Identifier | None = None

    @model_validator(mode="after")
    def _fits(self) -> Link:
        if (self.members is not None) + (self.units is not None) + self.own != 1:
            raise ValueError("give exactly one of 'members', 'units' and own = true")
        kind = "members" if self.members else "units" if self.units else "own"
        taken = {
            "members": {"members", "where", "area", "within", "same"},
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
        return self

    @property
    def may_be_missing(self) -> bool:
        """Whether some row may find nobody."""
        return self.own or self.same or self.within is not None

    @property
    def may_leave_area(self) -> bool:
        """Whether the row that is found may lie in another area."""
        return self.elsewhere or self.area is not None


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
    margin, given other columns), `derive`, `assume`, `identifier`, `link`. Only `follows` and an
    assumption by code take `given` (a list of columns will do for the latter); only `follows` and `assume` take `per`. A column of type 'code'
    holds nothing but its codes. A 'decimal' is a whole number of its last place everywhere in a
    spec: with places = 2, quantiles and expressions say 1250 for 12.50. A 'timestamp' is a local
    time to the second.
    """

    title: Bilingual
    description: Bilingual | None = None
    type: Literal["integer", "decimal", "code", "text", "date", "timestamp", "boolean"]
    places: int | None = Field(default=None, ge=1, le=6)  # of a decimal
    unit: Words | None = None
    sensitivity: Literal["identifier", "quasi-identifier", "sensitive", "none"] = "none"
    codes: dict[str, Bilingual] | None = None
    codes_from: CodesFrom | None = None
    references: Qualified | None = None
    references_with: dict[Identifier, Identifier] = {}  # the key's other columns -> ours
    leaves_area: bool = False  # the key may lead to a row of another area
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
    missing: Missing | None = None
    because: Bilingual | None = None

    @field_validator("given", mode="before")
    @classmethod
    def _given_may_be_a_list(cls, given: object) -> object:
        listed = isinstance(given, list) and all(isinstance(name, str) for name in given)
        return {name: name for name in given} if listed and isinstance(given, list) else given

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
        if (self.type == "decimal") != (self.places is not None):
            raise ValueError("a decimal column, and no other, needs 'places' (1 to 6)")
        if self.type == "code" and (self.codes is None) == (self.codes_from is None):
            raise ValueError("a code column needs either 'codes' or 'codes_from'")
        if self.type != "code" and (self.codes is not None or self.codes_from is not None):
            raise ValueError("only a column of type 'code' has a code list")
        self._check_what_sources_take()
        if self.references is not None and self.references.count(".") != 2:
            raise ValueError(f"references = {self.references!r} must be dataset.table.column")
        if self.references is None and (self.references_with or self.leaves_area):
            raise ValueError("'references_with' and 'leaves_area' need 'references'")
        return self

    def _check_what_sources_take(self) -> None:
        tables = [] if self.assume is None else self.assume.tables()
        if self.given and self.follows is None and not tables:
            raise ValueError("only 'follows' and an assumption by code take 'given'; remove it")
        if tables and not self.given:
            raise ValueError(f"a table by code ({next(iter(tables[0]))!r}, …) needs 'given'")
        if self.per is not None and self.follows is None and self.assume is None:
            raise ValueError("only 'follows' and 'assume' take 'per'; remove it")

    def texts(self) -> list[str]:
        """The expressions of this column over others of its table, those of a link left out."""
        found = [self.derive, self.only_if]
        if self.assume is not None:
            found.append(self.assume.date_in_year)
            if self.assume.day is not None:
                found += [self.assume.day.from_, self.assume.day.to]
        if self.identifier is not None:
            found += self.identifier.parts.values()
        return [text for text in found if text is not None]

    def named(self) -> set[str]:
        """The columns of its table that this one names outside of expressions."""
        found = set(self.given.values()) | set(() if self.missing is None else self.missing.given)
        if self.assume is not None and self.assume.hour is not None:
            found.add(self.assume.hour.at)
        if self.assume is not None and self.assume.grammar is not None:
            found |= self.assume.grammar.slots() - set(self.assume.grammar.vocabularies)
        return found

    def needs(self) -> set[str]:
        """The columns of its table that must be there before this one."""
        return self.named() | {path[0] for text in self.texts() for path in names(parse(text))}

    @property
    def expression_type(self) -> Type:
        """The type that expressions see: a code is a text, a decimal a whole number."""
        seen = {"code": Type.TEXT, "decimal": Type.INTEGER}
        return seen[self.type] if self.type in seen else Type(self.type)


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
    area: Identifier | None = None  # the column that `--area` selects by; none: the country's
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
