"""What the categories of an axis are called."""

from __future__ import annotations

from collections.abc import Mapping

from synthetic import statistics
from synthetic.evaluation.measured import Distance
from synthetic.spec.expressions import names, parse
from synthetic.spec.models import ColumnSpec, TableSpec

PROVINCES = "admin_provinces_34"
Language = str  # "vi" or "en"


def column_of(table: TableSpec, far: Distance, axis: str) -> ColumnSpec | None:
    """The column that gives an axis; None where an expression does."""
    return table.columns.get(far.comparison.by[axis])


def is_province(table: TableSpec, far: Distance, axis: str) -> bool:
    """Whether an axis holds the codes of provinces."""
    column = column_of(table, far, axis)
    return (
        column is not None
        and column.codes_from is not None
        and (column.codes_from.table == PROVINCES)
    )


def labels(table: TableSpec, far: Distance, axis: str, language: Language) -> Mapping[str, str]:
    """Names by category; a category without one keeps its code."""
    column = column_of(table, far, axis)
    if column is None:
        return {}
    if column.codes is not None:
        return {code: getattr(name, language) for code, name in column.codes.items()}
    if column.codes_from is None:
        return {}
    wanted = column.codes_from
    name = wanted.en if language == "en" and wanted.en is not None else wanted.vi
    return {row[wanted.code]: row[name] for row in statistics.rows(wanted.table)}


def axis_title(table: TableSpec, far: Distance, axis: str, language: Language) -> str:
    """What an axis is called: its column's title, also where an expression groups the column."""
    column = column_of(table, far, axis)
    if column is not None:
        return str(getattr(column.title, language))
    title = getattr(table.columns[_first(far.comparison.by[axis])].title, language)
    return f"{title} (theo nhóm)" if language == "vi" else f"{title} (grouped)"


def _first(expression: str) -> str:
    return next(path[0] for path in names(parse(expression)))
