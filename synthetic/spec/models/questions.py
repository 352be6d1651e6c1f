"""What people may ask of a table, with the SQL that answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from synthetic.spec.models.base import Model, Words

Statement = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]


class QuestionSpec(Model):
    """A question that a reader may ask of a table, in Vietnamese and English, and its answer in SQL.

    `sql` is one SELECT over tables named dataset.table: of this dataset, of those that it uses, or
    published ones. Every column of its answer has a name, such as `count(*) AS n`. Questions are
    shown in the catalogue and by `lab.describe`; nothing is drawn from them.
    """

    vi: Words
    en: Words
    sql: Statement
