"""Expressions of a spec as SQL over a replica's Parquet files: a second, independent evaluation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from synthetic.spec.expressions import Call, Literal, Name, Node, Type
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


Column = Callable[[tuple[str, ...]], str]
_SHORT = 80  # characters of SQL that may be repeated; longer ones would grow with every nesting
_SPAN = 2**62  # no whole number of an expression is larger


def render(
    tree: Node, column: Column, as_of: dt.date, types: Mapping[str, Type] | None = None
) -> str:
    """Write a checked tree as SQL; `column` writes a column.

    `types` gives the types of columns, and of those behind a key as `key.column`. Without it days
    are added only to dates that show themselves, such as `as_of()`: DuckDB adds no BIGINT to one.
    """
    return _Writer(column, as_of, types or {}).write(tree)


@dataclass(frozen=True)
class _Writer:
    column: Column
    as_of: dt.date
    types: Mapping[str, Type]

    def write(self, tree: Node) -> str:
        if isinstance(tree, Literal):
            # BIGINT, as every column is: 100000 * 100000 would be too large for an INTEGER.
            return text(tree.value) if isinstance(tree.value, str) else f"{tree.value}::BIGINT"
        if isinstance(tree, Name):
            return self.column(tree.path)
        if tree.op == "as_of":
            return f"DATE '{self.as_of.isoformat()}'"
        if tree.op in ("//", "%", "band"):
            return self.division(tree)
        if tree.op in ("+", "-"):
            return self.sum(tree)
        args = [self.write(arg) for arg in tree.args]
        if tree.op in _WRITERS:
            return _WRITERS[tree.op](args)
        return f"({args[0]} {_OPERATORS.get(tree.op, tree.op)} {args[1]})"

    def sum(self, tree: Call) -> str:
        left, right = (self.write(arg) for arg in tree.args)
        days = tree.args[1]
        if isinstance(days, Literal):
            right = str(days.value)  # fits both a date and a BIGINT
        elif self.is_date(tree.args[0]) and not self.is_date(days):
            right = f"CAST({right} AS INTEGER)"
        return f"({left} {tree.op} {right})"

    def division(self, tree: Call) -> str:
        """Floor division, as NumPy does it: DuckDB's own goes towards zero."""
        value = self.write(tree.args[0])
        width, *rest = (int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal))
        if tree.op == "%":
            return f"((({value} % {width}) + {width}) % {width})"
        if tree.op == "//":
            moved = _SPAN // width + 1
            return f"CAST(({value}::HUGEINT + {moved * width}) // {width} - {moved} AS BIGINT)"
        (top,) = rest
        labels = [f"{low}-{low + width - 1}" for low in range(0, top, width)] + [f"{top}+"]
        written = ", ".join(text(label) for label in labels)
        # Place 0 of a list, where numbers below zero lead, is NULL.
        index = f"greatest(least({value}, {top}) + {width}, 0) // {width}"
        return f"list_extract([{written}], {index})"

    def is_date(self, tree: Node) -> bool:
        if isinstance(tree, Name):
            return self.types.get(".".join(tree.path)) is Type.DATE
        if isinstance(tree, Literal):
            return False
        if tree.op in ("as_of", "date"):
            return True
        if tree.op == "-" and self.is_date(tree.args[1]):
            return False
        if tree.op in ("+", "-", "min", "max"):
            return self.is_date(tree.args[0])
        return tree.op == "if" and self.is_date(tree.args[1])


def _years_between(args: list[str]) -> str:
    """The difference of the years, less one where the end's month and day come first."""
    start, end = (_month_and_day_last(date) for date in args)
    return f"CAST(floor(({end} - {start}) / 10000) AS BIGINT)"


def _month_and_day_last(date: str) -> str:
    """A date as a number such as 20241231."""
    if len(date) > _SHORT:
        return f"CAST(strftime({date}, '%Y%m%d') AS BIGINT)"
    return f"(year({date}) * 10000 + month({date}) * 100 + day({date}))"


_OPERATORS = {"==": "=", "!=": "<>"}
_WRITERS: Mapping[str, Callable[[list[str]], str]] = {
    "not": lambda a: f"(NOT {a[0]})",
    "neg": lambda a: f"(- {a[0]})",
    "in": lambda a: f"({a[0]} IN ({', '.join(a[1:])}))",
    "year": lambda a: f"year({a[0]})",
    "month": lambda a: f"month({a[0]})",
    "day": lambda a: f"day({a[0]})",
    "date": lambda a: f"make_date({', '.join(a)})",
    "min": lambda a: f"least({', '.join(a)})",
    "max": lambda a: f"greatest({', '.join(a)})",
    "if": lambda a: f"CASE WHEN {a[0]} THEN {a[1]} ELSE {a[2]} END",
    "concat": lambda a: "(" + " || ".join(a) + ")",
    "years_between": _years_between,
}
