"""The kinds of defect: how each spoils one value, and how it is recognised.

A change gives the spoiled value, or None where this value cannot have the defect. All chance comes
from a row's own word in whole numbers, so a value's defect depends on nothing around it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from synthetic import statistics
from synthetic.generation.identifiers import NAME_MARK, is_synthetic

T = TypeVar("T")
Value = Any  # of any column, as Arrow gives it to Python

DUPLICATE = "duplicate"
_MASK = (1 << 64) - 1
_LETTERS = 4  # a text with fewer is a code, not a name
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    key: row[max(i - 1, 0) : i] + row[i + 1 : i + 2] for row in _ROWS for i, key in enumerate(row)
}


class Chance:
    """Whole numbers drawn one after another from one word (splitmix64)."""

    def __init__(self, word: int) -> None:
        self._state = word

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
        return ((z ^ (z >> 31)) >> 32) * n >> 32

    def one(self, items: Sequence[T]) -> T:
        """One of these."""
        return items[self.below(len(items))]

    def shuffled(self, items: Iterable[T]) -> Iterator[T]:
        """These in any order, drawn as they are asked for."""
        left = list(items)
        while left:
            yield left.pop(self.below(len(left)))


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a defect must know of a column."""

    name: str
    type: str
    places: int  # of a decimal; 0 for whole numbers
    limit: int  # the largest whole number (of last places) that the file holds
    factor: int  # by which its unit is mistaken; 0 where it is not
    codes: tuple[str, str] | None  # published table and column of its codes
    identifier: str | None


# ---------------------------------------------------------------- texts


def _body(text: str) -> tuple[str, str]:
    """A text without the mark of a made-up name, which every defect leaves whole, and the mark."""
    return (text[: -len(NAME_MARK)], NAME_MARK) if text.endswith(NAME_MARK) else (text, "")


def _letters(text: str) -> list[int]:
    at = [i for i, character in enumerate(text) if character.isalpha()]
    return at if len(at) >= _LETTERS else []


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def plain(text: str) -> str:
    """A text without any mark: Nguyễn Đức becomes Nguyen Duc."""
    bare = "".join(c for c in _nfd(text) if not unicodedata.combining(c))
    return bare.replace("đ", "d").replace("Đ", "D")


def _typo(column: Column, text: str, chance: Chance) -> str | None:
    """A letter that is dropped, doubled, or the one beside it on the keyboard."""
    body, mark = _body(text)
    letters = _letters(body)
    if not letters:
        return None
    at = chance.one(letters)
    letter = body[at]
    near = _NEIGHBOURS.get(letter.lower(), "")
    how = chance.below(3 if near else 2)
    if how == 2:
        other = chance.one(near)
        letter = other.upper() if letter.isupper() else other
    wrong = body[:at] + ("", letter * 2, letter)[how] + body[at + 1 :]
    return wrong + mark if wrong == _nfc(wrong) else None


def _tone(column: Column, text: str, chance: Chance) -> str | None:
    """A tone mark lost, another in its place, or a whole text typed without marks."""
    body, mark = _body(text)
    if not _letters(body):
        return None
    marked = [i for i, c in enumerate(body) if any(tone in _TONES for tone in _nfd(c)[1:])]
    how = chance.below(3)
    if how == 0 or not marked:
        wrong = plain(body)
    else:
        at = chance.one(marked)
        held = _nfd(body[at])
        old = next(c for c in held[1:] if c in _TONES)
        new = "" if how == 1 else chance.one([tone for tone in _TONES if tone != old])
        wrong = body[:at] + _nfc(held.replace(old, new)) + body[at + 1 :]
    return wrong + mark if wrong != body else None


def _unicode(column: Column, text: str, chance: Chance) -> str | None:
    """The same letters with their marks apart (NFD), where the rest is composed (NFC)."""
    body, mark = _body(text)
    return _nfd(body) + mark if _nfd(body) != body else None


# ---------------------------------------------------------------- codes, dates, numbers

_OLD_CODES: Mapping[tuple[str, str], tuple[str, str, str]] = {
    # (current table, its code) -> (table of the merger, code before, code after)
    ("admin_provinces_34", "province_code"): (
        "admin_provinces_63_former",
        "former_code",
        "new_province_code",
    ),
    ("admin_communes", "commune_code"): (
        "admin_commune_mapping_2025",
        "old_commune_code",
        "new_commune_code",
    ),
}


@cache
def old_codes(codes: tuple[str, str]) -> Mapping[str, tuple[str, ...]]:
    """By current code: the codes before the merger of 2025 that no current unit has."""
    if codes not in _OLD_CODES:
        return {}
    table, before, after = _OLD_CODES[codes]
    current = {row[codes[1]] for row in statistics.rows(codes[0])}
    found: dict[str, set[str]] = {}
    for row in statistics.rows(table):
        if row[before] and row[before] not in current:
            found.setdefault(row[after], set()).add(row[before])
    return {code: tuple(sorted(old)) for code, old in found.items()}


