"""Rows that SQL gave, written for people: numbers with their marks, years without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.lab import wording
from sandbox.lab.shown import Grid
from sandbox.language import language


def grid(
    header: Sequence[str], rows: Sequence[Sequence[Any]], numbers: frozenset[int], caption: str
) -> Grid:
    """Write rows as a table; the columns at the places `numbers` hold numbers."""
    years = {place for place, name in enumerate(header) if _is_year(name)}
    columns = [
        [_year(value) for value in values]
        if place in years
        else wording.column(values, language=language())
        for place, values in enumerate(zip(*rows, strict=True))
    ]
    written = list(zip(*columns, strict=True))
    return Grid(caption=caption, header=header, rows=written, right=numbers)


def _is_year(column: str) -> bool:
    """Whether a column's name says that it holds years, which are written without marks."""
    return bool({"year", "năm"} & set(column.casefold().replace("_", " ").split()))


def _year(value: object) -> str:
    return str(value) if isinstance(value, int) else wording.cell(value, language=language())
