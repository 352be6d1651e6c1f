"""What the pages say of one table of a replica, and of one published table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import catalog
from sandbox.catalog import PUBLISHED, Replica
from sandbox.catalog.words import TYPES, UNITS, said
from sandbox.lab import fidelity
from sandbox.language import either, language
from sandbox.pages.catalogue.links import address, anchor
from synthetic import statistics

LISTED_CODES = 100  # a longer list stays in its published table


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as its row on the page says it."""

    name: str
    anchor: str
    title: str
    description: str
    type: str
    unit: str
    is_key: bool
    is_number: bool
    sensitivity: str
    codes: Mapping[str, str]
    n_codes: int
    codes_table: str  # where the codes are published, else empty
    references: str
    fidelity: fidelity.Fidelity


def columns(replica: Replica, table: str) -> list[Column]:
    """Describe every column of a replica's table."""
    described = replica.table(table)
    return [_column(column, described["key"]) for column in described["columns"]]


def pairs(replica: Replica, table: str) -> list[tuple[str, fidelity.Fidelity]]:
    """Give the columns that a published table gives together, with their fidelity."""
    return [
        (" × ".join(pair["columns"]), fidelity.read(pair["fidelity"]))
        for pair in replica.manifest["pairs"]
        if pair["table"] == table
    ]


def sources(replica: Replica, table: str | None = None) -> list[dict[str, Any]]:
    """Give the publications behind a replica, or behind one of its tables."""
    wanted = None if table is None else _followed(replica, table)
    return [
        {
            **source,
            "name": source.get("name") or source.get("title") or source["table"],
            "address": address(f"{PUBLISHED}.{source['table']}")
            if source["table"] in statistics.names()
            else "",
        }
        for source in replica.manifest["sources"]
        if wanted is None or source["table"] in wanted
    ]


def followers(replicas: Mapping[str, Replica], published: str) -> list[str]:
    """Name the columns of these replicas that are held against a published table."""
    return [
        f"{dataset}.{name}.{column['name']}"
        for dataset, replica in replicas.items()
        for name, table in replica.tables.items()
        for column in table["columns"]
        if published
        in (column["fidelity"]["against"], (column.get("codes_table") or {}).get("table"))
    ]


def _followed(replica: Replica, table: str) -> set[str | None]:
    """Name the published tables that a table, its pairs or its codes come from."""
    listed = replica.table(table)["columns"]
    together = [pair for pair in replica.manifest["pairs"] if pair["table"] == table]
    return {each["fidelity"]["against"] for each in (*listed, *together)} | {
        (column.get("codes_table") or {}).get("table") for column in listed
    }


def _column(column: Mapping[str, Any], key: list[str]) -> Column:
    codes = catalog.code_list(column)
    table = (column.get("codes_table") or {}).get("table", "")
    return Column(
        name=column["name"],
        anchor=anchor(column["name"]),
        title=either(column["title"]),
        description=either(column["description"]),
        type=either(said(column["type"], TYPES)),
        unit=either(said(column["unit"] or "", UNITS)),
        is_key=column["name"] in key,
        is_number=column["type"] in ("integer", "decimal"),
        sensitivity=column["sensitivity"],
        codes={code: either(title) for code, title in codes.items()}
        if len(codes) <= LISTED_CODES
        else {},
        n_codes=len(codes),
        codes_table=table if table in statistics.names() else "",
        references=column["references"] or "",
        fidelity=fidelity.read(column["fidelity"]),
    )


def published_columns(table: statistics.Table) -> list[dict[str, Any]]:
    """Describe every column of a published table."""
    return [
        {
            "name": column.name,
            "anchor": anchor(column.name),
            "type": either(said(column.type, TYPES)),
            "unit": (column.unit_vi if language() == "vi" else column.unit) or "",
            "is_number": column.type != "text",
            "description": either(vars(column.description)),
        }
        for column in table.columns
    ]
