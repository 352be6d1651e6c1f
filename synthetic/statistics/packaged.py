"""The published tables that travel with the package: CSV files as their publishers gave them.

Every value is text here, codes with their leading zeros. What a column means and which type it
has is told by `synthetic.statistics.described`. Nothing outside this folder is read.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synthetic.errors import StatisticsError, nearest

SOURCES = "sources"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where one table comes from, and on which terms it may be used."""

    table: str
    title: str  # of the document or series
    publisher: str
    year: str
    terms: str
    quality: str  # "official" (whole table), "secondary" (quoted), "estimate" or "mixed"
    note: str
    description: str
    found_at: str


def folder() -> Path:
    """The folder of the packaged CSV files."""
    return Path(__file__).parent / "data"


@cache
def names() -> tuple[str, ...]:
    """The published tables, in alphabetical order."""
    return tuple(sorted(path.stem for path in folder().glob("*.csv") if path.stem != SOURCES))


def path(name: str) -> Path:
    """The CSV file of a table."""
    if name not in names():
        raise StatisticsError(f"there is no published table {name!r}; {nearest(name, names())}")
    return folder() / f"{name}.csv"


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table, every value as text, in the order of the file."""
    return tuple(_read(path(name)))


@cache
def header(name: str) -> tuple[str, ...]:
    """The names of a table's columns, in the order of the file."""
    with path(name).open(encoding="utf-8", newline="") as lines:
        return tuple(next(csv.reader(lines)))


@cache
def sha256(name: str) -> str:
    """The SHA-256 of a table's file, in hexadecimal."""
    return hashlib.sha256(path(name).read_bytes()).hexdigest()


def source(name: str) -> Source:
    """Where a table comes from."""
    path(name)  # an unknown name is told here, with the nearest
    return _sources()[name]


@cache
def _sources() -> dict[str, Source]:
    return {
        Path(row["file"]).stem: Source(
            table=Path(row["file"]).stem,
            title=row["source_title"],
            publisher=row["publisher"],
            year=row["year"],
            terms=row["terms"],
            quality=row["quality"],
            note=row["note"],
            description=row["description"],
            found_at=row["found_at"],
        )
        for row in _read(folder() / f"{SOURCES}.csv")
    }


def _read(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
