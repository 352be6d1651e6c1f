"""SQL carried out on the lab's connection: statement by statement, and of the last one a page.

A page is read as a stream and the rest is counted, so that the whole result is never in memory.
It is the statement itself that is read, not one wrapped in LIMIT: that could break ties in
another order from page to page, and rows would be missed or shown twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from duckdb import DuckDBPyConnection

from sandbox.lab.asked import Asked
from sandbox.lab.faults import SqlError, meant
from sandbox.lab.tokens import tokens
from sandbox.lab.wording import plain
from sandbox.language import _

PIECE = 10_000  # rows passed over at once
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
READERS = {"SELECT", "EXPLAIN", "PRAGMA", "CALL", "EXECUTE", "MULTI"}  # these give rows
BINDABLE = (bool, int, float, str, bytes, Decimal, dt.date, dt.time, dt.timedelta)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement: its text, where it starts, and the variables that it asks for."""

    sql: str
    line: int  # from 1
    kind: str  # SELECT, CREATE, …
    asks: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some rows of a result, and how many it has in all."""

    columns: Sequence[str]
    numbers: frozenset[int]  # places of the columns that hold numbers
    rows: Sequence[Sequence[Any]]
    first: int  # number of the first row, from 1
    total: int


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a statement without rows did."""

    kind: str
    changed: int | None


def statements(connection: DuckDBPyConnection, sql: str) -> Iterator[Statement]:
    """Part SQL into its statements."""
    place = 0
    for part in connection.extract_statements(sql):
        # Executed as text: DuckDB would place the faults of a parsed one in the whole text.
        place = max(place, sql.find(part.query, place))  # not found: spaces of another kind
        blank = len(part.query) - len(part.query.lstrip())
        yield Statement(
            sql=_without_its_end(part.query.strip()),
            line=1 + sql.count("\n", 0, place + blank),
            kind=part.type.name,
            asks=frozenset(part.named_parameters),
        )
        place += len(part.query)


def carry_out(
    connection: DuckDBPyConnection, statement: Statement, namespace: Mapping[str, Any]
) -> None:
    """Begin a statement; its rows wait to be read."""
    connection.execute(statement.sql, _bound(statement, namespace))


def page(
    connection: DuckDBPyConnection,
    statement: Statement,
    asked: Asked,
    namespace: Mapping[str, Any],
) -> Page:
    """Read the page that is asked for of a statement that was carried out."""
    described = connection.description
    first = (asked.page - 1) * asked.rows
    total = _pass_over(connection, first)
    rows = connection.fetchmany(asked.rows)
    total += len(rows)
    if len(rows) == asked.rows:
        total += _rest(connection, statement, namespace, total)
    if asked.page > 1 and not rows:
        raise _no_such_page(asked, total)
    return Page(
        columns=[column[0] for column in described],
        numbers=frozenset(
            place for place, column in enumerate(described) if is_number(str(column[1]))
        ),
        rows=rows,
        first=first + 1,
        total=total,
    )


def done(connection: DuckDBPyConnection, statement: Statement) -> Done | None:
    """Say what a carried-out statement did, or nothing if it has rows to show."""
    columns = [column[0] for column in connection.description or ()]
    if statement.kind in READERS:
        return None
    if columns == ["Count"]:
        counted = connection.fetchall()
        return Done(kind=statement.kind, changed=counted[0][0] if counted else None)
    return None if columns not in ([], ["Success"]) else Done(kind=statement.kind, changed=None)


def _without_its_end(sql: str) -> str:
    """Take away the semicolon, and comments after it, so that the statement can stand in another."""
    pieces = [piece for piece in tokens(sql) if piece.kind != "comment"]
    end = len(sql)
    while pieces and pieces[-1].says(";"):
        end = pieces.pop().start
    return sql[:end]


def _rest(
    connection: DuckDBPyConnection,
    statement: Statement,
    namespace: Mapping[str, Any],
    read: int,
) -> int:
    """Count the rows after those that were read: the next ones as they come, many by counting."""
    ahead = len(connection.fetchmany(PIECE))
    if ahead < PIECE:
        return ahead
    if statement.kind != "SELECT":
        return ahead + _pass_over(connection, None)
    connection.execute(f"SELECT count(*) FROM (\n{statement.sql}\n)", _bound(statement, namespace))
    return int(connection.fetchall()[0][0]) - read


def _pass_over(connection: DuckDBPyConnection, n_rows: int | None) -> int:
    """Leave out rows, or all that are left, a piece at a time; give how many there were."""
    passed = 0
    while n_rows is None or passed < n_rows:
        piece = PIECE if n_rows is None else min(PIECE, n_rows - passed)
        n_read = len(connection.fetchmany(piece))
        passed += n_read
        if n_read < piece:
            break
    return passed


def _no_such_page(asked: Asked, total: int) -> SqlError:
    return SqlError(
        _("there is no page {page} of this result; the last one is {last}").format(
            page=asked.page, last=max(1, -(-total // asked.rows))
        )
    )


def _bound(statement: Statement, namespace: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the notebook's variables that a statement asks for as `$name`."""
    return {name: _value(name, namespace) for name in sorted(statement.asks)} or None


def _value(name: str, namespace: Mapping[str, Any]) -> Any:
    if name.isdecimal():
        raise SqlError(_("write $name for a variable of this notebook, not ? or $1"))
    if name not in namespace:
        known = [each for each, value in namespace.items() if _binds(each, value)]
        told = _("there is no variable {name} for ${name}").format(name=name)
        raise SqlError(f"{told}; {meant(name, known)}" if known else told)
    value = plain(namespace[name])
    if _binds(name, value):
        return value
    raise SqlError(
        _(
            "${name} is a {kind}; SQL takes a number, a text, a truth value, a date, None, or a "
            "list of these (a frame is written without $, as a table)"
        ).format(name=name, kind=type(value).__name__)
    )


def _binds(name: str, value: object) -> bool:
    if name.startswith("_"):
        return False
    value = plain(value)
    if isinstance(value, list | tuple):
        return all(each is None or isinstance(plain(each), BINDABLE) for each in value)
    return value is None or isinstance(value, BINDABLE)


def is_number(kind: str) -> bool:
    """Whether a type of DuckDB is one of numbers."""
    return kind.removeprefix("U").startswith(NUMBERS) and not kind.endswith("[]")
