"""One small replica of a dataset and of those that it uses, as DuckDB views."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from synthetic.build import Order, build, make_recipe
from synthetic.tables.forms import selected
from synthetic.tables.manifest import Manifest


def replicas_of(
    dataset: str, out: Path, *, scale: str = "0.002", area: str | None = None
) -> list[Manifest]:
    """Build a dataset and those that it uses."""
    recipe = make_recipe(scale, area, 1, "exact")
    return build(Order(datasets=(dataset,), recipe=recipe, out=out))


def shown(out: Path, dataset: str) -> duckdb.DuckDBPyConnection:
    """Every table that was built as `dataset.table`; by its name alone, this dataset's first."""
    connection = duckdb.connect()
    found = []
    for folder in sorted(out.glob("*/*/")):
        name = folder.parent.name
        if name.startswith(".") or not (folder / "manifest.json").exists():
            continue
        found.append(name)
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
        for table in json.loads((folder / "manifest.json").read_text("utf-8"))["tables"]:
            connection.execute(
                f'CREATE VIEW "{name}"."{table["name"]}" AS SELECT {selected(table["columns"])} '
                f"FROM read_parquet('{folder}/{table['name']}/*.parquet')"
            )
    order = sorted(found, key=lambda name: (name != dataset, name))
    connection.execute(f"SET search_path = '{','.join(order)}'")
    return connection


def views(
    dataset: str, out: Path, *, scale: str = "0.002", area: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Build a dataset and show its tables and those that it uses."""
    replicas_of(dataset, out, scale=scale, area=area)
    return shown(out, dataset)


def one(connection: duckdb.DuckDBPyConnection, query: str) -> object:
    """The only value that a query gives."""
    ((value,),) = connection.execute(query).fetchall()
    return value


def only_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    """The only row that a query gives."""
    (found,) = connection.execute(query).fetchall()
    return tuple(found)


def none(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Nothing is there: no row of a table or of a join with its conditions."""
    assert one(connection, f"SELECT count(*) FROM {rows}") == 0
