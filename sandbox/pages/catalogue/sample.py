"""The first rows of a table, read as a notebook would read them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

import duckdb

from sandbox.catalog import PUBLISHED, Inputs, Replica
from sandbox.errors import CatalogError
from sandbox.lab.connection import locked
from synthetic.tables.forms import quote

log = logging.getLogger(__name__)

N_ROWS = 10
LONGEST = 200  # characters of one value


def of_replica(replica: Replica, table: str) -> list[list[str | None]] | None:
    """Read the first rows of a replica's table; None if its files cannot be read."""
    qualified = f"{replica.dataset}.{table}"
    inputs = Inputs(replicas=(replica,), columns={qualified: replica.columns(table)}, published={})
    return _read(inputs.lab_catalog(None), (), replica.dataset, table)


def of_published(table: str) -> list[list[str | None]] | None:
    """Read the first rows of a published table."""
    return _read({"datasets": []}, (table,), PUBLISHED, table)


def _read(
    shown: Mapping[str, Any], published: tuple[str, ...], schema: str, table: str
) -> list[list[str | None]] | None:
    query = f"SELECT * FROM {quote(schema)}.{quote(table)} LIMIT {N_ROWS}"
    try:
        with locked(shown, published) as connection:
            return [[_text(value) for value in row] for row in connection.execute(query).fetchall()]
    except (duckdb.Error, CatalogError, OSError, ValueError) as error:
        log.warning("cannot read the first rows of %s.%s: %s", schema, table, error)
        return None


def _text(value: object) -> str | None:
    """Write a value as a program meets it: codes keep their zeros, days are ISO days."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if isinstance(value, dt.date) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
