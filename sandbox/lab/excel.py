"""The first sheet of an Excel workbook that has rows, as a table.

A workbook is a ZIP of XML: what it says of its own size is checked before anything is unpacked,
and nothing in it is carried out. Formulas count by the value that was saved.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from sandbox.errors import AttachmentError
from sandbox.language import _

MIB = 1024 * 1024
MOST_UNPACKED = 250 * MIB  # of a whole workbook
MOST_WORDS = 50 * MIB  # of its shared texts, which are held in memory
MOST_PARTS = 5000
MOST_CELLS = 500_000  # about 15 s
HEAD = 20  # rows among which the names of the columns are looked for
OLD = b"\xd0\xcf\x11\xe0"  # Excel before 2007, and workbooks that a password closes
# What reading a file may raise that only calls itself a workbook.
UNREADABLE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, AttributeError),
    *(IndexError, ParseError, NotImplementedError, RuntimeError, OSError),
)
Row = tuple[Any, ...]


def table(path: Path) -> pa.Table:
    """Give the rows below the names of the columns, with types where each value has the same.

    Raises
    ------
    AttachmentError
        If it is no workbook, is closed by a password, has macros, is damaged or too large.
    """
    rows, is_whole = _rows(path, MOST_CELLS)
    if not is_whole:
        told = _(
            "the Excel file {name!r} has more than {n} cells; save its table as CSV or Parquet"
        )
        raise AttachmentError(told.format(name=path.name, n=f"{MOST_CELLS:,}"))
    return _table(rows, as_text=False)


def first_rows(path: Path, most_cells: int) -> tuple[pa.Table, bool]:
    """Give rows as texts up to about so many cells, and whether these are all."""
    rows, is_whole = _rows(path, most_cells)
    return _table(rows, as_text=True), is_whole


def check(path: Path) -> None:
    """Refuse what is no plain workbook, before anything of it is unpacked."""
    with path.open("rb") as file:
        begin = file.read(4)
    if begin == OLD:
        told = _(
            "the Excel file {name!r} is protected by a password, or was saved by an old Excel; "
            "save it as .xlsx without a password"
        )
        raise AttachmentError(told.format(name=path.name))
    try:
        with zipfile.ZipFile(path) as parts:
            listed = parts.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(path) from error
    names = {part.filename for part in listed}
    if "xl/workbook.xml" not in names:
        raise _damaged(path)
    if "xl/vbaProject.bin" in names:
        told = _("the Excel file {name!r} has macros; save it as an .xlsx file without them")
        raise AttachmentError(told.format(name=path.name))
    words = sum(part.file_size for part in listed if part.filename == "xl/sharedStrings.xml")
    unpacked = sum(part.file_size for part in listed)
    if unpacked > MOST_UNPACKED or words > MOST_WORDS or len(listed) > MOST_PARTS:
        told = _(
            "the Excel file {name!r} is too large when unpacked ({n} MiB, at most {limit} MiB); "
            "save its table as CSV or Parquet"
        )
        raise AttachmentError(
            told.format(name=path.name, n=unpacked // MIB, limit=MOST_UNPACKED // MIB)
        )


def _rows(path: Path, most_cells: int) -> tuple[list[Row], bool]:
    """Read the first sheet with rows up to so many cells, and tell whether these are all."""
    import openpyxl  # type: ignore[import-untyped]

    check(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Excel has and openpyxl leaves out
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                for sheet in book.worksheets:
                    sheet.reset_dimensions()  # what a file says of them need not be so
                    rows, is_whole = _filled(sheet.iter_rows(values_only=True), most_cells)
                    if rows or not is_whole:
                        return rows, is_whole
            finally:
                book.close()
    except UNREADABLE as error:
        raise _damaged(path) from error
    return [], True


def _filled(cells: Iterator[Row], most_cells: int) -> tuple[list[Row], bool]:
    found: list[Row] = []
    n_cells = 0
    for row in cells:
        n_cells += max(1, len(row))
        if n_cells > most_cells:
            return found, False
        if any(value not in (None, "") for value in row):
            found.append(row)
    return found, True


def _table(rows: Sequence[Row], *, as_text: bool) -> pa.Table:
    at = _head(rows)
    width = max((len(row) for row in rows[at:]), default=0)
    names = _names(rows[at], width) if rows else []
    below = rows[at + 1 :]
    columns = [
        _column([row[place] if place < len(row) else None for row in below], as_text)
        for place in range(len(names))
    ]
    return pa.table(columns, names=names)


def _head(rows: Sequence[Row]) -> int:
    """Find the row with the names of the columns: titles above it are not as wide."""
    widths = [sum(value not in (None, "") for value in row) for row in islice(rows, HEAD)]
    return next((at for at, width in enumerate(widths) if 2 * width > max(widths)), 0)


def _names(row: Row, width: int) -> list[str]:
    names: list[str] = []
    for place, value in enumerate((*row, *[None] * (width - len(row))), start=1):
        name = " ".join(str(value).split()) if value not in (None, "") else f"column{place}"
        while name.lower() in {one.lower() for one in names}:
            name = f"{name}_{place}"
        names.append(name)
    return names


def _column(values: Sequence[Any], as_text: bool) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if not as_text and len(kinds) <= 1:
        if kinds == {dt.datetime} and all(v is None or v.time() == dt.time() for v in values):
            return pa.array([v and v.date() for v in values])
        if kinds <= {bool, int, float, str, dt.datetime, dt.date}:
            return pa.array(values, type=None if kinds else pa.string())
    if not as_text and kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values])
    return pa.array([_text(value) for value in values], type=pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return str(value.date())
    return str(value)


def _damaged(path: Path) -> AttachmentError:
    told = _("the file {name!r} is not an Excel workbook, or is damaged; save it as .xlsx again")
    return AttachmentError(told.format(name=path.name))
