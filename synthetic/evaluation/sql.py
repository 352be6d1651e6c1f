"""Expressions of a spec as SQL over a replica's Parquet files: a second, independent evaluation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from synthetic.spec.expressions import Call, Literal, Name, Node, Type, parse
from synthetic.spec.models import ColumnSpec
from synthetic.tables.forms import quote, selected
from synthetic.tables.manifest import Manifest

Replicas = Mapping[str, Manifest]  # dataset -> replica


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
                f"SELECT {selected(table['columns'])} FROM read_parquet([{files}])"
            )
    return connection


Column = Callable[[tuple[str, ...]], str]
_SHORT = 80  # characters of SQL that may be repeated; longer ones would grow with every nesting
_SPAN = 2**62  # no whole number of an expression is larger


def seen(written: str, column: ColumnSpec) -> str:
    """A column as expressions see it: a decimal is a whole number of its last place."""
    if column.places is None:
        return written
    return f"CAST({written}::DECIMAL(38, {column.places}) * {10**column.places} AS BIGINT)"


def render_over(
    source: str, columns: Mapping[str, ColumnSpec], as_of: dt.date, prefix: str = ""
) -> str:
    """Write an expression over the columns of one table as SQL."""
    types = {name: column.expression_type for name, column in columns.items()}

    def column(path: tuple[str, ...]) -> str:
        return seen(prefix + quote(path[0]), columns[path[0]])

    return render(parse(source), column, as_of, types)


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
        if tree.op in ("//", "%", "band", "pad"):
            return self.by_number(tree)
        if tree.op in ("+", "-", "add_days"):
            return self.sum(tree)
        args = [self.write(arg) for arg in tree.args]
        if tree.op in _WRITERS:
            return _WRITERS[tree.op](args)
        return f"({args[0]} {_OPERATORS.get(tree.op, tree.op)} {args[1]})"

    def sum(self, tree: Call) -> str:
        left, right = (self.write(arg) for arg in tree.args)
        of, more = self.kind(tree.args[0]), tree.args[1]
        sign = "-" if tree.op == "-" else "+"
        if of is Type.TIMESTAMP and self.kind(more) is Type.TIMESTAMP:
            return f"date_diff('second', {right}, {left})"
        if of is Type.TIMESTAMP:
            right = f"to_seconds({right})"
        elif isinstance(more, Literal):
            right = str(more.value)  # fits both a date and a BIGINT
        elif of is Type.DATE and self.kind(more) is not Type.DATE:
            right = f"CAST({right} AS INTEGER)"
        return f"({left} {sign} {right})"

    def by_number(self, tree: Call) -> str:
        """Operations by a written number. Division is as NumPy's: DuckDB's goes towards zero."""
        value = self.write(tree.args[0])
        width, *rest = (int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal))
        if tree.op == "pad":
            return f"format('{{:0{width}d}}', {value})"
        if tree.op == "%":
            return f"((({value} % {width}) + {width}) % {width})"
        if tree.op == "//":
            moved = _SPAN // width + 1
            return f"CAST(({value}::HUGEINT + {moved * width}) // {width} - {moved} AS BIGINT)"
        (top,) = rest
        labels = [f"{low}-{low + width - 1}" for low in range(0, top, width)] + [f"{top}+"]
        written = ", ".join(text(label) for label in labels)

        def label(number: str) -> str:
            # Place 0 of a list, where numbers below zero lead, is NULL. least() passes NULL over.
            index = f"greatest(least({number}, {top}) + {width}, 0) // {width}"
            return f"CASE WHEN {number} IS NOT NULL THEN list_extract([{written}], {index}) END"

        return _once(value, label)

    def kind(self, tree: Node) -> Type | None:
        """The type of a tree, as far as sums ask for it: dates and times."""
        if isinstance(tree, Name):
            return self.types.get(".".join(tree.path))
        if isinstance(tree, Literal):
            return None
        if tree.op in ("as_of", "date", "date_of", "add_months"):
            return Type.DATE
        if tree.op == "timestamp":
            return Type.TIMESTAMP
        if tree.op in ("+", "-", "add_days"):
            left = self.kind(tree.args[0])
            taken = tree.op == "-" and self.kind(tree.args[1]) in (Type.DATE, Type.TIMESTAMP)
            return None if taken else left
        if tree.op in ("min", "max", "coalesce"):
            return self.kind(tree.args[0])
        return self.kind(tree.args[1]) if tree.op == "if" else None


def _once(value: str, write: Callable[[str], str]) -> str:
    """Write something that speaks of a value more than once, without growing with each nesting."""
    if len(value) <= _SHORT:
        return f"({write(value)})"
    return f"list_transform([{value}], lambda x: {write('x')})[1]"


def _div(args: list[str]) -> str:
    """Floor division for either sign: the sum has the divisor's sign, so that // rounds down."""
    value, divisor = args
    return _once(
        divisor,
        lambda by: (
            f"CAST(({value}::HUGEINT + {_SPAN}::HUGEINT * nullif({by}, 0)) "
            f"// nullif({by}, 0) - {_SPAN} AS BIGINT)"
        ),
    )


