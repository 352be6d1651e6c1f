"""Questions of specs, tried on empty tables: their SQL must name what is there.

It is bound, never carried out, in a database in memory that reaches no file. `synthetic check` asks
for this; a build does not, since nothing is drawn from a question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import duckdb

from synthetic import statistics
from synthetic.errors import SpecError, nearest
from synthetic.spec.models import ColumnSpec, QuestionSpec, Spec

PUBLISHED = "published"
_TYPES = {
    "integer": "BIGINT",
    "decimal": "DECIMAL(18, {places})",
    "code": "VARCHAR",
    "text": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}
_PUBLISHED_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "decimal": "DOUBLE"}
_NO_COLUMN = re.compile(
    r'Referenced column "(?P<name>[^"]*)" |does not have a column named "(?P<other>[^"]*)"'
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")

Tables = Mapping[str, Mapping[str, str]]  # dataset.table -> column -> type of DuckDB


def check_questions(specs: Mapping[str, Spec]) -> None:
    """Refuse SQL that cannot be answered from these datasets; every fault with its place."""
    tables = {**_of_specs(specs), **_of_statistics(_asked(specs))}
    found = []
    with closing(_empty(tables)) as connection:
        for spec in specs.values():
            for place, question in _questions(spec):
                try:
                    _check(connection, tables, question.sql)
                except SpecError as error:
                    found.append(f"{spec.dataset}.toml: {place} ({question.en!r}): sql: {error}")
    if found:
        raise SpecError("\n".join(found[:20]))


def _questions(spec: Spec) -> Iterator[tuple[str, QuestionSpec]]:
    for name, table in spec.tables.items():
        for i, question in enumerate(table.questions):
            yield f"tables.{name}.questions.{i}", question


def _asked(specs: Mapping[str, Spec]) -> str:
    return "\n".join(question.sql for spec in specs.values() for _, question in _questions(spec))


def _of_specs(specs: Mapping[str, Spec]) -> Tables:
    return {
        f"{dataset}.{name}": {
            column: _type(told) for column, told in table.columns.items() if not told.hidden
        }
        for dataset, spec in specs.items()
        for name, table in spec.tables.items()
    }


def _type(column: ColumnSpec) -> str:
    return _TYPES[column.type].format(places=column.places)


def _of_statistics(asked: str) -> Tables:
    """The published tables; none where no question asks for one."""
    return {
        f"{PUBLISHED}.{name}": {
            column.name: _PUBLISHED_TYPES[column.type] for column in statistics.columns(name)
        }
        for name in statistics.names()
        if PUBLISHED in asked
    }


def _empty(tables: Tables) -> duckdb.DuckDBPyConnection:
    """A locked database in memory that holds these tables without rows."""
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    for schema in sorted({name.partition(".")[0] for name in tables}):
        connection.execute(f'CREATE SCHEMA "{schema}"')
    for name, columns in tables.items():
        listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {_quoted(name)} ({listed})")
    connection.execute("SET lock_configuration = true")
    return connection


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def _check(connection: duckdb.DuckDBPyConnection, tables: Tables, sql: str) -> None:
    named = _tables_of(connection, sql)
    _check_tables(named, tables)
    try:
        answer = connection.execute(f"DESCRIBE {sql.rstrip(';')}").fetchall()
    except duckdb.Error as error:
        columns = {column for name in named for column in tables[name]}
        raise SpecError(_told(str(error), columns)) from error
    _check_columns([str(row[0]) for row in answer])


def _tables_of(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """The tables that a statement names, its own (WITH) left out."""
    read = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()
    tree = json.loads(read[0][0])
    if tree["error"] and tree["error_type"] == "parser":
        raise SpecError(tree["error_message"])
    if tree["error"] or len(tree["statements"]) != 1:
        raise SpecError("one SELECT is needed, and nothing beside")
    nodes = list(_nodes(tree))
    own = {each["key"] for node in nodes for each in (node.get("cte_map") or {}).get("map", ())}
    named = {
        f"{node['schema_name']}.{node['table_name']}".removeprefix(".")
        for node in nodes
        if node.get("type") == "BASE_TABLE"
    }
    return named - own


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every dictionary of a tree."""
    if isinstance(tree, dict):
        yield tree
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for part in parts:
        yield from _nodes(part)


def _check_tables(named: Iterable[str], tables: Tables) -> None:
    if not named:
        raise SpecError("it reads no table; name one as dataset.table")
    for name in sorted(named):
        if name not in tables:
            whole = {full.partition(".")[2]: full for full in tables}
            is_published = name.startswith(f"{PUBLISHED}.")
            alike = [each for each in tables if each.startswith(f"{PUBLISHED}.") is is_published]
            raise SpecError(
                f"unknown table {name!r}; {nearest(whole.get(name, name), alike)}; it must be of "
                "this dataset, of one in 'uses', or a published one"
            )


def _check_columns(answer: Sequence[str]) -> None:
    for column in answer:
        if not _NAME.fullmatch(column):
            raise SpecError(
                f"a column of its answer is called {column!r}; name it, as in count(*) AS n"
            )
        if answer.count(column) > 1:
            raise SpecError(f"two columns of its answer are called {column!r}; rename one")


def _told(words: str, columns: Iterable[str]) -> str:
    """Put DuckDB's error into a line, with the nearest column where one is not there."""
    missing = _NO_COLUMN.search(words)
    if missing is None:
        return words.partition("\n")[0]
    name = missing["name"] or missing["other"]
    return f"unknown column {name!r}; {nearest(name, columns)}"
