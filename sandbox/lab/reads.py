"""Which columns a run's queries truly read, as DuckDB's own log has it.

DuckDB notes every piece of a Parquet file that a scan opens, and the columns that it takes of it:
after views are unfolded, values bound and needless columns left out, for relations and cursors
too. What it answers from a file's statistics alone (`max(age)`) it does not open; there the query's
own words tell. After each cell these notes are added to one small file in the work folder, by the
count of the cell. A notebook can write what it likes into that file: what it says is *reported*.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from sandbox.lab.tokens import Token, read, tokens

NAME = ".reads.json"
FORMAT = 1
START = "CALL enable_logging(['PhysicalOperator', 'QueryLog'])"
FORGET = "CALL truncate_duckdb_logs()"
SCANS = """
    SELECT DISTINCT
        info['file'],
        coalesce(parameters['Projections'], ''),
        concat_ws(' ', parameters['Filters'], parameters['Dynamic Filters'])
    FROM duckdb_logs_parsed('PhysicalOperator')
    WHERE class = 'ParquetReader'
"""
QUERIES = "SELECT DISTINCT message FROM duckdb_logs WHERE type = 'QueryLog'"
LONGEST = 20_000  # characters looked at of one filter or query: a list of values can be as long

Read = defaultdict[str, set[str]]  # table, as dataset.table -> columns


class Reads:
    """What was read so far, by the count of the cell; the file is written anew as it grows."""

    def __init__(self, catalog: Mapping[str, Any], path: Path) -> None:
        self._files = dict(_files(catalog))
        self._columns = dict(_columns(catalog))
        self._path = path
        self._cells: defaultdict[int, Read] = defaultdict(lambda: defaultdict(set))
        self._door: DuckDBPyConnection | None = None
        self._is_lost = False  # a connection was closed before its log could be read

    def follow(self, connection: DuckDBPyConnection) -> None:
        """Note from now on what this connection reads."""
        self._is_lost = self._is_lost or self._door is not None
        self._door = connection.cursor()  # a second door disturbs no result that is being read

    def note(self, result: Any) -> None:
        """Add what a cell read; a log that cannot be had stops no notebook."""
        with suppress(OSError):
            try:
                read = self._taken()
            except duckdb.Error:
                read, self._is_lost = defaultdict(set), True
            for table, columns in read.items():
                self._cells[result.execution_count or 0][table] |= columns
            if read or self._is_lost or not self._path.exists():
                self._write()

    def _taken(self) -> Read:
        assert self._door is not None
        scans = self._door.execute(SCANS).fetchall()
        queries = self._door.execute(QUERIES).fetchall()
        self._door.execute(FORGET)
        found: Read = defaultdict(set)
        for file, taken, filters in scans:
            if table := self._files.get(file):
                found[table] |= {*filter(None, taken.split("\n")), *_names(filters)}
        opened = set(found)
        for (query,) in queries:
            for table, columns in self._named(query[:LONGEST]):
                if table not in opened and columns:
                    found[table] |= columns
        return found

    def _named(self, query: str) -> Iterator[tuple[str, set[str]]]:
        """Give the tables of a query with those of their columns whose names stand in it."""
        pieces = tokens(query)
        words = set(_names_of(pieces))
        for name, _alias in read(pieces).tables:
            if name.lower() in self._columns:
                yield name.lower(), words & self._columns[name.lower()]

    def _write(self) -> None:
        cells = {
            count: {table: sorted(columns) for table, columns in read.items()}
            for count, read in self._cells.items()
        }
        told = {"format": FORMAT, "is_lost": self._is_lost, "cells": cells}
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self._path)


_reads: list[Reads] = []  # one per process, whatever connections follow each other


def watch(connection: DuckDBPyConnection, catalog: Mapping[str, Any]) -> None:
    """Note after each cell what the connection read; outside of a notebook's kernel, nothing."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    if not _reads:
        _reads.append(Reads(catalog, Path(shell.starting_dir) / NAME))
        shell.events.register("post_run_cell", _reads[0].note)
    _reads[0].follow(connection)


def _files(catalog: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pair each file with the table that it is a part of."""
    for name, table in _tables(catalog):
        yield from ((file, name) for file in table["files"])


def _columns(catalog: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    for name, table in _tables(catalog):
        yield name, {column["name"] for column in table["columns"]}


def _tables(catalog: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for dataset in catalog["datasets"]:
        for table in dataset["tables"]:
            yield f"{dataset['dataset']}.{table['name']}", table


def _names(filters: str) -> Iterator[str]:
    """Give the names that a scan's filters may mean as columns."""
    return _names_of(tokens(filters[:LONGEST]))


def _names_of(pieces: Iterable[Token]) -> Iterator[str]:
    """Give the names among some pieces of SQL, those of functions left out."""
    for piece, after in pairwise([*pieces, None]):
        if piece and piece.is_name and not (after and after.says("(")):
            yield piece.name