def _years_between(args: list[str]) -> str:
    """The difference of the years, less one where the end's month and day come first."""
    start, end = (_month_and_day_last(date) for date in args)
    return f"CAST(floor(({end} - {start}) / 10000) AS BIGINT)"


def _month_and_day_last(date: str) -> str:
    """A date as a number such as 20241231."""
    if len(date) > _SHORT:
        return f"CAST(strftime({date}, '%Y%m%d') AS BIGINT)"
    return f"(year({date}) * 10000 + month({date}) * 100 + day({date}))"


def _months_between(args: list[str]) -> str:
    """The difference of the months, less one where the end's day comes first."""
    start, end = (
        _once(date, lambda d: f"(year({d}) * 12 + month({d})) * 100 + day({d})") for date in args
    )
    return f"CAST(floor(({end} - {start}) / 100) AS BIGINT)"


_OPERATORS = {"==": "=", "!=": "<>"}
_WRITERS: Mapping[str, Callable[[list[str]], str]] = {
    "not": lambda a: f"(NOT {a[0]})",
    "neg": lambda a: f"(- {a[0]})",
    "abs": lambda a: f"abs({a[0]})",
    "in": lambda a: f"({a[0]} IN ({', '.join(a[1:])}))",
    "is missing": lambda a: f"({a[0]} IS NULL)",
    "coalesce": lambda a: f"coalesce({', '.join(a)})",
    "div": _div,
    "year": lambda a: f"year({a[0]})",
    "month": lambda a: f"month({a[0]})",
    "day": lambda a: f"day({a[0]})",
    "weekday": lambda a: f"isodow({a[0]})",
    "hour": lambda a: f"hour({a[0]})",
    "minute": lambda a: f"minute({a[0]})",
    "second": lambda a: f"second({a[0]})",
    "date_of": lambda a: f"CAST({a[0]} AS DATE)",
    "date": lambda a: f"make_date({', '.join(a)})",
    "timestamp": lambda a: f"(CAST({a[0]} AS TIMESTAMP) + to_seconds({a[1]}))",
    "add_months": lambda a: f"CAST({a[0]} + to_months(CAST({a[1]} AS INTEGER)) AS DATE)",
    "min": lambda a: f"least({', '.join(a)})",
    "max": lambda a: f"greatest({', '.join(a)})",
    # Neither branch where the condition is NULL; CASE WHEN would take the second.
    "if": lambda a: f"CASE {a[0]} WHEN true THEN {a[1]} WHEN false THEN {a[2]} END",
    "concat": lambda a: "(" + " || ".join(a) + ")",
    "text_of": lambda a: f"CAST({a[0]} AS VARCHAR)",
    "years_between": _years_between,
    "months_between": _months_between,
    "days_between": lambda a: f"({a[1]} - {a[0]})",
}
