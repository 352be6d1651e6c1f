"""An error of `%%sql` in plain words: what is wrong, what was probably meant, and the line of SQL.

It ends the cell like any other error, but without a traceback of ours: nobody looks for a
misspelt column in the code of a library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import duckdb

from sandbox.errors import SandboxError
from sandbox.lab.missing import of_a_column, of_a_table
from sandbox.lab.names import Names
from sandbox.lab.tokens import KEYWORDS, read, tokens
from sandbox.language import _

PLACE = re.compile(r"\n\nLINE (?P<line>\d+): (?P<source>.*)\n(?P<space> *)\^+", re.DOTALL)
KIND = re.compile(r"^[\w ]*Error: ")
COLUMN = re.compile(
    r'Referenced column "(?P<name>[^"]*)" (?:was )?not found'
    r'|(?:list|[Tt]able) "(?P<alias>[^"]*)" does not have a column named "(?P<other>[^"]*)"'
)
TABLE = re.compile(r"Table with name \"?(?P<name>[^\s\"]+)\"? does not exist")
FUNCTION = re.compile(r"Function with name \"?(?P<name>[^\s\"]+)\"? does not exist")
MEANT = re.compile(r'Did you mean "(?P<name>[^"]*)"')
GROUP = re.compile(r'column "(?P<name>[^"]*)" must appear in the GROUP BY')
AMBIGUOUS = re.compile(
    r'Ambiguous reference to column name "(?P<name>[^"]*)" \(use: (?P<names>.*)\)'
)
SYNTAX = re.compile(r'syntax error at or near "(?P<near>.*?)"', re.DOTALL)
UNFINISHED = re.compile(r"syntax error at end of input|unterminated")
CLOSED = re.compile(r"Permission Error|configuration has been locked|file system operations are")
MOST_KNOWN = 12  # names listed when none is near


class SqlError(SandboxError):
    """SQL that cannot be answered; the message says why and what would mend it."""

    def _render_traceback_(self) -> list[str]:
        """Give what IPython prints instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """SQL that failed: its text, its first line's number in the cell, and what it may name."""

    sql: str
    line: int
    names: Names
    environ: Mapping[str, str]


def explained(error: duckdb.Error, source: Source) -> SqlError:
    """Put DuckDB's error into plain words, with the line it is about."""
    words = str(error)
    place = PLACE.search(words)
    told = _told(words[: place.start()] if place else words, source)
    return SqlError(told if place is None else f"{told}\n{_pointed(place, source.line)}")


def meant(word: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or list some; nothing where none is known."""
    choices = list(dict.fromkeys(known))
    lower = {choice.lower(): choice for choice in reversed(choices)}
    close = get_close_matches(word.lower(), lower, n=1)
    if close:
        return _('did you mean "{name}"?').format(name=lower[close[0]])
    if not choices:
        return ""
    more = ", …" * (len(choices) > MOST_KNOWN)
    return _("known here: {names}").format(names=", ".join(choices[:MOST_KNOWN]) + more)


def _told(words: str, source: Source) -> str:
    if found := COLUMN.search(words):
        return _no_column(found["name"] or found["other"], found["alias"], source)
    if found := TABLE.search(words):
        return _no_table(found["name"], source)
    if found := FUNCTION.search(words):
        near = MEANT.search(words)
        told = _('there is no function "{name}"').format(name=found["name"])
        return _joined(told, meant(near["name"], [near["name"]]) if near else "")
    if found := GROUP.search(words):
        return _(
            'column "{name}" must stand in GROUP BY, or inside a function such as count, sum or '
            "any_value"
        ).format(name=found["name"])
    if found := AMBIGUOUS.search(words):
        return _('more than one table has a column "{name}": write {names}').format(
            name=found["name"], names=found["names"].replace(" or ", ", ")
        )
    if UNFINISHED.search(words):
        return _("the SQL ends too early: something is missing at its end")
    if found := SYNTAX.search(words):
        told = _('the SQL cannot be read near "{near}"').format(near=found["near"])
        word = found["near"].upper()
        close = get_close_matches(word, KEYWORDS, n=1, cutoff=0.75)
        # A word that is spelt right only stands in a wrong place.
        return _joined(told, meant(word, close) if close and close[0] != word else "")
    if CLOSED.search(words):
        return _(
            "files, the internet and settings are closed to SQL here; lab.tables() shows what can "
            "be read"
        )
    return KIND.sub("", words)


def _no_column(name: str, alias: str | None, source: Source) -> str:
    """Say that a column is not there, and which of the tables' columns was probably meant."""
    reading = read(tokens(source.sql))
    tables = [table for table, short in reading.tables if not alias or alias in (table, short)]
    told = _('there is no column "{name}"').format(name=name)
    told = _joined(told, meant(name, source.names.columns(tables)))
    return "\n".join(filter(None, (told, of_a_column(source.environ))))


def _no_table(name: str, source: Source) -> str:
    """Say that a table is not there, and which was probably meant."""
    written = [table for table, _alias in read(tokens(source.sql)).tables]
    whole = next((table for table in written if table.rpartition(".")[2] == name), name)
    told = _('there is no table "{name}"').format(name=whole)
    return f"{_joined(told, _nearest(whole, source.names.tables()))}\n{of_a_table(source.environ)}"


def _nearest(table: str, known: list[str]) -> str:
    """Find a table by its whole name, or by its last part alone."""
    ends = [each.rpartition(".")[2] for each in known]
    last = get_close_matches(table.rpartition(".")[2], ends, n=1, cutoff=0.75)
    if last:
        near = known[ends.index(last[0])]
        return meant(near, [near])
    return meant(table, known)


def _joined(told: str, remedy: str) -> str:
    return f"{told}; {remedy}" if remedy else told


def _pointed(place: re.Match[str], first: int) -> str:
    """Write the line of SQL with a caret below the fault."""
    start = _("line {number}:").format(number=int(place["line"]) + first - 1) + " "
    # DuckDB's caret stands under its own, shorter or longer, beginning of the line.
    column = len(place["space"]) - len(f"LINE {place['line']}: ")
    return f"{start}{place['source'].rstrip()}\n{' ' * (len(start) + column)}^"
