"""Counts of a table's rows by cluster and cell, and their products summed over clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from synthetic.evaluation.clusters import Cluster
from synthetic.evaluation.sql import render_over, view
from synthetic.spec.margins import Cell
from synthetic.spec.models import Spec

_ROWS = 100_000  # enough rows for the errors of a variance to be a few in a hundred


def together(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    table: str,
    by: Mapping[str, str],
    cells: Sequence[Cell],
    cluster: Cluster,
    rows: int,
) -> sparse.csr_matrix:
    """Sum over all clusters the products of their counts in two cells.

    Of a large table every so manieth cluster is read, chosen by a hash of its number, and the sums
    are scaled up. Returns a matrix of shape (cells, cells).
    """
    every = max(rows // _ROWS, 1)
    found = _read(connection, _query(spec, table, by, cluster, every), cells)
    which = np.unique(found["cluster"], return_inverse=True)[1]
    counts = sparse.csr_matrix(
        (found["n"].astype(np.float64), (which, found["cell"])),
        shape=(int(which.max(initial=-1)) + 1, len(cells)),
    )
    return sparse.csr_matrix(counts.T @ counts) * every


def _query(spec: Spec, table: str, by: Mapping[str, str], cluster: Cluster, every: int) -> str:
    """Counts by cluster and cell, where a table `_cells` numbers the cells."""
    columns = spec.tables[table].columns
    axes = ", ".join(
        f"CAST({render_over(axis, columns, spec.as_of, 't0.')} AS VARCHAR) AS a{i}"
        for i, axis in enumerate(by.values())
    )
    same = " AND ".join(f"r.a{i} = c.a{i}" for i in range(len(by)))
    return (
        f"SELECT r.cluster, c.cell, count(*) AS n FROM ("
        f"SELECT {cluster.key} AS cluster, {axes} FROM {view(spec.dataset, table)} t0 "
        f"{cluster.joins} WHERE {_chosen(cluster.key, every)}"
        f") r JOIN _cells c ON {same} GROUP BY ALL"
    )


def _chosen(key: str, every: int) -> str:
    """One cluster in so many; MD5, since DuckDB's own hash may be another in another version."""
    return "true" if every == 1 else f"md5_number(CAST({key} AS VARCHAR)) % {every} = 0"


def _read(
    connection: duckdb.DuckDBPyConnection, query: str, cells: Sequence[Cell]
) -> dict[str, NDArray[np.int64]]:
    named = {f"a{i}": [cell[i] for cell in cells] for i in range(len(cells[0]))}
    connection.register("_cells", pa.table({**named, "cell": range(len(cells))}))
    try:
        found = connection.execute(query).fetchnumpy()
        return {name: np.asarray(values) for name, values in found.items()}
    finally:
        connection.unregister("_cells")
