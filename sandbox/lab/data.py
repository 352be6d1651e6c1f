"""The lab's way to the data. What it needs is loaded at the first use, so that importing is quick."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from sandbox.lab.shown import Shown


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


def attachment(name: str) -> Path:
    """Give the path of your own CSV, Parquet or Excel file, which travels with the submission.

    `lab.attachment("customers.csv")` is the file beside the notebook; in SQL the same file is the
    table `attached.customers`. Write the name as a text, so that it is seen before a run.
    """
    from sandbox.lab import attached

    return attached.attachment(name, os.environ)


def tables() -> Shown:
    """List the tables that can be read here, with titles and rows."""
    from sandbox.lab import listed

    return listed.tables(os.environ)


def describe(name: str) -> Shown:
    """Show a table: its columns, how far to trust them, ten rows, and questions with their SQL.

    A dataset's name lists its tables; `dataset.table.column` shows one column with its codes.
    """
    from sandbox.lab import described

    return described.describe(name, os.environ)


def help() -> Shown:
    """Show the way on, in one screen: data, results, submitting, guided notebooks."""
    from sandbox.lab import tour

    return tour.help(os.environ)
