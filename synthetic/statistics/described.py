"""What the published tables and their columns mean, in Vietnamese and English, with units.

`tables.toml` gives each table its title and description. `columns.toml` describes each column
once for all tables that share it, with exceptions by table, and gives the units in Vietnamese.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from synthetic.errors import StatisticsError
from synthetic.statistics import packaged

TYPES = ("text", "integer", "decimal")


@dataclass(frozen=True)
class Text:
    """The same words in Vietnamese and in English."""

    vi: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a published table. Codes are text: `01` is not `1`."""

    name: str
    type: str  # one of TYPES
    unit: str | None  # of every number; None for text
    unit_vi: str | None
    description: Text

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise StatisticsError(
                f"column {self.name!r} has type {self.type!r}; use one of {', '.join(TYPES)}"
            )
        if (self.unit is None) != (self.type == "text") or (self.unit is None) != (
            self.unit_vi is None
        ):
            raise StatisticsError(
                f"column {self.name!r} is {self.type} with unit {self.unit!r} "
                f"({self.unit_vi!r} in Vietnamese); numbers need a unit in both, text has none"
            )


@dataclass(frozen=True, kw_only=True)
class Table:
    """One published table: its title, what it holds, and its columns in order."""

    name: str
    title: Text
    description: Text
    columns: tuple[Column, ...]


@cache
def table(name: str) -> Table:
    """What a published table holds."""
    packaged.path(name)  # an unknown name is told here, with the nearest
    try:
        words = _parsed("tables.toml")[name]
    except KeyError:
        raise StatisticsError(f"tables.toml does not describe {name!r}; add it there") from None
    return Table(
        name=name,
        title=Text(**words["title"]),
        description=Text(**words["description"]),
        columns=tuple(_column(name, column) for column in packaged.header(name)),
    )


def columns(name: str) -> tuple[Column, ...]:
    """The columns of a published table, in the order of the file."""
    return table(name).columns


def _column(table: str, name: str) -> Column:
    described = _parsed("columns.toml")
    found = described["only"].get(table, {}).get(name) or described["shared"].get(name)
    if found is None:
        raise StatisticsError(f"columns.toml does not describe {table}.{name}; add it there")
    unit = found.get("unit")
    return Column(
        name=name,
        type=found["type"],
        unit=unit,
        unit_vi=None if unit is None else described["units"].get(unit),
        description=Text(vi=found["vi"], en=found["en"]),
    )


@cache
def _parsed(file: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))
