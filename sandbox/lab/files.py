"""A founder's own file, CSV, Parquet or Excel, as a table that SQL can read.

It is read the same way wherever it is met: in a kernel, and where a submission is checked. What a
message says of a file names lines and columns, never what stands in them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sandbox.errors import AttachmentError
from sandbox.language import _
from sandbox.retold import retold

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[Path, bool], "pa.Table"]
LONGEST_NAME = 120  # characters
UNFIT = frozenset(
    '/\\*?[]"<>|:'
)  # lead elsewhere, stand for several files, or Windows has them not


def check_name(name: str) -> None:
    """Refuse what is not the plain name of a CSV, Parquet or Excel file."""
    ending = PurePath(name).suffix.lower()
    if name.startswith(".") or not name.isprintable() or UNFIT & set(name):
        told = _(
            "{name!r} is not the plain name of a file; put the file beside the notebook and write "
            "its name alone, as in {example!r}"
        )
        raise AttachmentError(told.format(name=name[:LONGEST_NAME], example="customers.csv"))
    if len(name) > LONGEST_NAME:
        told = _("the name of the file {name!r} is longer than {n} characters; rename it")
        raise AttachmentError(told.format(name=f"{name[:40]}…", n=LONGEST_NAME))
    if ending not in READERS:
        told = _(
            "{name!r} is not a CSV, Parquet or Excel file ({endings}); save it as one of these"
        )
        raise AttachmentError(told.format(name=name, endings=", ".join(READERS)))


def same(name: str) -> str:
    """Write a name in one way: systems differ in how they write a letter with its marks."""
    return unicodedata.normalize("NFC", name)


def table(path: Path, *, as_text: bool = False) -> pa.Table:
    """Give the rows of a file; `as_text` leaves every value as it is written.

    Raises
    ------
    AttachmentError
        If the file cannot be read as a table.
    """
    try:
        return READERS[path.suffix.lower()](path, as_text)
    except OSError as error:
        told = _("cannot read the file {name!r}: {problem}")
        problem = retold(error.strerror or str(error))
        raise AttachmentError(told.format(name=path.name, problem=problem)) from error


def _csv(path: Path, as_text: bool) -> pa.Table:
    from sandbox.lab import csvs

    return csvs.table(path, as_text=as_text)


def _excel(path: Path, as_text: bool) -> pa.Table:
    from sandbox.lab import excel

    return excel.first_rows(path, excel.MOST_CELLS)[0] if as_text else excel.table(path)


def _parquet(path: Path, as_text: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path, partitioning=None)
        if not as_text:
            return rows
        return pa.table([_text(column) for column in rows.columns], names=rows.column_names)
    except (pa.ArrowException, OSError) as error:
        told = _("the Parquet file {name!r} is damaged, encrypted, or not Parquet; write it again")
        raise AttachmentError(told.format(name=path.name)) from error


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write values as texts; nested ones, which have no text, are left out."""
    import pyarrow as pa

    try:
        return column.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return pa.nulls(len(column), pa.string())


READERS: Mapping[str, Reader] = {".csv": _csv, ".parquet": _parquet, ".xlsx": _excel}
