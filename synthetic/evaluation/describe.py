"""The fidelity of every column and pair of a table, as its manifest states it.

A column is `calibrated` if it is drawn from a published margin (it follows it, or takes a field of
a structure that does) and lies as near to it as chance allows; `assumed` if it, or anything that it
is computed from, rests on an assumption; else `derived`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from synthetic.evaluation.fidelity import (
    Fidelity,
    collapse,
    columns_of,
    comparisons,
    count,
    expected,
    measure,
)
from synthetic.spec.expressions import names, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import Bilingual, ColumnSpec, Spec, TableSpec
from synthetic.spec.scope import Scope

Specs = Mapping[str, Spec]


def table_fidelity(
    connection: duckdb.DuckDBPyConnection,
    specs: Specs,
    dataset: str,
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
    spec, areas = specs[dataset], None if area is None else {area}
    columns: dict[str, Fidelity] = {}
    pairs: list[dict[str, Any]] = []
    for comparison in comparisons(spec.tables[table], margins, one_area=areas is not None):
        margin, looked_at = comparison.margin, columns_of(comparison)
        counts = count(connection, spec, table, comparison.by)
        cells = expected(comparison, counts, areas)
        if len(comparison.by) > 1:
            found = measure(counts, cells, margin, looked_at, comparison.clustered)
            pairs.append(
                {"table": table, "columns": list(looked_at), "quota": comparison.quota}
                | {"fidelity": found.to_json()}
            )
        for i, (axis, expression) in enumerate(comparison.by.items()):
            (name,) = {path[0] for path in names(parse(expression))}
            if name not in columns and axis not in comparison.given:
                columns[name] = measure(
                    collapse(counts, i), collapse(cells, i), margin, (name,), comparison.clustered
                )
    return {
        name: _status(specs, dataset, spec.tables[table], name, columns.get(name))
        for name, column in spec.tables[table].columns.items()
        if not column.hidden
    }, pairs


def _status(
    specs: Specs, dataset: str, table: TableSpec, name: str, measured: Fidelity | None
) -> dict[str, Any]:
    column = table.columns[name]
    drawn = column.follows is not None or (column.take is not None and "." not in column.take)
    reason = _reason(specs, dataset, table, name, set())
    told: dict[str, Any] = {"against": None, "distance": None, "sampling": None}
    if measured is not None:
        told = measured.to_json()
    if measured is None or not drawn or told["status"] != "calibrated":
        told["status"] = "derived" if reason is None else "assumed"
    return told | {"because": None if reason is None else reason.model_dump()}


def _reason(
    specs: Specs, dataset: str, table: TableSpec, name: str, seen: set[tuple[str, str]]
) -> Bilingual | None:
    """Why a column, or the first assumed one that it is computed from, is as it is."""
    column = table.columns[name]
    key = (f"{dataset}.{id(table)}", name)
    if column.because is not None or key in seen:
        return column.because
    seen.add(key)
    for other in sorted(_computed_from(column)):
        reason = _reason(specs, dataset, table, other, seen)
        if reason is not None:
            return reason
    parent, _, path = (column.take or "").partition(".")
    if not path:
        return None
    return _parent_reason(specs, dataset, table, parent, path, seen)


def _parent_reason(
    specs: Specs, dataset: str, table: TableSpec, parent: str, path: str, seen: set[tuple[str, str]]
) -> Bilingual | None:
    name = next(name for name, other in specs[dataset].tables.items() if other is table)
    found = Scope(specs, {d: {} for d in specs}, dataset, name).parents().get(parent)
    if found is None:
        return None
    return _reason(specs, found.dataset, found.table, path, seen)


def _computed_from(column: ColumnSpec) -> set[str]:
    """Columns of the same table whose values enter this one."""
    texts = [column.derive, None if column.assume is None else column.assume.date_in_year]
    if column.identifier is not None and column.identifier.kind == "enterprise_name":
        texts += list(column.identifier.parts.values())
    return {path[0] for text in texts if text is not None for path in names(parse(text))}
