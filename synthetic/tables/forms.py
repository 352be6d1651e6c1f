"""How the values of a column stand in a replica's files.

A manifest says it of each column (`form`): as they are (nothing is said), as the number that so
many digits write (`{"digits": 12}`), or not at all, with the SQL over the other columns that gives
them when a table is read (`{"sql": …}`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Column = Mapping[str, Any]  # as a manifest tells of it


def quote(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def shown(column: Column) -> str:
    """The SQL over the files' columns that gives a column's values."""
    name, form = quote(column["name"]), column.get("form") or {}
    if "digits" in form:
        return f"lpad(CAST({name} AS VARCHAR), {int(form['digits'])}, '0')"
    return str(form["sql"]) if "sql" in form else name


def selected(columns: Iterable[Column]) -> str:
    """What to select from the files to see these columns."""
    return ", ".join(f"{shown(column)} AS {quote(column['name'])}" for column in columns)


def kept(columns: Iterable[Column]) -> list[str]:
    """The columns that the files hold."""
    return [column["name"] for column in columns if "sql" not in (column.get("form") or {})]
