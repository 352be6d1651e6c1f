"""The tables to be compared, with the same columns, bins and levels, wholly in memory.

Up to some 100,000s rows. Every column is codes, which marginals are counted over, and values,
which distances and models need. Nothing but `read_tables` opens a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic.assess.agreement import forms_of
from synthetic.assess.coding import Coded, coded_numbers, coded_words, names_rows
from synthetic.assess.sources import Column, Floats, Form, Source, Words
from synthetic.errors import AssessError
from synthetic.private import spec as private_spec
from synthetic.private.reading import Records
from synthetic.private.schema import Attribute, Schema, compiled


class Kind(StrEnum):
    """What a column's values are."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """One table."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    codes: npt.NDArray[np.int32]  # (rows, columns): categories or bins; the last level is missing
    levels: tuple[int, ...]  # per column, the missing level included, whether it occurs or not
    values: npt.NDArray[np.float64]  # (rows, columns): numbers as they are, dates as days since
    # 1970-01-01, NaN missing; of a category its code, also where it is missing
    units: npt.NDArray[np.int64] | None = None  # (rows,): which unit a row belongs to

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.generic]) -> Table:
        """These rows of it."""
        units = None if self.units is None else self.units[rows]
        return replace(self, codes=self.codes[rows], values=self.values[rows], units=units)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """The records that were learnt from, records that were not, and the synthetic rows."""

    train: Table
    holdout: Table | None
    synthetic: Table
    has_spec: bool = False  # else the bins are quantiles of `train`: learnt from records too
    unseen: tuple[float, ...] = ()  # per column, the share of synthetic rows whose category no
    # record has
    left_out: tuple[str, ...] = ()  # columns whose texts name rows: nothing to compare

    @property
    def records(self) -> tuple[Table, ...]:
        """The tables of records that there are."""
        return (self.train,) if self.holdout is None else (self.train, self.holdout)


def read_tables(
    train: str | Path,
    synthetic: str | Path,
    *,
    holdout: str | Path | None = None,
    spec: Path | None = None,
    unit: str | None = None,
) -> Tables:
    """Read two or three tables; `train` and `holdout` may be DuckDB queries.

    Columns are those of the spec, else all but `unit`; bins are those of the spec, else up to 32
    quantiles of `train`.

    Raises
    ------
    AssessError
        If the columns differ, a table has no rows, or a column holds different things.
    PrivateError, SpecError
        If a file cannot be read.
    """
    sources = [Source(Records(str(train)), "real")]
    if holdout is not None:
        sources.append(Source(Records(str(holdout)), "holdout"))
    sources.append(Source(Records(str(synthetic)), "synthetic"))
    schema = compiled(private_spec.load(spec), spec.name) if spec is not None else None
    forms = forms_of(sources, schema, unit)
    held = [source.columns(forms) for source in sources]
    first = held[0]
    named = tuple(name for name in forms if _names_rows(first[name]) and schema is None)
    compared = {name: form for name, form in forms.items() if name not in named}
    if not compared:
        raise AssessError("no column is left to compare: the texts of each name rows")
    units = _units(sources[:-1], unit)
    return _tables(held, compared, schema, units, named)


def _tables(
    held: Sequence[dict[str, Column]],
    forms: dict[str, Form],
    schema: Schema | None,
    units: Sequence[npt.NDArray[np.int64] | None],
    left_out: tuple[str, ...],
) -> Tables:
    attributes = {a.name: a for a in schema.attributes} if schema is not None else {}
    coded = {name: _coded([one[name] for one in held], attributes.get(name)) for name in forms}
    numeric = [form in (Form.NUMBER, Form.DAY) for form in forms.values()]
    made = [
        Table(
            names=tuple(forms),
            kinds=tuple(Kind.NUMERIC if is_n else Kind.CATEGORICAL for is_n in numeric),
            codes=np.column_stack([column.codes[i] for column in coded.values()]),
            levels=tuple(column.n_levels for column in coded.values()),
            values=_values(held[i], coded, i),
            units=units[i] if i < len(units) else None,
        )
        for i in range(len(held))
    ]
    return Tables(
        train=made[0],
        holdout=made[1] if len(made) > 2 else None,
        synthetic=made[-1],
        has_spec=schema is not None,
        unseen=tuple(column.unseen for column in coded.values()),
        left_out=left_out,
    )


def _coded(columns: Sequence[Column], attribute: Attribute | None) -> Coded:
    words = [column for column in columns if isinstance(column, Words)]
    if words:
        told = attribute.values if attribute is not None else ()
        return coded_words(words, told, attribute.outside if attribute is not None else None)
    numbers = [column for column in columns if not isinstance(column, Words)]
    return coded_numbers(numbers, attribute)


def _values(held: dict[str, Column], coded: dict[str, Coded], i: int) -> Floats:
    found = []
    for name, column in coded.items():
        values = held[name]
        found.append(column.codes[i].astype(float) if isinstance(values, Words) else values)
    return np.column_stack(found)


def _names_rows(column: Column) -> bool:
    return isinstance(column, Words) and names_rows(column)


def _units(sources: Sequence[Source], unit: str | None) -> list[npt.NDArray[np.int64] | None]:
    """The units of each table of records as numbers; a row without one is a unit by itself."""
    if unit is None:
        return [None] * len(sources)
    found = []
    for source in sources:
        column = source.columns({unit: Form.TEXT})[unit]
        assert isinstance(column, Words)
        found.append(column)
    codes = coded_words([*found, found[0]])
    return [_alone(one, codes.n_levels) for one in codes.codes[:-1]]


def _alone(codes: npt.NDArray[np.int32], n_levels: int) -> npt.NDArray[np.int64]:
    units = codes.astype(np.int64)
    missing = units == n_levels - 1
    units[missing] = n_levels + np.arange(np.count_nonzero(missing))
    return units
