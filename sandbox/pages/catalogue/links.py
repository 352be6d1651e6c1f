"""Addresses of the catalogue's pages."""

from __future__ import annotations

from urllib.parse import quote

from sandbox.catalog import PUBLISHED


def address(name: str) -> str:
    """Give the page of a dataset, a table or a column, named as in `population.persons.age`."""
    first, *rest = name.split(".", 2)
    # What follows is a published table at once, of a dataset its table.
    path = "/".join(quote(part, safe="") for part in ("data", first, *rest[:1]))
    if first == PUBLISHED and not rest:
        return "/data/published"
    return f"/{path}#{anchor(rest[1])}" if len(rest) > 1 else f"/{path}"


def how_true(name: str, version: str = "") -> str:
    """Give the page that says how true a replica is, at a column's place if `name` is a column.

    Without a version it is the one that a run reads by default.
    """
    dataset, _, column = name.partition(".")
    query = f"?version={quote(version, safe='')}" if version else ""
    place = f"#{quote(name, safe='')}" if column else ""
    return f"{address(dataset)}/how-true{query}{place}"


def anchor(column: str) -> str:
    """Name the place of a column on its table's page."""
    return f"column-{quote(column, safe='')}"
