"""What an attached file holds, and how that is written down and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kernels.policy import MIB
from sandbox.lab import attached, files
from sandbox.lab.wording import number
from sandbox.language import _, language
from sandbox.runs.attachments import Attachment
from sandbox.runs.texts import fit
from sandbox.runs.watch import size

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 100  # characters of a column's name
MOST = 500  # columns that are named
CHECKED_CELLS = 50_000  # of an Excel file: 1.5 s
KIB = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """What a file holds, each value as text."""

    table: pa.Table
    is_whole: bool  # of an Excel file only the first rows are looked at


def read(attachment: Attachment) -> Content:
    """Read what a file holds, or say why it is no table."""
    if attachment.path.suffix.lower() == ".xlsx":
        from sandbox.lab import excel

        table, is_whole = excel.first_rows(attachment.path, CHECKED_CELLS)
        return Content(table=table, is_whole=is_whole)
    return Content(table=files.table(attachment.path, as_text=True), is_whole=True)


def to_record(
    attachment: Attachment, content: Content | None = None, columns: Sequence[str] = ()
) -> dict[str, Any]:
    """Write down what travels; `columns` are their names as they may be told."""
    return {
        "name": attachment.name,
        "bytes": attachment.size_bytes,
        "sha256": attachment.sha256,
        "table": f"{attached.SCHEMA}.{attached.table_of(attachment.name)}",
        "rows": content.table.num_rows if content and content.is_whole else None,
        "columns": [fit(name, longest=LONGEST) for name in columns[:MOST]],
    }


def told(record: Mapping[str, Any]) -> str:
    """Write one attached file for people: name, size, rows, columns."""
    rows = record["rows"]
    return _("{name} ({size}; rows: {rows}; columns: {columns})").format(
        name=record["name"],
        size=_size(record["bytes"]),
        rows="?" if rows is None else number(rows, language=language()),
        columns=len(record["columns"]),
    )


def _size(n_bytes: int) -> str:
    return size(n_bytes) if n_bytes >= MIB else f"{-(-n_bytes // KIB)} KiB"
