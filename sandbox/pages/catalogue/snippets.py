"""Code to copy into a notebook; tests run every line of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthetic.tables.forms import quote


def frame(name: str) -> str:
    """Give the code that reads the first rows of a table into a frame."""
    return f'from sandbox import lab\n\nlab.table("{name}").limit(10).df()'


def grouped(name: str, column: str) -> str:
    """Give the code that counts a table's rows by one of its columns."""
    return (
        "from sandbox import lab\n\n"
        'lab.connect().sql("""\n'
        f"    SELECT {_plain(column)}, count(*) AS n\n"
        f"    FROM {name}\n"
        "    GROUP BY ALL ORDER BY n DESC\n"
        '""").df()'
    )


def to_count_by(columns: list[Mapping[str, Any]]) -> str:
    """Choose a column that is worth counting by: the first with codes, else the first of all."""
    coded = [column["name"] for column in columns if column["type"] == "code"]
    return str((coded or [column["name"] for column in columns])[0])


def _plain(column: str) -> str:
    return column if column.isidentifier() and column.isascii() else quote(column)
