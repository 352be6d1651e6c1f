"""Counts of a table's rows by cluster and cell, and their products summed over clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy import sparse

from synthetic.evaluation.checks import one
from synthetic.evaluation.clusters import Cluster
from synthetic.evaluation.sql import render_over, view
from synthetic.spec.margins import Cell
from synthetic.spec.models import Spec
from synthetic.tables.forms import quote

_ROWS = 100_000  # enough rows for the errors of a variance to be a few in a hundred


@dataclass(frozen=True)
class Chosen:
    """Whole clusters of a table's rows, in a table of their own: `cluster` and some columns."""

    table: str
    every: int  # one cluster in so many was chosen


def choose(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    table: str,
    columns: Iterable[str],
    cluster: Cluster,
) -> Chosen:
    """Read every so manieth cluster of a table once, for all that it is held against."""
    rows = one(connection, f"SELECT count(*) FROM {view(spec.dataset, table)}")
    every = max(rows // _ROWS, 1)
    name = quote(f"chosen of {spec.dataset}.{table}")
    kept = "".join(f", t0.{quote(column)}" for column in columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {cluster.key} AS cluster{kept} "
        f"FROM {view(spec.dataset, table)} t0 {cluster.joins} WHERE {_is_chosen(cluster, every)}"
    )
    return Chosen(name, every)


def _is_chosen(cluster: Cluster, every: int) -> str:
    """One cluster in so many: by its number, or by MD5, which no version of DuckDB changes."""
    if every == 1:
        return "true"
    if cluster.numbered:
        return f"{cluster.key} % {every} = 0"
    return f"md5(CAST({cluster.key} AS VARCHAR)) < '{2**64 // every:016x}'"


def together(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    table: str,
    by: Mapping[str, str],
    cells: Sequence[Cell],
    chosen: Chosen,
) -> sparse.csr_matrix:
    """Sum over all clusters the products of their counts in two cells.

    The sums over the chosen clusters are scaled up. Returns a matrix of shape (cells, cells).
    """
    _number(connection, cells)
    found = connection.execute(_query(spec, table, by, chosen)).fetchnumpy()
    which = np.unique(found["cluster"], return_inverse=True)[1]
    counts = sparse.csr_matrix(
        (np.asarray(found["n"], np.float64), (which, np.asarray(found["cell"]))),
        shape=(int(which.max(initial=-1)) + 1, len(cells)),
    )
    return sparse.csr_matrix(counts.T @ counts) * chosen.every


def _query(spec: Spec, table: str, by: Mapping[str, str], chosen: Chosen) -> str:
    """Counts by cluster and cell, where a table `_cells` numbers the cells."""
    columns = spec.tables[table].columns
    axes = ", ".join(
        f"CAST({render_over(axis, columns, spec.as_of, 't0.')} AS VARCHAR) AS a{i}"
        for i, axis in enumerate(by.values())
    )
    same = " AND ".join(f"r.a{i} = c.a{i}" for i in range(len(by)))
    return (
        f"SELECT r.cluster, c.cell, count(*) AS n FROM ("
        f"SELECT t0.cluster, {axes} FROM {chosen.table} t0"
        f") r JOIN _cells c ON {same} GROUP BY ALL"
    )


def _number(connection: duckdb.DuckDBPyConnection, cells: Sequence[Cell]) -> None:
    """Put the cells with their numbers into the table `_cells`."""
    axes = "".join(f"unnest(${i + 1}::VARCHAR[]) AS a{i}, " for i in range(len(cells[0])))
    query = f"SELECT {axes}unnest(range(${len(cells[0]) + 1})) AS cell"
    columns = [list(axis) for axis in zip(*cells, strict=True)]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _cells AS {query}", [*columns, len(cells)])
