"""What somebody asks of `%%sql`: a page, its rows, a name to keep the result under, and the SQL."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from sandbox.lab.faults import SqlError
from sandbox.language import _

ROWS = 20  # on a page, unless asked otherwise
MOST_ROWS = 200  # as many as a report shows of a table
MOST_PAGES = 1_000_000
OPTION = re.compile(r"--(?P<name>\w[\w-]*)(?:(?:\s+|=)(?P<value>[^\s-]\S*|-\d+))?\s*")
KEEP = re.compile(r"(?P<name>\S+)[^\S\n]*<<\s*")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked: SQL, and how its result is wanted."""

    sql: str
    is_cell: bool
    page: int = 1
    rows: int = ROWS
    name: str | None = None  # of the frame that keeps the result

    @property
    def next_page(self) -> str:
        """Write the command that shows the page after this one."""
        rows = "" if self.rows == ROWS else f" --rows {self.rows}"
        return f"%{'%' * self.is_cell}sql --page {self.page + 1}{rows}"


def read(line: str, cell: str | None) -> Asked:
    """Read the line of a magic, and its cell.

    The cell's first line stays in the SQL, empty if need be, so that lines keep their numbers.
    """
    rest, found = line.strip(), {"page": 1, "rows": ROWS}
    while option := OPTION.match(rest):
        found[option["name"]] = _number(option["name"], option["value"])
        rest = rest[option.end() :]
    kept = KEEP.match(rest)
    if kept:
        rest = rest[kept.end() :]
    sql = rest if cell is None else f"{rest}\n{cell}"
    if not sql.strip():
        raise SqlError(_("there is no SQL here; write it below, as in: {sql}").format(sql=EXAMPLE))
    name = None if kept is None else _name(kept["name"])
    return Asked(sql=sql, is_cell=cell is not None, name=name, **found)


EXAMPLE = "SELECT count(*) FROM population.persons"
LIMITS = {"page": MOST_PAGES, "rows": MOST_ROWS}


def _number(option: str, value: str | None) -> int:
    """Check one option."""
    if option not in LIMITS:
        raise SqlError(
            _("%%sql has no option --{option}; it has --page N and --rows N").format(option=option)
        )
    if value is None or not value.isdecimal() or not 1 <= int(value) <= LIMITS[option]:
        raise SqlError(
            _("--{option} must be a whole number from 1 to {most}, not {value}").format(
                option=option, most=LIMITS[option], value=repr(value or "")
            )
        )
    return int(value)


def _name(name: str) -> str:
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise SqlError(
        _("{name} cannot name a result; before << write a name of letters, digits and _").format(
            name=repr(name)
        )
    )
