"""Expressions of a spec as SQL over a replica's Parquet files: a second, independent evaluation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import duckdb

from synthetic.spec.expressions import Call, Literal, Name, Node
from synthetic.tables.manifest import Manifest

Replicas = Mapping[str, Manifest]  # dataset -> replica


def quote(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text."""
    return "'" + value.replace("'", "''") + "'"


def view(dataset: str, table: str) -> str:
    """The quoted name of a table's view."""
    return f"{quote(dataset)}.{quote(table)}"


def connect(replicas: Replicas) -> duckdb.DuckDBPyConnection:
    """Open a connection with one view `dataset.table` for each table of these replicas."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for dataset, manifest in replicas.items():
        connection.execute(f"CREATE SCHEMA {quote(dataset)}")
        for table in manifest.tables:
            files = ", ".join(text(str(path)) for path in manifest.files(table["name"]))
            connection.execute(
                f"CREATE VIEW {quote(dataset)}.{quote(table['name'])} AS "
                f"SELECT * FROM read_parquet([{files}])"
            )
    return connection


def render(tree: Node, column: Callable[[tuple[str, ...]], str], as_of: dt.date) -> str:
    """Write a checked tree as SQL; `column` writes a column."""
    if isinstance(tree, Literal):
        return text(tree.value) if isinstance(tree.value, str) else str(tree.value)
    if isinstance(tree, Name):
        return column(tree.path)
    args = [render(arg, column, as_of) for arg in tree.args]
    return _WRITERS[tree.op](args, as_of) if tree.op in _WRITERS else _infix(tree, args)


def _infix(tree: Call, args: list[str]) -> str:
    operator = {"==": "=", "!=": "<>"}.get(tree.op, tree.op)
    return f"({args[0]} {operator} {args[1]})"


def _band(args: list[str], as_of: dt.date) -> str:
    del as_of
    value, width, top = args
    low = f"(({value}) // {width} * {width})"
    return (
        f"CASE WHEN ({value}) >= {top} THEN '{top}+' "
        f"ELSE {low} || '-' || ({low} + {int(width) - 1}) END"
    )


_WRITERS: Mapping[str, Callable[[list[str], dt.date], str]] = {
    "not": lambda a, _: f"(NOT {a[0]})",
    "neg": lambda a, _: f"(-{a[0]})",
    "in": lambda a, _: f"({a[0]} IN ({', '.join(a[1:])}))",
    "year": lambda a, _: f"year({a[0]})",
    "month": lambda a, _: f"month({a[0]})",
    "day": lambda a, _: f"day({a[0]})",
    "date": lambda a, _: f"make_date({', '.join(a)})",
    "as_of": lambda a, as_of: f"DATE '{as_of.isoformat()}'",
    "min": lambda a, _: f"least({', '.join(a)})",
    "max": lambda a, _: f"greatest({', '.join(a)})",
    "if": lambda a, _: f"CASE WHEN {a[0]} THEN {a[1]} ELSE {a[2]} END",
    "concat": lambda a, _: "(" + " || ".join(a) + ")",
    "years_between": lambda a, _: f"date_sub('year', {a[0]}, {a[1]})",
    "band": _band,
}
