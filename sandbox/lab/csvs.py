"""CSV as people save it: in whatever encoding, with whatever separator."""

from __future__ import annotations

import codecs
import re
import tempfile
import unicodedata
from pathlib import Path

import duckdb
import pyarrow as pa

from sandbox.errors import AttachmentError
from sandbox.language import _

PIECE = 1 << 20  # bytes that are decoded at a time
UTF_8 = "utf-8"
WINDOWS = "cp1258"  # what Vietnamese Windows writes where it does not write Unicode
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
LINE = re.compile(r"CSV Error on Line: (\d+)")
TOO_LONG = "Maximum line size"


def table(path: Path, *, as_text: bool) -> pa.Table:
    """Give the rows of a CSV file; types hold for every row, and `01` stays a text."""
    written = encoding(path)
    if written == UTF_8:
        return _read(path, path.name, as_text)
    with tempfile.TemporaryDirectory(prefix="csv-") as folder:
        second = Path(folder) / "utf-8.csv"
        _write_again(path, written, second)
        return _read(second, path.name, as_text)


class RaggedError(AttachmentError):
    """Text that is no table, though a notebook may well know how to read it."""


def lines(path: Path) -> pa.Table:
    """Give the lines of a text, whatever it is, as one column."""
    text = path.read_bytes().decode(encoding(path), errors="replace")
    return pa.table({"line": pa.array(text.splitlines(), type=pa.string())})


def encoding(path: Path) -> str:
    """Tell how the text of a file is encoded, as far as its bytes show."""
    with path.open("rb") as file:
        begin = file.read(4096)
        if known := MARKS.get(begin[:2]):
            return known
        if b"\0" in begin:
            told = _("the file {name!r} is not text, so not CSV; save it as CSV (UTF-8)")
            raise AttachmentError(told.format(name=path.name))
        file.seek(0)
        decoder = codecs.getincrementaldecoder(UTF_8)()
        try:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return WINDOWS
    return UTF_8


def _write_again(path: Path, written: str, second: Path) -> None:
    try:
        text = path.read_bytes().decode(written)
    except UnicodeDecodeError as error:
        told = _("the text of the file {name!r} cannot be read; save it as CSV (UTF-8)")
        raise AttachmentError(told.format(name=path.name)) from error
    second.write_text(unicodedata.normalize("NFC", text), encoding=UTF_8)


def _read(path: Path, name: str, as_text: bool) -> pa.Table:
    try:
        # One thread: else rows could come in another order.
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            rows = connection.read_csv(str(path), sample_size=-1, all_varchar=as_text)
            return rows.to_arrow_table()
    except duckdb.Error as error:
        raise _problem(name, str(error)) from None  # its words would repeat the line


def _problem(name: str, words: str) -> AttachmentError:
    found = LINE.search(words)
    line = found[1] if found else "?"
    if TOO_LONG in words:
        told = _(
            "line {line} of the file {name!r} is longer than 2 MB; perhaps a quotation mark is not "
            "closed"
        )
        return AttachmentError(told.format(name=name, line=line))
    told = _(
        "the file {name!r} cannot be read as a table (line {line}): each line needs the same "
        "columns, with their names in the first"
    )
    return RaggedError(told.format(name=name, line=line))
