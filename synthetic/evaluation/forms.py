"""How a spec's columns stand in a replica's files, as its manifest must say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthetic.evaluation.sql import render, seen
from synthetic.spec.digits import digits_of
from synthetic.spec.expressions import parse
from synthetic.spec.models import Spec
from synthetic.tables.forms import shown

Form = Mapping[str, Any]


def form(specs: Mapping[str, Spec], dataset: str, table: str, name: str) -> Form | None:
    """How the values of a column stand in the files; None for as they are."""
    spec = specs[dataset]
    columns = spec.tables[table].columns
    digits = digits_of(specs, dataset, table, name)
    if digits is not None:
        return {"digits": digits}
    if columns[name].stored:
        return None
    types = {other: column.expression_type for other, column in columns.items()}

    def column(path: tuple[str, ...]) -> str:
        told = {"name": path[0], "form": form(specs, dataset, table, path[0])}
        return seen(shown(told), columns[path[0]])

    return {"sql": render(parse(str(columns[name].derive)), column, spec.as_of, types)}
