"""SQL taken apart far enough to complete it: words, marks, and the tables that it names.

It reads SQL that is not finished, and never refuses any; what it does not know it passes over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

PIECES = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>'(?:[^']|'')*(?:'|\Z)|\$\$.*?(?:\$\$|\Z))
    |(?P<quoted>"(?:[^"]|"")*(?:"|\Z))
    |(?P<parameter>\$\w+)
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d[\w.]*)
    |(?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
WORDS = """
    SELECT FROM WHERE GROUP BY ORDER LIMIT JOIN LEFT ON USING AS AND OR NOT IN IS NULL BETWEEN LIKE
    ILIKE CASE WHEN THEN ELSE END DISTINCT HAVING WITH UNION ALL EXCEPT INTERSECT INNER RIGHT FULL
    CROSS OUTER DESC ASC OFFSET OVER PARTITION QUALIFY FILTER EXISTS CAST TRUE FALSE VALUES CREATE
    TEMP TABLE VIEW REPLACE DROP DESCRIBE SUMMARIZE EXPLAIN PIVOT SAMPLE SET
"""
KEYWORDS = tuple(WORDS.split())  # the likeliest first
BEFORE_A_TABLE = {"FROM", "JOIN", "DESCRIBE", "SUMMARIZE", "PIVOT", "INTO", "UPDATE"}
KNOWN = set(KEYWORDS) | {"INTO", "UPDATE", "NATURAL", "SEMI", "ANTI", "ASOF", "RECURSIVE", "SHOW"}


@dataclass(frozen=True, kw_only=True)
class Token:
    """One piece of SQL and where it stands."""

    kind: str  # word, quoted, text, comment, parameter, number or mark
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The name that a word or a quoted name stands for."""
        if self.kind == "quoted":
            return self.text[1:].removesuffix('"').replace('""', '"')
        return self.text

    @property
    def is_name(self) -> bool:
        """Whether it can be part of a table's or a column's name."""
        return self.kind == "quoted" or (self.kind == "word" and self.text.upper() not in KNOWN)

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords or marks."""
        return self.kind in {"word", "mark"} and self.text.upper() in words


@dataclass
class Scope:
    """What is being read on one level of brackets."""

    expects_table: bool = False
    in_from: bool = False


@dataclass
class Reading:
    """What a statement names, and whether a table comes next."""

    tables: list[tuple[str, str]] = field(default_factory=list)  # as written, alias
    made: list[str] = field(default_factory=list)  # by WITH
    scopes: list[Scope] = field(default_factory=lambda: [Scope()])

    @property
    def expects_table(self) -> bool:
        """Whether the next name is a table's."""
        return self.scopes[-1].expects_table


def tokens(sql: str) -> list[Token]:
    """Take SQL apart."""
    return [
        Token(kind=str(found.lastgroup), text=found[0], start=found.start(), end=found.end())
        for found in PIECES.finditer(sql)
    ]


def statement(pieces: Sequence[Token], cursor: int) -> list[Token]:
    """Give the pieces of the statement around a place, without comments."""
    ends = [token.end for token in pieces if token.says(";")]
    start = max((end for end in ends if end <= cursor), default=0)
    end = min((end for end in ends if end > cursor), default=None)
    return [
        token
        for token in pieces
        if token.start >= start and (end is None or token.end < end) and token.kind != "comment"
    ]


def read(pieces: Iterable[Token]) -> Reading:
    """Read which tables a statement names, and where its end leaves off."""
    reading, given = Reading(), list(pieces)
    place = 0
    while place < len(given):
        token, scope = given[place], reading.scopes[-1]
        if scope.expects_table and token.is_name:
            place = _table(given, place, reading)
            scope.expects_table = False
            continue
        if token.says("AS") and _makes(given, place):
            reading.made.append(given[place - 1].name)
        _follow(token, reading)
        place += 1
    return reading


def _follow(token: Token, reading: Reading) -> None:
    scope = reading.scopes[-1]
    if token.says("("):
        reading.scopes.append(Scope())
    elif token.says(")") and len(reading.scopes) > 1:
        reading.scopes.pop()
        reading.scopes[-1].expects_table = False
    elif token.says(*BEFORE_A_TABLE):
        scope.expects_table = scope.in_from = True
    elif token.says(","):
        scope.expects_table = scope.in_from
    elif token.kind == "word" and token.text.upper() in KNOWN and not token.says("AS"):
        scope.expects_table = scope.in_from = False


def _makes(given: Sequence[Token], place: int) -> bool:
    """Whether `name AS (` stands here, which makes a table within the statement."""
    if not 0 < place < len(given) - 1:
        return False
    return given[place - 1].is_name and given[place + 1].says("(", "MATERIALIZED")


def _table(given: Sequence[Token], place: int, reading: Reading) -> int:
    """Read `schema.table AS alias` and give the place after it."""
    parts = [given[place].name]
    place += 1
    while place + 1 < len(given) and given[place].says(".") and given[place + 1].is_name:
        parts.append(given[place + 1].name)
        place += 2
    if place < len(given) and given[place].says("."):  # not finished
        return place
    alias = parts[-1]
    if place < len(given) and given[place].says("AS"):
        place += 1
    if place < len(given) and given[place].is_name:
        alias = given[place].name
        place += 1
    reading.tables.append((".".join(parts), alias))
    return place
