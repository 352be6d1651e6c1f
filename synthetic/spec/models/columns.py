"""A column: what it means, and where its values come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from synthetic.spec.expressions import Type, names, parse
from synthetic.spec.models.assume import Assume, Missing
from synthetic.spec.models.base import Bilingual, Expression, Identifier, Model, Qualified, Words
from synthetic.spec.models.links import Link

ModelColumn = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Identifying(Model):
    """An identifier with its true structure and a mark that nobody can be given.

    Which parts a kind needs, and of which type, is told by `synthetic.spec.kinds`.
    """

    kind: Identifier
    parts: dict[Identifier, Expression] = Field(default={})


class CodesFrom(Model):
    """A code list that is a published table: one row per code."""

    table: str
    code: str
    vi: str
    en: str | None = None
    where: dict[str, str] = Field(default={})


class ColumnSpec(Model):
    """A column: what it means, and where its values come from.

    Sources, exactly one: `take` (a field of the row's structure, or `parent.column`), `follows` (a
    margin, given other columns), `derive`, `assume`, `identifier`, `link`, `model` (a column of the
    table's fitted model). Only `follows` and an assumption by code take `given` (a list of columns
    will do for the latter); only `follows` and `assume` take `per`. A column of type 'code' holds
    nothing but its codes. A 'decimal' is a whole number of its last place everywhere in a spec:
    with places = 2, quantiles and expressions say 1250 for 12.50. A 'timestamp' is a local time to
    the second.
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
    references_with: dict[Identifier, Identifier] = Field(
        default={}
    )  # the key's other columns -> ours
    leaves_area: bool = False  # the key may lead to a row of another area
    hidden: bool = False  # computed for other columns, not written
    stored: bool = True  # False: not in the files, worked out from others when the table is read

    take: str | None = None
    follows: Identifier | None = None
    given: dict[Identifier, Identifier] = Field(default={})  # axis of the margin -> column
    derive: Expression | None = None
    assume: Assume | None = None
    identifier: Identifying | None = None
    link: Link | None = None
    model: ModelColumn | None = None

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
        sources = ("take", "follows", "derive", "assume", "identifier", "link", "model")
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
        plain = self.derive is not None and self.only_if is None and self.missing is None
        if not self.stored and (self.hidden or self.type != "text" or not plain):
            raise ValueError(
                "only a text that is seen and derived, with no 'only_if' and no 'missing', can be "
                "left out of the files (stored = false)"
            )
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
