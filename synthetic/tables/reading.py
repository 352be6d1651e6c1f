"""The rows of a replica's files as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.tables.forms import Column, selected


def rows(path: Path, columns: Sequence[Column]) -> pa.Table:
    """The rows of a file with these columns, in the file's order."""
    made = [column for column in columns if column.get("form")]
    whole = any("sql" in column["form"] for column in made)
    file = pq.read_table(path, columns=None if whole else [c["name"] for c in columns])
    if not made:
        return file.select([column["name"] for column in columns])
    with duckdb.connect() as connection:
        found = connection.from_arrow(file).project(selected(made)).to_arrow_table()
    names = {column["name"] for column in made}
    return pa.table(
        {c["name"]: (found if c["name"] in names else file)[c["name"]] for c in columns}
    )