def _old_code(column: Column, code: str, chance: Chance) -> str | None:
    old = old_codes(column.codes).get(code, ()) if column.codes else ()
    return chance.one(old) if old else None


def _swapped_date(column: Column, date: dt.date, chance: Chance) -> dt.date | None:
    """Day and month of a date in each other's place."""
    if date.day > 12 or date.day == date.month:
        return None
    return date.replace(month=date.day, day=date.month)


_FACTORS = {
    # A thousand of one is the next unit, or is left out in writing: dong and thousand dong, grams
    # and kilograms, and the "công" of the south, which is 1000 m2.
    **dict.fromkeys(("vnd", "thousand", "million", "g", "grams", "kg", "tonnes"), 1000),
    **dict.fromkeys(("mm", "m", "km", "m2", "µg", "mg", "ml", "l"), 1000),
    # Percent for per thousand, marks of 10 for marks of 100, millimetres for centimetres.
    **dict.fromkeys(("percent", "marks", "hundreds"), 10),
}


def unit_factor(unit: str | None) -> int:
    """By how much an amount in this unit is mistaken; 0 for counts and what has no unit."""
    words = re.split(r"[^\w]+", (unit or "").lower())
    return next((_FACTORS[word] for word in words if word in _FACTORS), 0)


def _unit(column: Column, value: int | Decimal, chance: Chance) -> int | Decimal | None:
    """An amount in a unit larger or smaller than its column's."""
    whole = int(Decimal(value).scaleb(column.places))
    smaller, rest = divmod(whole, column.factor)
    larger = whole * column.factor
    fitting = ([] if rest else [smaller]) + ([larger] if abs(larger) <= column.limit else [])
    if not whole or not fitting:
        return None
    wrong = chance.one(fitting)
    return Decimal(wrong).scaleb(-column.places) if column.type == "decimal" else wrong


# ---------------------------------------------------------------- all kinds

Spoil = Callable[[Column, Value, Chance], Value]
_CHANGES: Mapping[str, Spoil] = {
    "typo": _typo,
    "tone": _tone,
    "unicode": _unicode,
    "old_code": _old_code,
    "swapped_date": _swapped_date,
    "unit": _unit,
}
KINDS = ("typo", "tone", "unicode", DUPLICATE, "old_code", "swapped_date", "unit", "missing")
SMALL = ("typo", "tone", "unicode", "swapped_date", "missing")  # what a duplicate row differs by


def takes(column: Column, kind: str) -> bool:
    """Whether some value of a column can have this defect."""
    named = column.type == "text" and column.identifier in (None, "enterprise_name")
    return {
        "old_code": column.codes in _OLD_CODES,
        "swapped_date": column.type in ("date", "timestamp"),
        "unit": column.type in ("integer", "decimal") and column.factor > 0,
        "missing": True,
        DUPLICATE: False,
    }.get(kind, named)


def change(kind: str, column: Column, value: Value, chance: Chance) -> tuple[bool, Value]:
    """Whether a value can have this defect, and what it then becomes.

    An identifier that would lose its mark is left as it is.
    """
    if value is None:
        return False, None
    if kind == "missing":
        return True, None
    wrong = _CHANGES[kind](column, value, chance)
    if wrong is not None and column.identifier and not is_synthetic(column.identifier, wrong):
        return False, None
    return wrong is not None, wrong


def is_of_kind(kind: str, column: Column, clean: str | None, dirty: str | None) -> bool:
    """Whether one text of the answer key spoils another in the way that its kind says."""
    if clean is None or clean == dirty:
        return False
    if kind == DUPLICATE:
        return any(takes(column, k) and is_of_kind(k, column, clean, dirty) for k in SMALL)
    if not takes(column, kind):
        return False
    if dirty is None or kind == "missing":
        return dirty is None and kind == "missing"
    return _LAWS[kind](column, clean, dirty)


def _is_typo(column: Column, clean: str, dirty: str) -> bool:
    """One letter was left out, put in or exchanged."""
    if abs(len(clean) - len(dirty)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(clean, dirty, strict=False)) if a != b), None)
    if start is None:
        return True
    left, right = clean[start:], dirty[start:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:]


def _is_swapped(column: Column, clean: str, dirty: str) -> bool:
    told, found = dt.datetime.fromisoformat(clean), dt.datetime.fromisoformat(dirty)
    return _swapped_date(column, told, Chance(0)) == found


def _is_unit(column: Column, clean: str, dirty: str) -> bool:
    a, b = Decimal(clean), Decimal(dirty)
    return a != 0 and (a * column.factor == b or b * column.factor == a)


_LAWS: Mapping[str, Callable[[Column, str, str], bool]] = {
    "typo": _is_typo,
    "tone": lambda column, clean, dirty: plain(clean) == plain(dirty) and dirty == _nfc(dirty),
    "unicode": lambda column, clean, dirty: _nfc(clean) == _nfc(dirty),
    "old_code": lambda column, clean, dirty: (
        column.codes is not None and dirty in old_codes(column.codes).get(clean, ())
    ),
    "swapped_date": _is_swapped,
    "unit": _is_unit,
}
