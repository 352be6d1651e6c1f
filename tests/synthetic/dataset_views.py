"""One small replica of a dataset and of those that it uses, as DuckDB views: Parquet and SQL only."""

from __future__ import annotations

from pathlib import Path

import duckdb

from synthetic.build import Order, build, make_recipe


def views(dataset: str, out: Path, *, scale: str = "0.002") -> duckdb.DuckDBPyConnection:
    """Build a dataset and show every table as `dataset.table`."""
    build(Order(datasets=(dataset,), recipe=make_recipe(scale, None, 1, "exact"), out=out))
    connection = duckdb.connect()
    for folder in sorted(out.glob("*/*/")):
        name = folder.parent.name
        if name.startswith(".") or not (folder / "manifest.json").exists():
            continue
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
        for table in sorted(path for path in folder.iterdir() if path.is_dir()):
            connection.execute(
                f'CREATE VIEW "{name}"."{table.name}" AS '
                f"SELECT * FROM read_parquet('{table}/*.parquet')"
            )
    return connection


def one(connection: duckdb.DuckDBPyConnection, query: str) -> object:
    """The only value that a query gives."""
    ((value,),) = connection.execute(query).fetchall()
    return value
