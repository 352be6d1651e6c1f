"""Published statistics of Viet Nam, packaged with their sources, types and units."""

from synthetic.statistics.described import Column, Table, Text, columns, table
from synthetic.statistics.packaged import Source, folder, header, names, path, rows, sha256, source

__all__ = [
    "Column",
    "Source",
    "Table",
    "Text",
    "columns",
    "folder",
    "header",
    "names",
    "path",
    "rows",
    "sha256",
    "source",
    "table",
]
