"""Conditions on what is drawn: some columns have given values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np

from synthetic.errors import PrivateError
from synthetic.private.schema import Attribute, Schema

_CONDITION = re.compile(
    r"""\s*(?:"(?P<quoted>[^"]+)"|(?P<name>[^\s='"]+))\s*
    (?:=\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^\s']+))|(?P<missing>is\s+missing))\s*
    (?P<more>and\b)?""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Given:
    """The value of one column in every row."""

    level: int
    number: int | None  # the value itself, of a number or a date; None for no value


def parse(told: str, schema: Schema) -> dict[int, Given]:
    """Read `column = 'value'`, several joined by `and`; `column is missing` is one, too."""
    found: dict[int, Given] = {}
    for name, value in _conditions(told):
        place = schema.place(name)
        if place in found:
            raise PrivateError(f"--where names {name!r} twice; give it one value")
        found[place] = given(schema.attributes[place], value)
    return found


def _conditions(told: str) -> Iterator[tuple[str, str | None]]:
    at, more = 0, True
    while more:
        match = _CONDITION.match(told, at)
        if match is None:
            raise PrivateError(
                f"--where {told!r}: not understood at character {at + 1}; write column = 'value', "
                "several joined by and, or column is missing"
            )
        text = match["bare"] if match["text"] is None else match["text"].replace("''", "'")
        yield match["quoted"] or match["name"], None if match["missing"] else text
        at, more = match.end(), match["more"] is not None
    if told[at:].strip():
        raise PrivateError(f"--where {told!r}: 'and' is missing at character {at + 1}")


def given(attribute: Attribute, value: str | None) -> Given:
    """A column's value as its level."""
    if value is None:
        if not attribute.may_miss:
            raise PrivateError(f"--where: {attribute.name!r} is never missing")
        return Given(attribute.n_there, None)
    if attribute.values:
        if value not in attribute.values:
            raise PrivateError(
                f"--where: {attribute.name!r} has no value {value!r}; it is one of "
                + ", ".join(attribute.values[:20])
            )
        return Given(attribute.values.index(value), None)
    number = _number(attribute, value)
    if not attribute.edges[0] <= number < attribute.edges[-1]:
        raise PrivateError(f"--where: {attribute.name!r} = {value!r} is outside its bounds")
    level = int(np.searchsorted(attribute.edges, number, side="right")) - 1
    return Given(level, number)


def _number(attribute: Attribute, value: str) -> int:
    try:
        if attribute.type == "date":
            return dt.date.fromisoformat(value).toordinal() - dt.date(1970, 1, 1).toordinal()
        scaled = Decimal(value) * 10**attribute.places
        if scaled != int(scaled):
            raise ValueError
        return int(scaled)
    except (ValueError, InvalidOperation, OverflowError):
        raise PrivateError(
            f"--where: {attribute.name!r} = {value!r} is not of type {attribute.type}"
        ) from None
