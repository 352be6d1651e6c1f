"""Records as levels, a block at a time: from Parquet, CSV or a query, never wholly in memory.

DuckDB reads and casts, without a folder for temporary files, so that a crash leaves no copy of the
records. What it says of a fault may hold values of them and is never passed on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthetic.errors import PrivateError
from synthetic.private.schema import Attribute, Schema
from synthetic.private.spec import Unit
from synthetic.tables import arrow
from synthetic.tables.files import storage_error
from synthetic.tables.forms import quote

BLOCK_ROWS = 65_536
_MEMORY = "1GB"
_MOST_HEADER = 1_000_000  # characters
_LOOKED_UP = 1 << 16  # a span of so many numbers has its levels in a table
_QUERY = re.compile(r"""\s*(select|from|with)[\s(*'"]""", re.IGNORECASE)  # not from.csv
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
Codes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Records:
    """Where the records are."""

    told: str  # as the custodian wrote it: a path, or a query that gives one row for each record

    @property
    def is_query(self) -> bool:
        """Whether it is SQL."""
        return _QUERY.match(self.told) is not None

    @property
    def place(self) -> str:
        """What names these records in a ledger."""
        return " ".join(self.told.split()) if self.is_query else str(Path(self.told).resolve())

    def sql(self) -> str:
        """What DuckDB reads from."""
        if self.is_query:
            return f"({self.told.rstrip().rstrip(';')})"
        path = Path(self.told)
        if path.is_dir():
            return f"read_parquet({_text(str(path / '**' / '*.parquet'))})"
        if not path.is_file():
            raise PrivateError(f"{path}: no such file; name a Parquet or CSV file, or a query")
        if path.suffix.lower() in _DELIMITERS:
            return _csv(path, _DELIMITERS[path.suffix.lower()])
        if path.suffix.lower() != ".parquet":
            raise PrivateError(
                f"{path}: neither .parquet, .csv nor .tsv; convert it to one of them"
            )
        return f"read_parquet({_text(str(path))})"


def _csv(path: Path, delimiter: str) -> str:
    """The SQL that reads a CSV file, told its form: a guess from its rows could hang on one record."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader([file.readline(_MOST_HEADER)], delimiter=delimiter), [])
    except OSError as error:
        raise storage_error("read", path, error) from error
    except (UnicodeDecodeError, csv.Error):
        raise PrivateError(f"{path}: its first line is not UTF-8 CSV; save it as UTF-8") from None
    if not names or len(set(names)) < len(names):
        raise PrivateError(f"{path}: its first line must name every column, each once")
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({_text(str(path))}, auto_detect = false, header = true, delim = "
        f"{_text(delimiter)}, quote = '\"', escape = '\"', columns = {{{columns}}})"
    )


def blocks(records: Records, schema: Schema, unit: Unit | None) -> Iterator[list[Codes]]:
    """The levels of each column, block by block; rows that are left out are not among them."""
    with opened(records) as connection:
        source = records.sql()
        columns = [attribute.name for attribute in schema.attributes]
        _check_columns(connection, source, [*columns, *([unit.column] if unit else [])])
        query = f"SELECT {', '.join(map(_cast, schema.attributes))} FROM {source}"
        if unit is not None:
            # Which rows of a unit are kept hangs on them alone, so that one unit changes no other.
            row = ", ".join(map(quote, columns))
            query += (
                f" QUALIFY row_number() OVER (PARTITION BY {quote(unit.column)} "
                f"ORDER BY hash({row})) <= {unit.rows}"
            )
        coders = [_Coder(attribute) for attribute in schema.attributes]
        for batch in connection.sql(query).to_arrow_reader(BLOCK_ROWS):
            yield _coded(batch, coders)


def _coded(batch: pa.RecordBatch, coders: list[_Coder]) -> list[Codes]:
    found, left_out = [], np.zeros(batch.num_rows, dtype=np.bool_)
    for coder, array in zip(coders, batch.columns, strict=True):
        codes, missing = coder.codes(array), arrow.missing_of(array)
        if missing is not None and coder.attribute.may_miss:
            codes = np.where(missing, np.uint16(coder.attribute.n_there), codes)
        elif missing is not None:
            left_out |= missing
        found.append(codes)
    return [codes[~left_out] for codes in found] if left_out.any() else found


class _Coder:
    """The levels of one column's values."""

    def __init__(self, attribute: Attribute) -> None:
        self.attribute, edges = attribute, attribute.edges
        span = int(edges[-1] - edges[0])
        self.table = self._levels(np.arange(span) + edges[0]) if 0 < span <= _LOOKED_UP else None

    def codes(self, array: pa.Array) -> Codes:
        """Levels; where there is no value, anything that is one."""
        if self.attribute.values:
            return _there(array.indices, 0).astype(np.uint16)
        numbers = _there(array, int(self.attribute.edges[0]))
        if self.table is None:
            return self._levels(numbers)
        return self.table.take(numbers - self.attribute.edges[0])

    def _levels(self, numbers: npt.NDArray[np.generic]) -> Codes:
        found = np.searchsorted(self.attribute.edges, numbers, side="right")
        return (found - 1).astype(np.uint16)


def _there(array: pa.Array, otherwise: int) -> npt.NDArray[np.generic]:
    numbers, missing = arrow.to_numpy(array), arrow.missing_of(array)
    return numbers if missing is None else np.where(missing, otherwise, numbers)


def _cast(attribute: Attribute) -> str:
    """The SQL of a column as a category, or as whole numbers within its bounds."""
    column = quote(attribute.name)
    if attribute.values:
        if attribute.type == "boolean":
            column = f"TRY_CAST({column} AS BOOLEAN)"
        listed = ", ".join(map(_text, attribute.values))
        found = f"TRY_CAST(CAST({column} AS VARCHAR) AS ENUM ({listed}))"
        if attribute.outside is not None:
            other = f"CAST({_text(attribute.outside)} AS ENUM ({listed}))"
            found = f"coalesce({found}, CASE WHEN {column} IS NOT NULL THEN {other} END)"
        return f"{found} AS {column if attribute.type != 'boolean' else quote(attribute.name)}"
    if attribute.type == "date":
        number = f"CAST(TRY_CAST({column} AS DATE) - DATE '1970-01-01' AS DOUBLE)"
    else:
        number = f"nullif(TRY_CAST({column} AS DOUBLE), CAST('NaN' AS DOUBLE))"
        if attribute.places:
            number += f" * {10**attribute.places}"
    low, high = int(attribute.edges[0]), int(attribute.edges[-1]) - 1
    # A missing value stays missing: least() and greatest() alone would take the bound instead.
    within = f"least(greatest(round({number}), {low}), {high})"
    return f"CASE WHEN {number} IS NOT NULL THEN CAST({within} AS BIGINT) END AS {column}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _check_columns(connection: duckdb.DuckDBPyConnection, source: str, wanted: list[str]) -> None:
    there = connection.sql(f"SELECT * FROM {source}").columns
    for name in wanted:
        if name not in there:
            # Without a line of headers, the names there would be values of a record.
            raise PrivateError(
                f"the records have no column {name!r}; mend the spec, or give the CSV file a first "
                "line that names its columns"
            )


@contextmanager
def opened(records: Records) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to read these records with, whose faults are told without a value of them."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": _MEMORY,
        "temp_directory": "",
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET enable_progress_bar = false")
    try:
        yield connection
    except duckdb.Error as error:
        # Its words may hold values of the records, so nothing but its kind is told.
        kind = type(error).__name__
        what = "the query" if records.is_query else Path(records.told).name
        raise PrivateError(
            f"{what} cannot be read ({kind}); try it in DuckDB yourself to see why: its message "
            "may hold values of the records and is not shown here"
        ) from None
    finally:
        connection.close()
