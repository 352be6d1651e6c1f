"""The notebook's connection: DuckDB in memory, views over the declared data, and locked.

The lock keeps an honest notebook on its declared data; what keeps a dishonest one there is the
kernel's isolation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from sandbox import catalog
from sandbox.errors import CatalogError
from sandbox.lab import attached, reads
from sandbox.lab.missing import explain_missing_columns, of_a_table
from sandbox.lab.spoken import CATALOG, in_its_language, is_run
from sandbox.lab.views import literal, published_views, replica_views
from sandbox.language import _
from sandbox.language import nearest as near
from sandbox.settings import Settings
from synthetic import statistics
from synthetic.errors import nearest

# Half a thousand small statements: the optimiser would take a third of their time.
SET_UP = ("PRAGMA disable_optimizer", "BEGIN TRANSACTION")
SET_DOWN = ("COMMIT", "PRAGMA enable_optimizer")

# The open connection and the catalog that it shows; one per process, so that relations from
# `connect` and `table` can be joined.
_open: list[tuple[dict[str, Any], DuckDBPyConnection]] = []


@in_its_language
def connect(environ: Mapping[str, str]) -> DuckDBPyConnection:
    """Open the connection to what is declared, or give the one that is open."""
    declared = shown(environ)
    if is_run(environ):
        explain_missing_columns()
    if not (_open and _open[0][0] == declared and _alive(_open[0][1])):
        noted = is_run(environ)
        _open[:] = [(declared, locked(declared, statistics.names(), noted=noted))]
        if noted:
            reads.watch(_open[0][1], declared)
    return _open[0][1]


@in_its_language
def table(name: str, environ: Mapping[str, str]) -> DuckDBPyRelation:
    """Give a table as a relation, or say what would show it."""
    if attached.named(name):
        attached.prepare(lambda: connect(environ), name, environ)
    else:
        check_known(name, shown(environ), environ)
    return connect(environ).sql(f"SELECT * FROM {name}")


def locked(
    shown: Mapping[str, Any], published: Iterable[str], *, noted: bool = False
) -> DuckDBPyConnection:
    """Open a new connection, show a catalog's tables and these published ones, and lock it.

    Of a connection that is `noted`, DuckDB's log has what is read.
    """
    # One thread: else the order of rows without ORDER BY, and the last digits of sums of
    # floating-point numbers, would change from one execution of a notebook to the next.
    connection = duckdb.connect(":memory:", config={"threads": 1})
    views = (*replica_views(shown), *published_views(published))
    log = (reads.START,) if noted else ()
    ready = (*SET_DOWN, *_quiet(connection), *log, *_locks(shown))
    try:
        for statement in (*SET_UP, *views, *ready):
            connection.execute(statement)
    except duckdb.Error as error:  # a file is gone, broken, or not as its manifest says
        connection.close()
        raise CatalogError(
            f"a declared file cannot be read ({error}); check the replica with: synthetic verify"
        ) from error
    return connection


def _quiet(connection: DuckDBPyConnection) -> Iterator[str]:
    """Keep a slow query's progress bar out of the outputs.

    In a notebook without ipywidgets the bar is off, and even turning it off is refused.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
        yield "SET enable_progress_bar = false"


def _locks(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """Close the connection around its folders. The order matters: each line needs the former."""
    folders = {
        str(Path(file).parent)
        for dataset in shown["datasets"]
        for described in dataset["tables"]
        for file in described["files"]
    } | {str(statistics.folder()), *filter(None, [shown.get(attached.FOLDER)])}
    allowed = ", ".join(literal(folder) for folder in sorted(folders))
    return (
        f"SET allowed_directories = [{allowed}]",
        "SET enable_external_access = false",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET lock_configuration = true",
    )


def shown(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read what the supervisor declared, or take the newest replicas of this machine's home."""
    given = environ.get(CATALOG)
    if not given:
        return catalog.select(Settings.from_environ(environ), None).lab_catalog(None, figures=True)
    try:
        declared = json.loads(Path(given).read_text(encoding="utf-8"))
        if not isinstance(declared["datasets"], list):
            raise TypeError("'datasets' is not a list")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(
            f"{CATALOG} names {given}, which is not a catalog ({error}); unset it to read the "
            "replicas of this machine"
        ) from error
    return dict(declared)


def check_known(name: str, shown: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Refuse a table that is not shown, and say what would show it."""
    datasets = {
        dataset["dataset"]: {described["name"] for described in dataset["tables"]}
        for dataset in shown["datasets"]
    } | {catalog.PUBLISHED: set(statistics.names())}
    dataset, dot, described = name.partition(".")
    if dot and described in datasets.get(dataset, ()):
        return
    if not dot or not described:
        raise CatalogError(
            f"{name!r} is not a table; write dataset.table, as in 'population.persons'"
        )
    known = [f"{owner}.{each}" for owner, tables in datasets.items() for each in tables]
    if is_run(environ):
        raise CatalogError(
            f"table {name!r} is not among the data of this run; {nearest(name, known)} To read it, "
            'name it under "reads" in the notebook\'s metadata ("sandbox") and submit again'
        )
    if shown.get("built") is False and dataset not in datasets:
        raise catalog.not_built(dataset, set(datasets))
    if environ.get(CATALOG):
        told = _("there is no table {name!r} here; {nearest}").format(
            name=name, nearest=near(name, known)
        )
        raise CatalogError(f"{told} {of_a_table(environ)}")
    if dataset not in datasets:
        raise catalog.not_built(dataset, set(datasets))
    raise CatalogError(
        f"dataset {dataset!r} has no table {described!r}; {nearest(described, datasets[dataset])}"
    )


def _alive(connection: DuckDBPyConnection) -> bool:
    """Tell whether a connection is still open, without touching a result that is being read."""
    try:
        connection.cursor().close()
    except duckdb.ConnectionException:
        return False
    return True
