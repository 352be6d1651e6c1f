"""What the columns of a sample file are: read by DuckDB as a stream, and told as facts.

At most `ROWS` rows are read, all as text, whatever the size of the file. What is kept of the
values: how many are distinct, the first few of short lists, and rounded bounds.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from synthetic.errors import SpecError
from synthetic.tables.files import storage_error

ROWS = 200_000
CODES = 30  # a longer list is no code list
MOST_COLUMNS = 300
_HEAD = 1 << 20  # bytes that are looked at before DuckDB is asked
_MEMORY = "1GB"
_NUMBER = r"-?(0|[1-9][0-9]{0,11})"
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")
_TIMES = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
)
_TRUTHS = (("true", "false"), ("yes", "no"), ("có", "không"))


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a sample."""

    header: str  # as written; empty where there is none
    type: str  # integer, decimal, date, timestamp, boolean or text
    n_rows: int
    n_there: int  # rows with a value
    n_distinct: int
    values: tuple[str, ...] = ()  # all of them, where there are at most `CODES`
    places: int = 0  # of a decimal
    low: int = 0  # of numbers, in whole numbers of the last place
    high: int = 0
    in_codes: Mapping[str, float] = field(
        default_factory=dict
    )  # code list -> share of values that are in it
    digits: int = 0  # the length of all values, where they are digits of one length

    @property
    def is_unique(self) -> bool:
        """Whether it could be a key: there in every row, and no two alike."""
        return self.n_rows > 1 and self.n_distinct == self.n_there == self.n_rows


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The columns of a file, as far as it was read."""

    file: str
    n_rows: int
    is_whole: bool
    columns: tuple[Column, ...]
    notes: tuple[str, ...]  # what a person should know of the reading


def read(path: Path, codes: Mapping[str, Sequence[str]]) -> Sample:
    """Look at the first rows of a CSV file; `codes` are lists that values may come from."""
    if not path.is_file():
        raise SpecError(f"{path}: no such file; name a CSV file")
    delimiter = _check_text(path)
    with tempfile.TemporaryDirectory(prefix="synthetic-import-") as folder:
        # Under a name of ours: "*" and "[" in a path would ask DuckDB for several files.
        link = Path(folder) / "sample.csv"
        link.symlink_to(path.resolve())
        connection = duckdb.connect(
            ":memory:", config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": folder}
        )
        try:
            return _read(connection, path, link, delimiter, codes)
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0][:300]
            if "Maximum line size" in str(error):
                reason = "a line of more than 2,000,000 bytes"
            raise SpecError(
                f"{path}: cannot be read as CSV: {reason}; save the sample as UTF-8 with commas"
            ) from error
        finally:
            connection.close()


def _check_text(path: Path) -> str | None:
    """Refuse what is no text file in UTF-8; return the delimiter where only one can be meant."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise storage_error("read", path, error) from error
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise SpecError(f"{path}: is UTF-16; save it as CSV UTF-8")
    if b"\0" in head:
        is_zip = head[:2] == b"PK"
        what = "looks like a workbook or an archive" if is_zip else "is not a text file"
        raise SpecError(f"{path}: {what} (a zero byte); save the sample as CSV UTF-8")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as CSV UTF-8") from error
    if not text.strip():
        raise SpecError(f"{path}: empty; a sample has a line of headers and some rows")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return None if any(sign in first for sign in ",;\t|") else "\x1f"  # one column


def _read(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    link: Path,
    delimiter: str | None,
    codes: Mapping[str, Sequence[str]],
) -> Sample:
    options = ["header = false", "all_varchar = true", "null_padding = true", "parallel = false"]
    options += ["strict_mode = false", "ignore_errors = true", "store_rejects = true"]
    if delimiter is not None:
        options.append(f"delim = '{delimiter}'")
    # One row more than is looked at, to know whether there are more, and the line of headers.
    connection.execute(
        f"CREATE TABLE lines AS SELECT * FROM read_csv({_quoted(str(link))}, "
        f"{', '.join(options)}) LIMIT {ROWS + 2}"
    )
    names = [row[0] for row in connection.execute("DESCRIBE lines").fetchall()]
    if len(names) > MOST_COLUMNS:
        raise SpecError(f"{path}: {len(names)} columns; at most {MOST_COLUMNS}: leave some out")
    first = connection.execute("SELECT * FROM lines LIMIT 1").fetchone()
    if first is None:
        raise SpecError(f"{path}: no row could be read; save the sample as CSV UTF-8")
    rejected = connection.execute("SELECT count(*) FROM reject_errors").fetchone()
    notes = []
    if rejected is not None and rejected[0]:
        notes.append(f"{rejected[0]} lines could not be read and were passed over")
    headers = ["" if cell is None else " ".join(cell.split()) for cell in first]
    if _is_header(headers):
        connection.execute("DELETE FROM lines WHERE rowid = 0")
    else:
        notes.append("the first line holds values, so the columns have no names")
        headers = [""] * len(names)
    found = connection.execute("SELECT count(*) FROM lines").fetchone()
    n_read = 0 if found is None else int(found[0])
    if n_read == 0:
        raise SpecError(f"{path}: a line of headers and no row; a sample has some rows")
    if n_read > ROWS:
        connection.execute(f"DELETE FROM lines WHERE rowid > {ROWS}")
        notes.append(f"only the first {ROWS:,} rows were read")
    _note_headers(headers, notes)
    lists = _lists(connection, codes)
    return Sample(
        file=path.name,
        n_rows=min(n_read, ROWS),
        is_whole=n_read <= ROWS,
        columns=tuple(
            _column(connection, name, header, lists)
            for name, header in zip(names, headers, strict=True)
        ),
        notes=tuple(notes),
    )


