"""The columns of one table as numbers or words, from Parquet, CSV or a query.

A CSV file does not say what its columns hold; that is told from all tables together. No message
holds a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthetic.errors import AssessError
from synthetic.private.reading import Records, opened
from synthetic.tables import arrow
from synthetic.tables.forms import quote

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Form(StrEnum):
    """What a column holds."""

    NUMBER = "numbers"
    DAY = "dates"
    FLAG = "booleans"
    TEXT = "texts"
    FREE = "anything"  # a column of a CSV file, or one without any value


_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_BEGINS = {
    **dict.fromkeys((*_NUMBERS, *(f"U{name}" for name in _NUMBERS)), Form.NUMBER),
    "DATE": Form.DAY,
    "TIMESTAMP": Form.DAY,
    "BOOLEAN": Form.FLAG,
    '"NULL"': Form.FREE,
}
# What a text must be to be one; a number that begins with 0 is a code, such as a province's.
_IS = {
    Form.NUMBER: "TRY_CAST({0} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({0}, '^[+-]?0[0-9]')",
    Form.DAY: "TRY_CAST({0} AS TIMESTAMP) IS NOT NULL AND length({0}) > 7",
    Form.FLAG: "lower({0}) IN ('true', 'false')",
}
_AS = {
    Form.NUMBER: "TRY_CAST({} AS DOUBLE)",
    Form.DAY: "epoch(TRY_CAST({} AS TIMESTAMP)) / 86400",
    Form.FLAG: "CAST(TRY_CAST({} AS BOOLEAN) AS VARCHAR)",
    Form.TEXT: "CAST({} AS VARCHAR)",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """A column of texts: positions in a list, -1 where there is no value."""

    at: Ints
    words: tuple[str, ...]


Column = Floats | Words  # numbers and days since 1970-01-01, NaN where there is no value


@dataclass(frozen=True)
class Source:
    """One table, and what to call it in a message."""

    records: Records
    called: str

    def forms(self) -> dict[str, Form]:
        """What each column is declared to hold."""
        is_csv = self.records.told.lower().endswith((".csv", ".tsv")) and not self.records.is_query
        with opened(self.records) as connection:
            relation = connection.sql(f"SELECT * FROM {self.records.sql()} LIMIT 0")
            types = zip(relation.columns, relation.types, strict=True)
            return {name: Form.FREE if is_csv else _form(str(kind)) for name, kind in types}

    def could_be(self, names: list[str]) -> dict[str, set[Form]]:
        """What all the texts of these columns could be read as; anything, if there are none."""
        forms = list(_IS)
        asked = [
            f"coalesce(bool_and({_IS[form].format(quote(name))}) "
            f"FILTER (WHERE {quote(name)} IS NOT NULL), true)"
            for name in names
            for form in forms
        ]
        if not asked:
            return {}
        with opened(self.records) as connection:
            answers = connection.sql(f"SELECT {', '.join(asked)} FROM {self.records.sql()}")
            row = iter(answers.fetchall()[0])
        return {name: {form for form in forms if next(row)} for name in names}

    def columns(self, forms: dict[str, Form]) -> dict[str, Column]:
        """The columns, read as these forms; a value that is not one is refused.

        Raises
        ------
        AssessError
            If the table has no row, or holds a value of another form.
        """
        read = [_AS[form].format(quote(name)) for name, form in forms.items()]
        lost = [
            f"count({quote(name)}) > count({cast})" for name, cast in zip(forms, read, strict=True)
        ]
        source = self.records.sql()
        with opened(self.records) as connection:
            told = connection.sql(f"SELECT count(*), {', '.join(lost)} FROM {source}").fetchall()[0]
            if not told[0]:
                raise AssessError(
                    f"the {self.called} table has no rows; there is nothing to assess"
                )
            self._check(told[1:], forms)
            named = [
                f"{_filled(cast, form)} AS c{i}"
                for i, (cast, form) in enumerate(zip(read, forms.values(), strict=True))
            ]
            table = connection.sql(f"SELECT {', '.join(named)} FROM {source}").to_arrow_table()
        return {
            name: _words(table.column(i)) if _is_text(form) else _floats(table.column(i))
            for i, (name, form) in enumerate(forms.items())
        }

    def _check(self, lost: tuple[bool, ...], forms: dict[str, Form]) -> None:
        for (name, form), is_lost in zip(forms.items(), lost, strict=True):
            if is_lost:
                raise AssessError(
                    f"column {name!r} of the {self.called} table holds what cannot be read as "
                    f"{form}; make both tables hold the same there"
                )


def _form(kind: str) -> Form:
    return next((form for begin, form in _BEGINS.items() if kind.startswith(begin)), Form.TEXT)


def _is_text(form: Form) -> bool:
    return form in (Form.TEXT, Form.FLAG)


def _filled(cast: str, form: Form) -> str:
    """Without nulls among numbers, so that their buffer is all there is to read."""
    if _is_text(form):
        return cast
    return f"CASE WHEN isfinite({cast}) THEN {cast} ELSE 'NaN'::DOUBLE END"


def _floats(column: pa.ChunkedArray) -> Floats:
    found = [np.zeros(0)]
    for chunk in column.chunks:
        start = chunk.offset
        found.append(np.frombuffer(chunk.buffers()[1])[start : start + len(chunk)])
    return np.concatenate(found)


def _words(column: pa.ChunkedArray) -> Words:
    coded = column.combine_chunks().dictionary_encode()
    at, missing = arrow.to_numpy(coded.indices).astype(np.int32), arrow.missing_of(coded)
    return Words(
        at=at if missing is None else np.where(missing, np.int32(-1), at),
        words=tuple(coded.dictionary.to_pylist()),
    )
