"""One thing that was looked at, and how a check reads its figures from a replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import duckdb

SAMPLES = 3  # examples named in a message

Kind = Literal[
    "files",
    "keys",
    "references",
    "rules",
    "identifiers",
    "codes",
    "presence",
    "formulas",
    "missing",
    "dates",
    "structure",
    "quotas",
    "shares",
    "fidelity",
    "defects",
]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    table: str
    what: str
    ok: bool
    detail: str = ""
    kind: Kind = "files"


def summed(checks: Iterable[Check]) -> dict[Kind, tuple[int, int]]:
    """By kind: how many checks were passed, of how many."""
    checks = list(checks)
    of, ok = Counter(c.kind for c in checks), Counter(c.kind for c in checks if c.ok)
    return {kind: (ok[kind], of[kind]) for kind in get_args(Kind) if of[kind]}


def one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The only number that a query gives."""
    # All rows are fetched: a result that is half read blocks the connection.
    ((value,),) = connection.execute(query).fetchall()
    return int(value or 0)