def _is_header(cells: Sequence[str]) -> bool:
    """A line of names has no numbers and no dates in it."""
    there = [cell for cell in cells if cell]
    return bool(there) and not any(cell[0].isdigit() and _is_value(cell) for cell in there)


def _is_value(cell: str) -> bool:
    return not any(sign.isalpha() for sign in cell)


def _note_headers(headers: Sequence[str], notes: list[str]) -> None:
    repeated = sorted({h for h in headers if h and headers.count(h) > 1})
    if repeated:
        notes.append(f"headers stand twice: {', '.join(h[:60] for h in repeated[:5])}")


def _lists(
    connection: duckdb.DuckDBPyConnection, codes: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    connection.execute("CREATE TABLE known (list VARCHAR, code VARCHAR)")
    for name, listed in codes.items():
        connection.execute(
            "INSERT INTO known SELECT ?, unnest(?)", [name, sorted({c.lower() for c in listed})]
        )
    return tuple(codes)


def _column(
    connection: duckdb.DuckDBPyConnection, name: str, header: str, lists: Sequence[str]
) -> Column:
    column = f'"{name}"'
    # Each value once, with its number of rows: what follows looks at texts, which is slow.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE v AS SELECT nullif(trim({column}, ' \t\r\n'), '') AS v, "
        "count(*) AS n FROM lines GROUP BY ALL"
    )
    n_rows, n_there, n_distinct, shortest, longest, is_digits = _one(
        connection,
        "SELECT sum(n)::BIGINT, coalesce(sum(n) FILTER (v IS NOT NULL), 0)::BIGINT, count(v), "
        "min(length(v)), max(length(v)), bool_and(regexp_full_match(v, '[0-9]+')) FROM v",
    )
    kind, places, low, high = _type(connection) if n_there else ("text", 0, 0, 0)
    values: tuple[str, ...] = ()
    if 0 < n_distinct <= CODES:
        rows = connection.execute("SELECT v FROM v WHERE v IS NOT NULL ORDER BY v")
        values = tuple(row[0] for row in rows.fetchall())
    shares = {}
    for listed in lists if n_there else ():
        shares[listed] = _one(
            connection,
            "SELECT coalesce(sum(n) FILTER (lower(v) IN (SELECT code FROM known WHERE list = "
            f"{_quoted(listed)})), 0)::DOUBLE / sum(n) FROM v WHERE v IS NOT NULL",
        )[0]
    return Column(
        header=header[:200],
        type=kind,
        n_rows=n_rows,
        n_there=n_there,
        n_distinct=n_distinct,
        values=values,
        places=places,
        low=low,
        high=high,
        in_codes=shares,
        digits=shortest if is_digits and shortest == longest else 0,
    )


def _type(connection: duckdb.DuckDBPyConnection) -> tuple[str, int, int, int]:
    """The narrowest type that holds every value, with decimal places and bounds."""
    truths = " OR ".join(f"bool_and(lower(v) IN {pair})" for pair in _TRUTHS)
    is_boolean, is_integer, is_decimal, is_day, is_time = _one(
        connection,
        f"SELECT {truths}, bool_and(regexp_full_match(v, '{_NUMBER}')), "
        f"bool_and(regexp_full_match(v, '{_NUMBER}([.,][0-9]{{1,6}})?')), "
        f"{_parses(_DAYS)}, {_parses(_TIMES)} FROM v WHERE v IS NOT NULL",
    )
    if is_boolean:
        return "boolean", 0, 0, 0
    if is_integer or is_decimal:
        places, low, high = _one(
            connection,
            "SELECT max(length(regexp_extract(v, '[.,]([0-9]+)$', 1))), "
            "min(n), max(n) FROM (SELECT v, CAST(replace(v, ',', '.') AS DECIMAL(18, 6)) AS n "
            "FROM v WHERE v IS NOT NULL)",
        )
        scale = 10 ** int(places)
        return "decimal" if places else "integer", int(places), int(low * scale), int(high * scale)
    if is_day:
        return "date", 0, 0, 0
    return "timestamp" if is_time else "text", 0, 0, 0


def _parses(formats: Sequence[str]) -> str:
    """All values fit one of the formats, and lie in the years that the generator knows."""
    listed = ", ".join(f"'{one}'" for one in formats)
    return f"bool_and(coalesce(year(try_strptime(v, [{listed}])), 0) BETWEEN 1850 AND 2149)"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
