"""Tables and columns that SQL names, against those that the run will show: nothing is executed.

DuckDB prepares each query over the very views that the kernel will have. What only the run can
know (frames, temporary tables, parts of the text) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from sandbox.errors import CatalogError
from sandbox.lab import attached, connection, tokens
from sandbox.lab.faults import COLUMN, PLACE
from sandbox.language import N_, Later
from sandbox.preflight import rows
from sandbox.preflight.calls import HOLE, Code
from sandbox.preflight.finding import Finding, Near, error
from sandbox.preflight.queries import NAME, Place, Query
from sandbox.preflight.sql import Selection, selections
from synthetic import statistics

CODE = "unknown_table"
COLUMN_CODE = "unknown_column"
PUBLISHED = "published"
BY_NAME = {"sandbox.lab.table", "sandbox.lab.describe"}
CANDIDATES = re.compile(r"Candidate bindings: .*")
QUOTED = re.compile(r'"(?:\w+\.)?([^"]+)"')
NEAR = 0.8  # of a misspelt dataset, as difflib counts
MADE = re.compile(
    r"\b(?:CREATE|INTO|REGISTER)\b[^;()]*?\b(?:TABLE|VIEW)\b(?:\s+IF\s+NOT\s+EXISTS)?\s+([\w.\"]+)",
    re.IGNORECASE,
)
SCHEMAS = re.compile(
    r"\bCREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)|\bATTACH\b[^;]*?\bAS\s+(\w+)",
    re.IGNORECASE,
)
DECLARE = Later(
    N_(
        "mend the name; a table that the notebook does not declare yet is added to "
        "metadata.sandbox.reads"
    )
)
DECLARE_COLUMN = Later(
    N_(
        "mend the name; a column that the notebook does not declare yet is added to "
        "metadata.sandbox.reads"
    )
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """The tables that a run shows, by their whole names, with their columns."""

    tables: Mapping[str, tuple[str, ...]]
    attached: Collection[str]  # tables of attached files, in small letters

    @classmethod
    def of(cls, catalog: Mapping[str, Any], travels: Collection[str]) -> Known:
        """Read what a kernel is told, and the names of the files that travel."""
        shown = {
            f"{dataset['dataset']}.{table['name']}": tuple(c["name"] for c in table["columns"])
            for dataset in catalog["datasets"]
            for table in dataset["tables"]
        }
        published = {f"{PUBLISHED}.{name}": statistics.header(name) for name in statistics.names()}
        from_files = {attached.fold(attached.table_of(name)) for name in travels}
        return cls(tables={**shown, **published}, attached=from_files)

    def has(self, name: str) -> bool:
        """Whether a table can be read; other than attached ones, only if its dataset is known."""
        schema, _dot, table = name.partition(".")
        if schema.lower() == attached.SCHEMA:
            return attached.fold(table) in self.attached
        return name.lower() in {one.lower() for one in self.tables}

    def near(self, name: str) -> Near:
        """Suggest a name: one of the same dataset, if that is right."""
        schema = name.partition(".")[0].lower()
        if schema == attached.SCHEMA:
            return Near(name, tuple(sorted(f"{schema}.{one}" for one in self.attached)))
        same = [one for one in self.tables if one.startswith(f"{schema}.")]
        return Near(name, tuple(sorted(same or self.tables)))


def check(
    code: Code, asked: Sequence[Query], catalog: Mapping[str, Any], travels: Collection[str]
) -> Iterator[Finding]:
    """Find tables and columns that the run will not have."""
    known = Known.of(catalog, travels)
    yield from _in_calls(code, known)
    if not asked:
        return
    made = {name.replace('"', "").lower() for one in asked for name in MADE.findall(one.sql)}
    made |= {name.lower() for one in asked for pair in SCHEMAS.findall(one.sql) for name in pair}
    try:
        door = connection.locked(catalog, statistics.names())
    except CatalogError:
        return  # a replica is broken: the submission says so
    with door:
        for query in asked:
            for selection in selections(door, query):
                yield from _judged(door, selection, known, made)


def _judged(
    door: DuckDBPyConnection, selection: Selection, known: Known, made: set[str]
) -> Iterator[Finding]:
    is_known = True
    for node, _is_ordered in rows.nodes(selection.tree):
        if node.get("type") == "BASE_TABLE" and (schema := str(node.get("schema_name") or "")):
            name = f"{schema}.{node.get('table_name')}"
            is_made = bool({name.lower(), schema.lower()} & made)
            if is_made or NAME in name or not _is_ours(schema, known):
                is_known = False
            elif not known.has(name):
                is_known = False
                yield _no_table(name, known, selection.place(node))
    if is_known and NAME not in selection.sql:
        yield from _columns(door, selection, known)


def _columns(door: DuckDBPyConnection, selection: Selection, known: Known) -> Iterator[Finding]:
    try:
        door.execute(f"PREPARE checked AS {selection.sql}")
        door.execute("DEALLOCATE checked")
    except duckdb.Error as problem:
        words = str(problem)
        if found := COLUMN.search(words):
            name, alias = found["name"] or found["other"], found["alias"]
            why = N_("there is no column {name!r} in what this SQL reads; {hint}")
            hint = Near(name, tuple(sorted(_candidates(selection, alias, known, words) - {name})))
            line = PLACE.search(words)
            place = selection.line(int(line["line"]) if line else 1)
            yield error(
                COLUMN_CODE, Later(why, {"name": name, "hint": hint}), DECLARE_COLUMN, *place
            )


def _candidates(selection: Selection, alias: str | None, known: Known, words: str) -> set[str]:
    """Name the columns that could stand there, as DuckDB lists them or as the tables have them."""
    if listed := CANDIDATES.search(words):
        return set(QUOTED.findall(listed[0]))
    read = tokens.read(tokens.tokens(selection.sql)).tables
    tables = [table for table, short in read if not alias or alias in (table, short)]
    return {column for table in tables for column in known.tables.get(table.lower(), ())}


def _in_calls(code: Code, known: Known) -> Iterator[Finding]:
    """Judge `lab.table("dataset.table")` and the like."""
    for call in code.calls:
        text = code.text(call.argument(0, "name")) if call.name in BY_NAME else None
        parts = (text or "").split(".")
        if len(parts) > 1 and HOLE not in str(text) and not call.is_tried:
            name = ".".join(parts[:2]).replace('"', "")
            if _is_ours(parts[0], known) and not known.has(name):
                yield _no_table(name, known, call.place)


def _is_ours(schema: str, known: Known) -> bool:
    """Whether a schema is a dataset of the sandbox, built or not, or nearly spelt as one."""
    from synthetic.spec.load import packaged

    ours = {*packaged(), PUBLISHED, attached.SCHEMA, *(one.split(".")[0] for one in known.tables)}
    return bool(get_close_matches(schema.lower(), ours, n=1, cutoff=NEAR))


def _no_table(name: str, known: Known, place: Place) -> Finding:
    if name.lower().startswith(f"{attached.SCHEMA}."):
        why = N_("no attached file gives the table {name!r}; {hint}")
        remedy = Later(
            N_("put the file beside the notebook, named as the table, or give --attach FILE")
        )
    else:
        why = N_("the run shows no table {name!r}; {hint}")
        remedy = DECLARE
    return error(CODE, Later(why, {"name": name, "hint": known.near(name)}), remedy, *place)
