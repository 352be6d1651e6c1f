"""A table: its rows, columns and rules, and what it is held against."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from synthetic.spec.models.base import Bilingual, Expression, Identifier, Model
from synthetic.spec.models.columns import ColumnSpec, ModelColumn
from synthetic.spec.models.questions import QuestionSpec
from synthetic.spec.models.rows import Rows


class RuleSpec(Model):
    """A sentence that holds in every row; a row where it is unknown does not break it."""

    title: Bilingual
    holds: Expression


class CompareSpec(Model):
    """Where a replica is held against a published table.

    Rows may lie further from it than a sample would, for a reason that `because` gives: another
    published table may contradict it, say, and be the one that is followed.
    """

    margin: Identifier
    by: dict[Identifier, Expression] = Field(
        min_length=1
    )  # axis -> column, expression of one, or a literal: the margin's cells of that category alone
    quota: bool = False  # with exact margins every cell is published x scale, to the last unit
    contradicts: Identifier | None = None  # the margin of another entry, which is followed instead
    because: Bilingual | None = None  # why the rows may lie further than a sample would

    @model_validator(mode="after")
    def _says_why(self) -> CompareSpec:
        if self.contradicts is not None and self.because is None:
            raise ValueError("'contradicts' needs 'because': why the other one is followed")
        return self


class ModelSpec(Model):
    """A file that `synthetic fit` made; columns with `model` are drawn from it, row by row together.

    A row is drawn given what the table knows already: `given` says which columns of the model have
    the values of which columns of the table.
    """

    file: Annotated[str, StringConstraints(pattern=r"^[^/\\]+$")]  # it lies beside the spec
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None
    given: dict[ModelColumn, Identifier] = Field(default={})  # column of the model -> ours
    not_releasable: bool = False  # accept a model whose noise is no protection


class TableSpec(Model):
    """A table: its rows, columns, key and rules, and what it answers."""

    title: Bilingual
    description: Bilingual
    rows: Rows
    key: tuple[Identifier, ...] = Field(min_length=1)
    area: Identifier | None = None  # the column that `--area` selects by; none: the country's
    model: ModelSpec | None = None
    columns: dict[Identifier, ColumnSpec] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    compare: tuple[CompareSpec, ...] = ()
    questions: tuple[QuestionSpec, ...] = ()  # for readers; nothing is drawn from them
