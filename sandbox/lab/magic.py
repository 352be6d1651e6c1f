"""`%%sql`: SQL in a cell of its own, answered with a page of rows or kept as a frame."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from sandbox.errors import SandboxError
from sandbox.lab import answers, asked, data, rows
from sandbox.lab.answers import Done, Page, Statement
from sandbox.lab.asked import Asked
from sandbox.lab.faults import Source, SqlError, explained
from sandbox.lab.names import OWN, frames, look_again, names
from sandbox.lab.shown import Shown, code, paragraph
from sandbox.lab.spoken import in_its_language, is_run
from sandbox.lab.tokens import tokens
from sandbox.lab.wording import number
from sandbox.language import _, language, ngettext

INTERRUPTED = "Query interrupted"


@in_its_language
def sql(line: str, cell: str | None, namespace: dict[str, Any]) -> Shown:
    """Answer one magic; errors are in plain words."""
    wanted = asked.read(line, cell)
    try:
        connection = data.connect()
    except SandboxError as error:
        raise SqlError(str(error)) from error
    try:
        with _registered(connection, wanted.sql, namespace):
            return _answer(connection, wanted, namespace)
    finally:
        if any(token.says("CREATE", "DROP", "ALTER") for token in tokens(wanted.sql)):
            with suppress(duckdb.Error):  # a transaction that failed lists nothing
                look_again(connection)


def _answer(connection: DuckDBPyConnection, wanted: Asked, namespace: dict[str, Any]) -> Shown:
    """Carry out all statements and answer with the last one's result."""
    with _in_plain_words(connection, wanted.sql, 1, namespace):
        parts = list(answers.statements(connection, wanted.sql))
    if not parts:
        told = _("there is only a comment here; write a statement, as in: {sql}")
        raise SqlError(told.format(sql=asked.EXAMPLE))
    for part in parts[:-1]:
        with _in_plain_words(connection, part.sql, part.line, namespace):
            answers.carry_out(connection, part, namespace)
    with _in_plain_words(connection, parts[-1].sql, parts[-1].line, namespace):
        return _last(connection, parts[-1], wanted, namespace)


def _last(
    connection: DuckDBPyConnection, part: Statement, wanted: Asked, namespace: dict[str, Any]
) -> Shown:
    start = time.perf_counter()
    answers.carry_out(connection, part, namespace)
    did = answers.done(connection, part)
    if wanted.name is not None:
        return _kept(connection, did, wanted.name, namespace)
    if did is not None:
        return _did(did)
    if part.kind == "EXPLAIN":
        return code(*(str(row[-1]) for row in connection.fetchall()))
    page = answers.page(connection, part, wanted, namespace)
    return _page(page, wanted, time.perf_counter() - start)


def _kept(
    connection: DuckDBPyConnection, did: Done | None, name: str, namespace: dict[str, Any]
) -> Shown:
    """Keep the rows as a frame in the notebook."""
    if did is not None:
        raise SqlError(
            _("{kind} gives no rows to keep as {name}; end the cell with a SELECT").format(
                kind=did.kind, name=name
            )
        )
    frame = connection.df()
    namespace[name] = frame
    n_rows, n_columns = frame.shape
    rows = ngettext("{count} row", "{count} rows", n_rows).format(count=_number(n_rows))
    columns = ngettext("{count} column", "{count} columns", n_columns).format(count=n_columns)
    return Shown(f"{name}: {rows} × {columns}")


def _did(did: Done) -> Shown:
    if did.changed is None:
        return paragraph(_("{kind}: done; there is nothing to show").format(kind=did.kind))
    rows = ngettext("{count} row", "{count} rows", did.changed)
    return paragraph(
        _("{kind}: done, {rows}").format(
            kind=did.kind, rows=rows.format(count=_number(did.changed))
        )
    )


def _page(page: Page, wanted: Asked, seconds: float) -> Shown:
    """Show a page of rows."""
    caption = _caption(page, wanted, seconds)
    return rows.grid(page.columns, page.rows, page.numbers, caption).shown()


def _caption(page: Page, wanted: Asked, seconds: float) -> str:
    """Say which rows these are, and how to see the next."""
    last = page.first + len(page.rows) - 1
    total = _number(page.total)
    if len(page.rows) == page.total:
        told = ngettext("{count} row", "{count} rows", page.total).format(count=total)
    else:
        told = _("rows {first}–{last} of {total}").format(
            first=_number(page.first), last=_number(last), total=total
        )
    if not is_run(os.environ):  # else each execution of a notebook would say something else
        told += f" ({number(seconds, places=2, language=language())} s)"
    if last < page.total:
        told += "; " + _("next page: {command}").format(command=wanted.next_page)
    return told


@contextmanager
def _in_plain_words(
    connection: DuckDBPyConnection, text: str, line: int, namespace: Mapping[str, Any]
) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        known = names(connection, namespace)
        source = Source(sql=text, line=line, names=known, environ=os.environ)
        # Its cause is told in it; shown with it, it would be a page of a library's own words.
        raise explained(error, source) from None
    except RuntimeError as error:
        if str(error) == INTERRUPTED:  # DuckDB's own word for what Python calls otherwise
            raise KeyboardInterrupt from None
        raise


@contextmanager
def _registered(
    connection: DuckDBPyConnection, text: str, namespace: Mapping[str, Any]
) -> Iterator[None]:
    """Let SQL read the notebook's frames by their names while it is carried out.

    A table comes before a frame of the same name. Afterwards the names are taken back, so that no
    later SQL reads a frame as it once was.
    """
    words = {token.name for token in tokens(text) if token.kind in {"word", "quoted"}}
    found = {name: frame for name, frame in frames(namespace).items() if name in words}
    given = []
    try:
        for name in found.keys() - (_own(connection) if found else set()):
            connection.register(name, found[name])
            given.append(name)
        yield
    finally:
        for name in given:
            connection.unregister(name)


def _own(connection: DuckDBPyConnection) -> set[str]:
    """Name the tables that need no schema: temporary ones and registered frames."""
    listed = "SELECT table_name FROM duckdb_columns() WHERE schema_name = $own AND NOT internal"
    return {name for (name,) in connection.execute(listed, {"own": OWN}).fetchall()}


def _number(count: int) -> str:
    return number(count, language=language())
