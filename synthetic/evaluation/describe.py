"""The fidelity of every column and pair of a table, as its manifest states it.

A column is `calibrated` if it is drawn from a published margin (it follows it, or takes a field of
a structure that does) and lies no further from it than 99 of 100 samples of as many households
would; `assumed` if it lies further, or if it, or anything that it is computed from, rests on an
assumption; `measured` if it is drawn from a model that was fitted to real records under
differential privacy; else `derived`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from synthetic.evaluation.beside import Beside
from synthetic.evaluation.fitted import measured
from synthetic.evaluation.measured import Distance
from synthetic.evaluation.reasons import reason
from synthetic.spec.expressions import names, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import Bilingual, ColumnSpec, Spec, TableSpec
from synthetic.spec.scope import Scope

Specs = Mapping[str, Spec]
_PLACES = 7  # decimals of a share


def table_fidelity(
    connection: duckdb.DuckDBPyConnection,
    specs: Specs,
    dataset: str,
    table: str,
    margins: Mapping[str, Margin],
    recipe: Mapping[str, Any],
    model: Mapping[str, Any] | None = None,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Measure a table against all that it follows; see `Beside` for what is asked for.

    `model` is what the manifest says of the model that the table is drawn from.

    Returns
    -------
    (columns, pairs)
        Fidelity by column, and one entry for each comparison over two columns or more.
    """
    beside = Beside(connection, specs, dataset, table, margins, recipe)
    columns: dict[str, Distance] = {}
    pairs: list[dict[str, Any]] = []
    for entry in beside.entries:
        far = beside.distance(entry)
        if far is None:
            continue
        if len(entry.by) > 1:
            told = {"table": table, "columns": list(far.columns), "quota": entry.quota}
            pairs.append(told | {"fidelity": _of_pair(far)})
        for axis, expression in entry.by.items():
            (name,) = {path[0] for path in names(parse(expression))}
            if name not in columns and axis not in entry.given:
                # What is given to a column is given to its distance too.
                columns[name] = far if entry.given or len(entry.by) == 1 else far.over(axis)
    spec = specs[dataset].tables[table]
    return {
        name: _of_column(specs, dataset, spec, name, columns.get(name))
        if column.model is None or model is None
        else {"status": "measured", **_figures(None), "because": _said(measured(model))}
        for name, column in spec.columns.items()
        if not column.hidden
    }, pairs


def _figures(far: Distance | None) -> dict[str, Any]:
    if far is None:
        return {"against": None, "distance": None, "sampling": None}
    return {
        "against": far.margin.table,
        "distance": round(far.total_variation, _PLACES),
        "sampling": round(far.sampling.expected, _PLACES),
    }


def _of_pair(far: Distance) -> dict[str, Any]:
    status = "calibrated" if far.margin.published and far.holds else "assumed"
    return {"status": status, **_figures(far), "because": _said(reason(far))}


def _of_column(
    specs: Specs, dataset: str, table: TableSpec, name: str, far: Distance | None
) -> dict[str, Any]:
    column = table.columns[name]
    because = _reason(specs, dataset, table, name, set())
    if column.follows is not None or (column.take is not None and "." not in column.take):
        because = because or (None if far is None else reason(far))
        calibrated = far is not None and far.margin.published and far.holds
    else:
        calibrated = False
    status = "calibrated" if calibrated else "derived" if because is None else "assumed"
    return {"status": status, **_figures(far), "because": _said(because)}


def _said(because: Bilingual | None) -> dict[str, str] | None:
    return None if because is None else because.model_dump()


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
