"""One thing that the check before a run has found: where, why it matters, what mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.language import LANGUAGES, N_, Later, _, nearest, speaking
from sandbox.retold import retold


@dataclass(frozen=True)
class Retold:
    """A message of ours that was put together in English, in the language of its reader."""

    english: str

    def __str__(self) -> str:
        return retold(self.english)


@dataclass(frozen=True)
class Listed:
    """Several things in one message."""

    parts: tuple[Later, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.parts))


@dataclass(frozen=True)
class Near:
    """A known name that was probably meant, or the names that there are."""

    word: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return nearest(self.word, self.known)


Words = Later | Retold


class Severity(StrEnum):
    """What a finding does to a submission."""

    ERROR = "error"  # stops it
    WARNING = "warning"  # travels with it


TITLES = {Severity.ERROR: N_("error"), Severity.WARNING: N_("warning")}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found; cell and line count from 1, every cell of the notebook counts."""

    code: str
    severity: Severity
    why: Words
    remedy: Words
    cell: int | None = None
    line: int | None = None

    @property
    def is_error(self) -> bool:
        """Whether it stops a submission."""
        return self.severity is Severity.ERROR

    @property
    def place(self) -> str:
        """Name the cell and the line."""
        return place(self.cell, self.line)

    def to_record(self) -> dict[str, Any]:
        """Give it for a submission, in both languages."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "cell": self.cell,
            "line": self.line,
            "why": _both(self.why),
            "remedy": _both(self.remedy),
        }

    def to_text(self) -> str:
        """Write it in the spoken language."""
        return f"{_(TITLES[self.severity])}, {self.place}: {self.why}\n  → {self.remedy}"


def place(cell: object, line: object) -> str:
    """Name a cell and a line, as a finding or its record has them."""
    if cell is None:
        return _("the whole notebook")
    if line is None:
        return _("cell {cell}").format(cell=cell)
    return _("cell {cell}, line {line}").format(cell=cell, line=line)


def error(code: str, why: Words, remedy: Words, cell: int | None, line: int | None) -> Finding:
    """Make a finding that stops a submission."""
    return Finding(code=code, severity=Severity.ERROR, why=why, remedy=remedy, cell=cell, line=line)


def warning(code: str, why: Words, remedy: Words, cell: int | None, line: int | None) -> Finding:
    """Make a finding that travels with a submission."""
    return Finding(
        code=code, severity=Severity.WARNING, why=why, remedy=remedy, cell=cell, line=line
    )


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place; of those with one code at one place, the gravest stays."""
    kept: dict[tuple[Any, ...], Finding] = {}
    for one in sorted(found, key=lambda one: (one.cell or 0, one.line or 0, not one.is_error)):
        # Of the whole notebook several things can be wrong in one way.
        what = one.why if one.cell is None else None
        kept.setdefault((one.cell, one.line, one.code, what and str(what)), one)
    return list(kept.values())


def _both(words: Words) -> dict[str, str]:
    told = {}
    for language in LANGUAGES:
        with speaking(language):
            told[language] = str(words)
    return told
