"""What has been spent on each source of records: on disk, before any noise is drawn, never given back.

A fit pays for all its releases in one transaction and gets a receipt; noise is added to nothing
without one. Whatever ends a fit afterwards, its price stays paid: a second fit pays again.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from synthetic.errors import BudgetError, StorageError
from synthetic.private.accounting import epsilon_of, rho_of
from synthetic.private.plan import Release
from synthetic.private.spec import Limit
from synthetic.tables.files import make_folder

_PATIENCE_S = 60
_TABLES = """
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY, epsilon REAL NOT NULL, delta REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS spent (
    at TEXT NOT NULL, source TEXT NOT NULL REFERENCES sources (name), place TEXT NOT NULL,
    release TEXT NOT NULL, rho REAL NOT NULL CHECK (rho > 0), sigma REAL NOT NULL
) STRICT;
"""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose budget is spent: a source's name, its limit, and where its records are."""

    source: str
    limit: Limit
    place: str


@dataclass
class Receipt:
    """Releases that are paid for; each may be made once."""

    at: str
    left: list[Release] = field(default_factory=list)

    def take(self, release: Release) -> None:
        """Use up what was paid for a release, or refuse."""
        if release not in self.left:
            raise BudgetError(f"release {release.name!r} is not paid for, or was made already")
        self.left.remove(release)


@dataclass(frozen=True)
class Ledger:
    """A file that remembers what was spent."""

    path: Path

    def spend(self, account: Account, releases: Sequence[Release]) -> Receipt:
        """Pay for releases together, or raise `BudgetError` and pay for none."""
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with self._writing() as connection:
            self._check(connection, account, [release.rho for release in releases])
            connection.execute(
                "INSERT OR IGNORE INTO sources VALUES (?, ?, ?)",
                (account.source, account.limit.epsilon, account.limit.delta),
            )
            connection.executemany(
                "INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?)",
                [(at, account.source, account.place, r.name, r.rho, r.sigma) for r in releases],
            )
        return Receipt(at, list(releases))

    def check(self, account: Account, releases: Sequence[Release]) -> None:
        """Raise `BudgetError` if these releases could not be paid for now."""
        if self.path.exists():
            with self._writing() as connection:
                self._check(connection, account, [release.rho for release in releases])
        else:
            _check_within(account, account.limit, [], [release.rho for release in releases])

    def spent(self, source: str) -> float:
        """The rho that was spent on a source, rounded up."""
        if not self.path.exists():
            return 0.0
        with self._writing() as connection:
            return _rounded_up(sum(_spent(connection, source), Fraction(0)))

    def _check(
        self, connection: sqlite3.Connection, account: Account, wanted: Sequence[float]
    ) -> None:
        other = connection.execute(
            "SELECT source FROM spent WHERE place = ? AND source <> ?",
            (account.place, account.source),
        ).fetchone()
        if other is not None:
            raise BudgetError(
                f"source = {account.source!r}: these records were fitted as source {other[0]!r}; "
                "use its name, so that one budget counts for them"
            )
        row = connection.execute(
            "SELECT epsilon, delta FROM sources WHERE name = ?", (account.source,)
        ).fetchone()
        limit = account.limit if row is None else Limit(epsilon=row[0], delta=row[1])
        if account.limit.epsilon > limit.epsilon or account.limit.delta > limit.delta:
            raise BudgetError(
                f"limit of {account.source!r}: {_told(account.limit)} is above {_told(limit)}, "
                f"which its first fit set in {self.path}; a limit is never raised: lower the "
                "spec's"
            )
        _check_within(account, account.limit, _spent(connection, account.source), wanted)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer can be in, on the disk when it ends."""
        make_folder(self.path.parent)
        try:
            connection = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.executescript(_TABLES)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path}: the ledger cannot be used ({error}); nothing is released without it"
            ) from error


def _spent(connection: sqlite3.Connection, source: str) -> list[Fraction]:
    rows = connection.execute("SELECT rho FROM spent WHERE source = ?", (source,))
    return [Fraction(rho) for (rho,) in rows]


def _check_within(
    account: Account, limit: Limit, before: Sequence[Fraction], wanted: Sequence[float]
) -> None:
    """Exact sums of what the floats say: the last fit may use the limit up, and nothing beyond."""
    allowed = Fraction(rho_of(limit.epsilon, limit.delta))
    used = sum(before, Fraction(0))
    if used + sum(map(Fraction, wanted), Fraction(0)) > allowed:
        already = epsilon_of(_rounded_up(used), limit.delta)
        raise BudgetError(
            f"budget of {account.source!r}: {_told(limit)} is the limit and epsilon "
            f"{already:.4g} of it is spent; this fit does not fit into the rest: ask for a smaller "
            "epsilon"
        )


def _rounded_up(value: Fraction) -> float:
    found = float(value)
    return found if Fraction(found) >= value else math.nextafter(found, math.inf)


def _told(limit: Limit) -> str:
    return f"epsilon {limit.epsilon:g} at delta {limit.delta:g}"
