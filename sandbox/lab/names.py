"""The tables and columns that SQL can name here: views of the data, temporary tables, frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from duckdb import DuckDBPyConnection

COLUMNS = """
    SELECT schema_name, table_name, column_name
    FROM duckdb_columns()
    WHERE NOT internal
    ORDER BY schema_name = 'published', schema_name != 'main', schema_name, table_name, column_index
"""
OWN = "main"  # the schema of tables that are named without one
# The open connection, and the tables that were seen in it last.
_seen: list[tuple[DuckDBPyConnection, dict[str, tuple[str, ...]]]] = []


@dataclass(frozen=True)
class Names:
    """Tables by the name that SQL uses, with their columns."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def tables(self) -> list[str]:
        """Name the tables, the person's own and the replicas' before the published ones."""
        return list(self.known)

    def columns(self, tables: Iterable[str]) -> list[str]:
        """Name the columns of some tables; a table that is not known has none."""
        lower = {name.lower(): columns for name, columns in self.known.items()}
        found = (column for table in tables for column in lower.get(table.lower(), ()))
        return list(dict.fromkeys(found))


def names(connection: DuckDBPyConnection, namespace: Mapping[str, Any]) -> Names:
    """Give the names that SQL can use, without disturbing a result that is being read."""
    if not (_seen and _seen[0][0] is connection):
        # A cursor is a second door to the same data: it disturbs nothing, and sees no table that
        # is temporary.
        with connection.cursor() as cursor:
            _seen[:] = [(connection, _columns(cursor))]
    own = {name: tuple(map(str, frame.columns)) for name, frame in frames(namespace).items()}
    return Names(own | _seen[0][1])


def look_again(connection: DuckDBPyConnection) -> None:
    """Note the tables of the moment, temporary ones as well; ends what is being read."""
    _seen[:] = [(connection, _columns(connection))]


def forget() -> None:
    """Have the tables looked up again when they are next asked for; disturbs nothing."""
    _seen.clear()


def frames(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Give the data frames of a notebook by their names."""
    return {
        name: value
        for name, value in list(namespace.items())
        if not name.startswith("_") and _is_frame(value)
    }


def _is_frame(value: object) -> bool:
    """Tell a pandas frame without loading pandas, which takes half a second."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def _columns(connection: DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for schema, table, column in connection.execute(COLUMNS).fetchall():
        name = table if schema == OWN else f"{schema}.{table}"
        found[name] = (*found.get(name, ()), column)
    return found
