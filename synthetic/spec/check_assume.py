"""What an assumption must tell together with its column, and tables by code with their columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import product

from synthetic.errors import SpecError
from synthetic.spec.expressions import Type, check
from synthetic.spec.models import ANY, ColumnSpec, key_of
from synthetic.spec.scope import Codes, Scope, codes_of

_OTHER = ("\0",)  # stands for the values of a column without codes


def check_assume(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    """Refuse an assumption that does not fit its column, or those that it depends on."""
    assume = column.assume
    assert assume is not None
    if (assume.words is not None or assume.grammar is not None) and codes is not None:
        raise SpecError("words and grammars give free text; a code column takes assume.shares")
    for kind, needed in _ASSUMED.items():
        if getattr(assume, kind) is not None and column.type not in needed:
            raise SpecError(
                f"assume.{kind} gives {' or '.join(needed)}; the type is {column.type!r}"
            )
    for shares in assume.weights().values():
        _check_shares(column, shares, codes)
    given = tuple(column.given.values())
    for table in assume.tables():
        check_by_code(scope, column, given, table, "assume")
    if assume.grammar is not None:
        for slot in sorted(assume.grammar.slots() - set(assume.grammar.vocabularies)):
            if scope.types()[slot] is not Type.TEXT:
                raise SpecError(f"slot {{{slot}}} is {scope.types()[slot].value}; text is needed")
            scope.check_there(slot, "a text needs it in every row")
    if assume.date_in_year is not None:
        check(assume.date_in_year, scope.types(), Type.INTEGER)
        scope.check_all_there(assume.date_in_year, "a draw needs it in every row")
    if assume.day is not None:
        check(assume.day.from_, scope.types(), Type.DATE)
        check(assume.day.to, scope.types(), Type.DATE)
    if assume.hour is not None and scope.types()[assume.hour.at] is not Type.DATE:
        raise SpecError(f"hour.at = {assume.hour.at!r} must be a date column")


_ASSUMED = {
    "shares": ("code", "text", "boolean", "integer", "decimal"),
    "words": ("text",),
    "grammar": ("text",),
    "quantiles": ("integer", "decimal"),
    "day": ("date",),
    "date_in_year": ("date",),
    "hour": ("timestamp",),
}
_MOST_COMBINATIONS = 200_000


def _check_shares(column: ColumnSpec, shares: Mapping[str, int], codes: Codes) -> None:
    if codes is not None and not set(shares) <= set(codes):
        odd = sorted(set(shares) - set(codes))
        raise SpecError(f"assume.shares names what is no code: {odd[:3]}; codes: {list(codes)}")
    forms = {"boolean": r"true|false", "integer": r"-?\d{1,15}", "decimal": r"-?\d{1,15}"}
    if column.type in forms:
        odd = sorted(key for key in shares if not re.fullmatch(forms[column.type], key, re.ASCII))
        if odd:
            raise SpecError(f"assume.shares names what is no {column.type}: {odd[:3]}")


def check_by_code(
    scope: Scope, column: ColumnSpec, given: tuple[str, ...], table: Iterable[str], what: str
) -> None:
    """Refuse a table by code that lacks a combination, or names one that cannot be."""
    known: list[tuple[str, ...]] = []
    for name in given:
        other = scope.table.columns[name]
        codes = ("true", "false") if other.type == "boolean" else codes_of(other)
        lacks = column.only_if is None and scope.may_be_missing(name)
        known.append((*(_OTHER if codes is None else codes), *(("",) if lacks else ())))
    keys = list(table)
    for key in keys:
        if key == ANY:
            continue
        parts = key.split("|")
        if len(parts) != len(given):
            raise SpecError(
                f"{what}: the key {key!r} must join the codes of {', '.join(given)} by |"
            )
        for part, name, codes in zip(parts, given, known, strict=True):
            if part not in ("", ANY, *codes) and codes[0] not in _OTHER:
                raise SpecError(
                    f"{what}: {part!r} is no code of {name!r}; codes: {list(codes)[:20]}"
                )
    if math.prod(map(len, known)) > _MOST_COMBINATIONS and ANY not in keys:
        raise SpecError(f"{what}: too many combinations of {', '.join(given)}; add a key {ANY!r}")
    held = frozenset(keys)
    for combination in product(*known) if ANY not in keys else ():
        if key_of(combination, held) is None:
            if "" in combination:
                scope.check_there(
                    given[combination.index("")],
                    f"{what} has no entry for that: add '*', or a key that says nothing there",
                )
            shown = "|".join("any other" if code in _OTHER else code for code in combination)
            raise SpecError(
                f"{what} must give every code of {', '.join(map(repr, given))}: nothing for "
                f"{shown!r}; add it, or {ANY!r} for all others"
            )
