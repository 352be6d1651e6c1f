"""Files as founders have them, sound and otherwise."""

from __future__ import annotations

import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

CSV = "ma,ten,so\n01,Nguyễn Văn An,1\n79,Trần Thị Bình,2\n"


def csv(folder, name="customers.csv", text=CSV, encoding="utf-8"):
    """Write a CSV file and give its path."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def parquet(folder, name="customers.parquet", **columns):
    """Write a Parquet file and give its path."""
    path = folder / name
    pq.write_table(pa.table(columns or {"ma": ["01", "79"], "so": [1, 2]}), path)
    return path


def excel(folder, name="customers.xlsx", rows=(("ma", "so"), ("01", 1), ("79", 2))):
    """Write an Excel workbook and give its path."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / name
    book.save(path)
    return path


def with_part(path, name, data):
    """Put a part into a workbook, in place of the one of that name."""
    with zipfile.ZipFile(path) as book:
        parts = {one: book.read(one) for one in book.namelist()} | {name: data}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for one, content in parts.items():
            book.writestr(one, content)
    return path
