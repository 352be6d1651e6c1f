"""The SQL of a notebook as far as it stands in the code: in calls, and in `%%sql` cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from sandbox.errors import SandboxError
from sandbox.lab import asked
from sandbox.lab.tokens import Token, tokens
from sandbox.preflight.calls import HOLE, Code
from sandbox.runs.texts import fit

ASKS = re.compile(
    r"\.(?:sql|execute|executemany|query)|duckdb\.(?:sql|execute|query|executemany)"
    r"|pandas\.read_sql(?:_query)?|sandbox\.lab\.sql"
)
BEGINS = re.compile(
    r"\s*(?:SELECT|WITH|FROM|CREATE|COPY|INSERT|DESCRIBE|SUMMARIZE)\b", re.IGNORECASE
)
NAME = "known_to_the_run"  # stands for a part of the SQL that only the run will know
LONGEST = 100_000  # characters of SQL that are read
Place = tuple[int, int | None]


@dataclass(frozen=True, kw_only=True)
class Query:
    """SQL as far as it is known, and where it stands."""

    sql: str
    cell: int
    line: int  # of its first character
    last: int  # line that it surely does not go beyond

    def place(self, location: int) -> Place:
        """Give cell and line of a character."""
        return self.cell, min(self.line + self.sql.count("\n", 0, location), self.last)


def queries(code: Code) -> list[Query]:
    """Collect the SQL that calls and magics are given, in order."""
    found = [*_in_calls(code), *_in_magics(code)]
    return sorted(found, key=lambda query: (query.cell, query.line))


def copied(found: Sequence[Query]) -> Iterator[str]:
    """Name the files that SQL makes: `COPY ... TO 'name'`, and `ATTACH` of one that is not there."""
    for query in found:
        is_copy = False
        for before, token in pairwise(tokens(query.sql)):
            is_copy = is_copy or before.says("COPY")
            if token.kind == "text" and (before.says("ATTACH") or (is_copy and before.says("TO"))):
                yield inside(token).replace(NAME, HOLE)


def inside(token: Token) -> str:
    """Give the text between the quotes."""
    return token.text[1:].removesuffix("'").replace("''", "'")


def begins(text: str) -> bool:
    """Whether a text begins as SQL does."""
    return BEGINS.match(text) is not None


def _in_calls(code: Code) -> Iterator[Query]:
    for call in code.calls:
        given = call.argument(0, "query", "sql") if ASKS.fullmatch(call.name) else None
        text = None if given is None else code.text(given)
        if given is not None and text and (call.name != ".query" or begins(text)):
            number, line = call.cell.number, call.cell.line(given)
            last = line if isinstance(given, ast.Name) else line + _length(given)
            yield Query(
                sql=fit(text.replace(HOLE, NAME), longest=LONGEST),
                cell=number,
                line=line,
                last=last,
            )


def _in_magics(code: Code) -> Iterator[Query]:
    for cell in code.cells:
        for magic in cell.magics:
            if magic.name == "sql":
                with suppress(SandboxError):
                    sql = fit(asked.read(magic.line, magic.body).sql, longest=LONGEST)
                    last = magic.at + sql.count("\n")
                    yield Query(sql=sql, cell=cell.number, line=magic.at, last=last)


def _length(node: ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno
