"""SQL judged statement by statement: does DuckDB read it, which files does it read, which rows?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from sandbox.lab import answers
from sandbox.lab.tokens import Token, tokens
from sandbox.language import N_, Later
from sandbox.preflight import chance, files, network, rows
from sandbox.preflight.calls import HOLE
from sandbox.preflight.finding import Finding, warning
from sandbox.preflight.places import is_absolute, is_address
from sandbox.preflight.queries import NAME, Place, Query, begins, inside
from sandbox.runs.texts import fit

MOST = 300  # queries that are read
SHOWN = 200  # characters of what DuckDB says
READERS = re.compile(r"read_|scan_|parquet_scan|glob$|sniff_csv|st_read")
FILE = re.compile(r".*(?:/.*|\.(?:csv|tsv|parquet|jsonl?|xlsx|db|duckdb|gz|txt|arrow))")


def check(
    found: Sequence[Query], given: files.Written, beside: Collection[str]
) -> Iterator[Finding]:
    """Judge all SQL of a notebook."""
    if not found:
        return
    if len(found) > MOST:
        why = Later(N_("there is too much SQL here to be checked before the run"))
        remedy = Later(N_("share one query among cells, or part the notebook"))
        yield warning("not_checked", why, remedy, found[MOST].cell, found[MOST].line)
    is_seeded = False
    with duckdb.connect(":memory:") as connection:
        for query in found[:MOST]:
            is_seeded = is_seeded or "setseed" in query.sql.lower()
            for one in _judged(connection, query, given, beside):
                if not (is_seeded and one.code == chance.CODE):
                    yield one


def _judged(
    connection: DuckDBPyConnection, query: Query, given: files.Written, beside: Collection[str]
) -> Iterator[Finding]:
    try:
        parts = list(answers.statements(connection, query.sql))
    except duckdb.Error as problem:
        if begins(query.sql) and NAME not in query.sql:
            words = {"problem": fit(str(problem).partition("\n")[0], longest=SHOWN)}
            why = Later(N_("DuckDB cannot read this SQL: {problem}"), words)
            remedy = Later(N_("mend it, and run the cell once in the Lab"))
            yield warning("sql", why, remedy, query.cell, query.line)
        return
    at = 0
    for part in parts:
        at = max(at, query.sql.find(part.sql, at))
        pieces = [piece for piece in tokens(part.sql) if piece.kind != "comment"]
        if pieces and pieces[0].says("INSTALL"):
            yield network.install(query.place(at))
        for path, start in _named(pieces):
            yield from _file(path, query.place(at + start), given, beside)
        for text, start in _selections(part.sql, pieces):
            where = _Where(query, text, at + start)
            for node, is_ordered in rows.nodes(_parsed(connection, text)):
                yield from rows.judged(node, where, is_ordered=is_ordered)
                for path in _read(node):
                    yield from _file(path, where(node), given, beside)
        at += len(part.sql)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What one statement selects: its SQL, as DuckDB has taken it apart, and where it stands."""

    sql: str
    tree: Any
    place: rows.Where  # of a node
    line: Callable[[int], Place]  # of a line of the SQL, from 1


def selections(connection: DuckDBPyConnection, query: Query) -> Iterator[Selection]:
    """Give each selection of a query; nothing of what cannot be read."""
    try:
        parts = list(answers.statements(connection, query.sql))
    except duckdb.Error:
        return
    at = 0
    for part in parts:
        at = max(at, query.sql.find(part.sql, at))
        pieces = [piece for piece in tokens(part.sql) if piece.kind != "comment"]
        for text, start in _selections(part.sql, pieces):
            first = query.sql.count("\n", 0, at + start)
            yield Selection(
                sql=text,
                tree=_parsed(connection, text),
                place=_Where(query, text, at + start),
                line=partial(_line, query, first),
            )
        at += len(part.sql)


def _line(query: Query, first: int, line: int) -> Place:
    return query.cell, min(query.line + first + line - 1, query.last)


class _Where:
    """Finds the place in the notebook of a node of DuckDB's, which counts bytes."""

    def __init__(self, query: Query, text: str, start: int) -> None:
        self.query, self.data, self.start = query, text.encode(), start

    def __call__(self, node: rows.Node) -> Place:
        location = node.get("query_location", 0)
        before = self.data[:location] if location < len(self.data) else b""
        return self.query.place(self.start + len(before.decode(errors="ignore")))


def _parsed(connection: DuckDBPyConnection, selection: str) -> Any:
    row = connection.execute("SELECT json_serialize_sql(?)", [selection]).fetchone()
    try:
        return json.loads(row[0]) if row else {}
    except RecursionError:  # nested beyond what anybody writes
        return {}


def _selections(sql: str, pieces: Sequence[Token]) -> Iterator[tuple[str, int]]:
    """Give what a statement selects, and where that begins."""
    if not pieces or pieces[0].says("SELECT", "WITH", "FROM", "VALUES", "("):
        yield sql, 0
    elif pieces[0].says("COPY") and len(pieces) > 1 and pieces[1].says("("):
        start = pieces[1].end
        yield sql[start : start + _closing(sql[start:])], start
    else:
        for piece in pieces:
            if piece.says("SELECT", "WITH", "FROM"):
                yield sql[piece.start :], piece.start
                return


def _closing(sql: str) -> int:
    """Give the place of the bracket that closes what was opened before."""
    depth = 1
    for piece in tokens(sql):
        depth += piece.says("(") - piece.says(")")
        if not depth:
            return piece.start
    return len(sql)


def _named(pieces: Sequence[Token]) -> Iterator[tuple[str, int]]:
    """Give the files that statements other than SELECT read."""
    for before, token in pairwise(pieces):
        is_from = pieces[0].says("COPY") and before.says("FROM")
        is_base = pieces[0].says("ATTACH", "IMPORT") and before.says("ATTACH", "DATABASE")
        if token.kind == "text" and (is_from or is_base):
            yield inside(token), token.start


def _read(node: rows.Node) -> Iterator[str]:
    """Give the files that a part of a selection reads."""
    if node.get("type") == "BASE_TABLE" and not node.get("schema_name"):
        name = str(node.get("table_name"))
        if FILE.fullmatch(name):
            yield name
    elif node.get("type") == "TABLE_FUNCTION":
        function = node.get("function") or {}
        if READERS.match(str(function.get("function_name"))):
            for inner, _is_ordered in rows.nodes((function.get("arguments") or [])[:1]):
                literal = inner.get("literal")
                if isinstance(literal, dict) and literal.get("kind") == "STRING":
                    yield str(literal.get("text"))


def _file(
    path: str, place: Place, given: files.Written, beside: Collection[str]
) -> Iterator[Finding]:
    path = path.replace(NAME, HOLE)
    if is_address(path):
        yield network.address(path, place)
    elif is_absolute(path):
        yield from files.absolute(path, place, given)
    else:
        yield from files.judged(path, place, given, beside)
