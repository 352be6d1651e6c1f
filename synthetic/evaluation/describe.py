"""The fidelity of every column and pair of a table, as its manifest states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from synthetic.evaluation.fidelity import (
    Fidelity,
    columns_of,
    comparisons,
    count,
    measure,
    restricted,
)
from synthetic.spec.expressions import names, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import Bilingual, ColumnSpec, Spec


def table_fidelity(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    table: str,
    margins: Mapping[str, Margin],
    area: str | None,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Measure a table against all that it follows.

    Returns
    -------
    (columns, pairs)
        Fidelity by column, and one entry for each comparison over two columns or more.
    """
    areas = None if area is None else {area}
    columns: dict[str, Fidelity] = {}
    pairs: list[dict[str, Any]] = []
    for comparison in comparisons(spec.tables[table], margins):
        margin = comparison.margin.over(*comparison.by)
        counts = count(connection, spec, table, comparison.by)
        looked_at = columns_of(comparison)
        if len(comparison.by) > 1:
            found = measure(counts, margin, looked_at, areas)
            pairs.append(
                {"table": table, "columns": list(looked_at), "quota": comparison.quota}
                | {"fidelity": found.to_json()}
            )
        for i, (axis, expression) in enumerate(comparison.by.items()):
            single: dict[tuple[str, ...], int] = {}
            for cell, n in counts.items():
                single[cell[i],] = single.get((cell[i],), 0) + n
            (name,) = {path[0] for path in names(parse(expression))}
            if name not in columns:
                columns[name] = measure(single, _single(margin, axis, areas), (name,), areas)
    return {
        name: _status(column, columns.get(name), spec)
        for name, column in spec.tables[table].columns.items()
        if not column.hidden
    }, pairs


def _single(margin: Margin, axis: str, areas: set[str] | None) -> Margin:
    """One axis of a margin; where areas are left out, of the cells that remain."""
    if areas is not None and "area" in margin.axes:
        margin = replace(margin, cells=restricted(margin, areas))
    return margin.over(axis)


def _status(column: ColumnSpec, measured: Fidelity | None, spec: Spec) -> dict[str, Any]:
    if measured is not None:
        return measured.to_json() | {"because": _words(column.because)}
    assumed = column.because is not None
    return {
        "status": "assumed" if assumed else "derived",
        "against": None,
        "distance": None,
        "sampling": None,
        "because": _words(column.because),
    }


def _words(words: Bilingual | None) -> dict[str, str] | None:
    return None if words is None else words.model_dump()
