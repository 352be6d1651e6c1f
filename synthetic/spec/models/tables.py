"""A table: its rows, columns and rules, and what it is held against."""

from __future__ import annotations

from pydantic import Field

from synthetic.spec.models.base import Bilingual, Expression, Identifier, Model
from synthetic.spec.models.columns import ColumnSpec
from synthetic.spec.models.questions import QuestionSpec
from synthetic.spec.models.rows import Rows


class RuleSpec(Model):
    """A sentence that holds in every row; a row where it is unknown does not break it."""

    title: Bilingual
    holds: Expression


class CompareSpec(Model):
    """Where a replica is held against a published table."""

    margin: Identifier
    by: dict[Identifier, Expression] = Field(min_length=1)  # axis -> column or expression
    quota: bool = False  # with exact margins every cell is published x scale, to the last unit


class TableSpec(Model):
    """A table: its rows, columns, key and rules, and what it answers."""

    title: Bilingual
    description: Bilingual
    rows: Rows
    key: tuple[Identifier, ...] = Field(min_length=1)
    area: Identifier | None = None  # the column that `--area` selects by; none: the country's
    columns: dict[Identifier, ColumnSpec] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    compare: tuple[CompareSpec, ...] = ()
    questions: tuple[QuestionSpec, ...] = ()  # for readers; nothing is drawn from them
