"""The lab's way to the data. What it needs is loaded at the first use, so that importing is quick."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation


def connect() -> DuckDBPyConnection:
    """Open the locked connection to the declared data, or give the one that is open.

    It has one schema per dataset (`population.persons`) and the schema `published` with the
    packaged statistics. It reads nothing else, loads no extension and cannot be unlocked. A frame
    must be given a name before SQL can use it: `con.register("name", frame)`.
    """
    from sandbox.lab import connection

    return connection.connect(os.environ)


def table(name: str) -> DuckDBPyRelation:
    """Give a table as a relation: `lab.table("population.persons").count("*")`."""
    from sandbox.lab import connection

    return connection.table(name, os.environ)
