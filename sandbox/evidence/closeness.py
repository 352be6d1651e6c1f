"""Are two values the same, nearly the same, or not: numbers, texts with numbers, and JSON.

Only numbers with a fraction or an exponent may differ a little; whole numbers are counts, and a
count is the same or it is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sandbox.evidence.masks import masked
from sandbox.runs.verdicts import Verdict

RELATIVE = 1e-10  # of the larger number; the order of a sum changes its last one or two digits
ABSOLUTE = 1e-12  # what is left where the true value is nought
SHORT = 160  # characters of a value in a difference
BEFORE = 40  # of them before the first character that differs
FRACTION = re.compile(
    r"(?<![\w.,])[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?!\w|\.\d|,\d)"
)
BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where two executions differ, with both values, short."""

    what: str  # the kind of output
    where: str = ""  # the line, the cell of a table, the name of a result
    first: str
    repeat: str

    def to_record(self) -> dict[str, str]:
        """Give the difference for a record."""
        return {
            "what": self.what,
            "where": self.where,
            "first": self.first,
            "repeat": self.repeat,
        }


def near(one: float, other: float) -> bool:
    """Whether two numbers are equal within the tolerance."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def texts(one: str, other: str) -> Verdict:
    """Compare two texts, the numbers in them within the tolerance."""
    one, other = masked(one), masked(other)
    if one == other:
        return Verdict.IDENTICAL
    if frame(one) != frame(other):
        return Verdict.DIFFERS
    pairs = zip(fractions(one), fractions(other), strict=True)
    return Verdict.EQUAL if all(near(a, b) for a, b in pairs) else Verdict.DIFFERS


def fractions(text: str) -> list[float]:
    """Give the numbers of a text that have a fraction or an exponent."""
    return [float(found) for found in FRACTION.findall(text)]


def text_difference(what: str, one: str, other: str) -> Difference:
    """Show the first line in which two texts differ, or are only nearly the same."""
    sides = (masked(text).rstrip("\n").split("\n") for text in (one, other))
    lines = list(zip_longest(*sides, fillvalue=""))
    unequal = [(n, a, b) for n, (a, b) in enumerate(lines, start=1) if a != b]
    far = (line for line in unequal if texts(line[1], line[2]) is Verdict.DIFFERS)
    number, first, second = next(far, unequal[0] if unequal else (1, one, other))
    where = f"line {number}" if len(lines) > 1 else ""
    return Difference(what=what, where=where, **_short(first, second))


def values(one: Any, other: Any, where: str = "") -> Iterator[tuple[Verdict, str, Any, Any]]:
    """Compare two values of JSON; yield each place where they are not identical."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            yield from values(one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from values(a, b, f"{where}[{n}]")
    elif not _same(one, other):
        numbers = _is_number(one) and _is_number(other) and float in {type(one), type(other)}
        is_near = numbers and near(one, other)
        yield Verdict.EQUAL if is_near else Verdict.DIFFERS, where, one, other


def value_difference(what: str, where: str, one: Any, other: Any) -> Difference:
    """Show two values."""
    return Difference(what=what, where=where[:SHORT], **_short(str(one), str(other)))


def frame(text: str) -> str:
    """Give what stands around the numbers; columns are as wide as their numbers are long."""
    return BLANKS.sub(" ", FRACTION.sub("#", text))


def _same(one: Any, other: Any) -> bool:
    both_nan = one != one and other != other
    return type(one) is type(other) and (one == other or both_nan)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(first: str, second: str) -> dict[str, str]:
    """Cut both texts around the first character in which they differ."""
    pairs = zip_longest(first, second)
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), 0)
    begin = max(0, at - BEFORE) if max(len(first), len(second)) > SHORT else 0
    return {"first": _cut(first, begin), "repeat": _cut(second, begin)}


def _cut(text: str, begin: int) -> str:
    shown = text[begin : begin + SHORT]
    return ("…" if begin else "") + shown + ("…" if begin + SHORT < len(text) else "")
