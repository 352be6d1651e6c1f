"""Names for SQL that is being written: what may stand at the cursor, the likeliest first.

After FROM and JOIN come tables; after `alias.` that table's columns; elsewhere the columns of the
tables that the statement names, then tables, then keywords. Nothing is offered within a text or a
comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError
from sandbox.lab import data
from sandbox.lab.asked import KEEP, OPTION
from sandbox.lab.names import Names, names
from sandbox.lab.tokens import KEYWORDS, Reading, Token, read, statement, tokens

PLAIN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")  # a name that needs no quotes
LINE = re.compile(r"^\s*(?:[\w.,\s]+=\s*)?%sql\b", re.MULTILINE)
STRING = re.compile(r"""\blab\s*\.\s*(?:table|describe)\(\s*r?(["'])(?P<name>[\w.]*)$""")


@dataclass(frozen=True)
class Offer:
    """What may stand at the cursor instead of the fragment before it."""

    text: str
    kind: str  # table, column or keyword


@dataclass(frozen=True, kw_only=True)
class Offers:
    """All that may stand at the cursor."""

    fragment: str
    offers: tuple[Offer, ...]


def complete(code: str, cursor: int, namespace: Mapping[str, Any]) -> Offers | None:
    """Complete a cell of a notebook at a place, or give None where there is no SQL."""
    before = code[:cursor]
    line = before[before.rfind("\n") + 1 :]
    if found := STRING.search(line):
        return _tables_in_a_string(found["name"], _names({}))
    placed = _sql(code, cursor)
    return None if placed is None else complete_sql(*placed, _names(namespace))


def complete_sql(sql: str, cursor: int, known: Names) -> Offers:
    """Complete SQL at a place."""
    pieces = tokens(sql)
    here = next((piece for piece in pieces if piece.start < cursor <= piece.end), None)
    if here is not None and _is_closed_to_names(here, cursor):
        return Offers(fragment="", offers=())
    fragment = sql[here.start : cursor] if here is not None and here.kind == "word" else ""
    around = statement(pieces, cursor)
    past = [piece for piece in around if piece.end <= cursor - len(fragment)]
    found = list(_likely(past, around, fragment, known))
    return Offers(fragment=fragment, offers=tuple(dict.fromkeys(found)))


def _sql(code: str, cursor: int) -> tuple[str, int] | None:
    """Find the SQL around a place in a cell, and the place in it."""
    start = len(code) - len(code.lstrip())
    if code.startswith("%%sql", start):
        begin, end = start + len("%%sql"), len(code)
    else:
        begin = code.rfind("\n", 0, cursor) + 1
        end = code.find("\n", cursor) if "\n" in code[cursor:] else len(code)
        found = LINE.match(code[begin:end])
        if found is None:
            return None
        begin += found.end()
    if cursor <= begin:
        return None
    sql = code[begin:end]
    passed = len(sql) - len(sql.lstrip())
    while option := OPTION.match(sql, passed):
        passed = option.end()
    if kept := KEEP.match(sql, passed):
        passed = kept.end()
    return (sql[passed:], cursor - begin - passed) if cursor - begin >= passed else None


def _is_closed_to_names(token: Token, cursor: int) -> bool:
    """Whether the cursor stands in a text, a comment or a number, where no name goes."""
    if token.kind == "comment":
        return cursor < token.end or not token.text.endswith("*/")
    if token.kind in {"text", "quoted"}:
        return cursor < token.end or len(token.text) < 2 or token.text[-1] not in "'\"$"
    return token.kind in {"number", "parameter"}


def _likely(
    past: Sequence[Token], around: Sequence[Token], fragment: str, known: Names
) -> Iterator[Offer]:
    """Offer what begins like the fragment."""
    whole, before = read(around), read(_without_owner(past))
    owner = _owner(past)
    if owner and before.expects_table:
        yield from _within(owner, fragment, known.tables())
    elif owner:
        yield from _columns(_of(owner, whole), fragment, known)
        yield from _within(owner, fragment, known.tables())
    elif before.expects_table:
        yield from _tables((*whole.made, *known.tables()), fragment)
        yield from _keywords(fragment, ("SELECT", "VALUES"))
    else:
        yield from _columns([table for table, _alias in whole.tables], fragment, known)
        yield from _tables((*whole.made, *known.tables()), fragment)
        yield from _keywords(fragment, KEYWORDS)


def _owner(past: Sequence[Token]) -> str:
    """Give the name before the cursor's dot, as in `population.` or `p.`."""
    parts: list[str] = []
    place = len(past)
    while place >= 2 and past[place - 1].says(".") and past[place - 2].is_name:
        parts.insert(0, past[place - 2].name)
        place -= 2
    return ".".join(parts)


def _without_owner(past: Sequence[Token]) -> Sequence[Token]:
    end = len(past)
    while end >= 2 and past[end - 1].says(".") and past[end - 2].is_name:
        end -= 2
    return past[:end]


def _of(owner: str, reading: Reading) -> list[str]:
    """Give the tables that a name before a dot stands for."""
    lower = owner.lower()
    meant = [table for table, alias in reading.tables if alias.lower() == lower]
    return meant or [owner]


def _columns(tables: Iterable[str], fragment: str, known: Names) -> Iterator[Offer]:
    for column in known.columns(tables):
        if _begins(column, fragment):
            yield Offer(_quoted(column), "column")


def _tables(tables: Iterable[str], fragment: str) -> Iterator[Offer]:
    """Offer tables by their whole name, whichever part of it was begun."""
    for table in tables:
        if any(_begins(part, fragment) for part in (table, *table.split(".")[1:])):
            yield Offer(_quoted(table), "table")


def _within(owner: str, fragment: str, tables: Iterable[str]) -> Iterator[Offer]:
    """Offer the tables of a schema."""
    for table in tables:
        schema, dot, name = table.partition(".")
        if dot and schema.lower() == owner.lower() and _begins(name, fragment):
            yield Offer(_quoted(name), "table")


def _keywords(fragment: str, words: Iterable[str]) -> Iterator[Offer]:
    for word in words:
        if _begins(word, fragment):
            yield Offer(word.lower() if fragment.islower() else word, "keyword")


def _tables_in_a_string(written: str, known: Names) -> Offers:
    """Complete a table's whole name, as `lab.table` takes it."""
    tables = [table for table in known.tables() if "." in table]
    offers = tuple(_tables(tables, written))
    return Offers(fragment=written, offers=tuple(dict.fromkeys(offers)))


def _begins(name: str, fragment: str) -> bool:
    return name.lower().startswith(fragment.lower())


def _quoted(name: str) -> str:
    """Write a name as SQL takes it."""
    return name if PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _names(namespace: Mapping[str, Any]) -> Names:
    """Give the names of the data; none when there are no data to connect to."""
    try:
        return names(data.connect(), namespace)
    except (SandboxError, OSError):
        return Names()
