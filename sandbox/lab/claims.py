"""What a notebook claims: results (a value) and conclusions (a sentence that holds or not).

A claim travels as an output of its own MIME type beside plain text, so that the supervisor can
collect it and any front end can show it. Outside IPython the text is written to stdout.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Mapping
from decimal import Decimal

from sandbox.lab.wording import number, plain, written

RESULT = "application/vnd.sandbox.result+json"
CONCLUSION = "application/vnd.sandbox.conclusion+json"

Value = int | float | str | bool
Words = str | Mapping[str, str]  # in one language, or under "vi" and "en"


def result(name: Words, value: object, *, unit: Words | None = None, n: int | None = None) -> None:
    """Declare a result: its name, its value, the unit, and how many rows stand behind it.

    Parameters
    ----------
    name : str or mapping
        What the value is, in words; one name per result. `{"vi": ..., "en": ...}` says it twice.
    value : number, text, truth value or date
        Also a NumPy or pandas scalar. Not NaN, not infinite, not missing.
    unit : str or mapping, optional
        Unit of the value, as in "người" or "%", or `{"vi": "người", "en": "persons"}`.
    n : int, optional
        Rows of the replica that the value rests on; of a ratio, those of its smaller side.
    """
    name = _words("name", name)
    unit = None if unit is None else _words("unit", unit)
    declared, rows = _value(shown(name), value), _rows(shown(name), n)
    after = "" if unit is None else unit if unit == "%" else f" {shown(unit)}"
    behind = "" if rows is None else f" (n = {number(rows)})"
    _show(
        RESULT,
        {"name": name, "value": declared, "unit": unit, "n": rows},
        f"Kết quả: {shown(name)} = {written(declared)}{after}{behind}",
    )


def conclude(statement: Words, *, holds: object) -> None:
    """Declare a conclusion: a sentence, and whether the data bear it out.

    Write the comparison into `holds`, so that other draws of the data may contradict it:
    `lab.conclude("A has more than B", holds=a > b)`. The sentence may be said twice, as
    `{"vi": "A có nhiều hơn B", "en": "A has more than B"}`.
    """
    value = plain(holds)
    if not isinstance(value, bool):
        raise TypeError(
            f"conclusion {statement!r}: holds must be True or False, not {_kind(holds)}; write a "
            "comparison, as in holds=a > b"
        )
    verdict = "đúng" if value else "không đúng"
    _show(
        CONCLUSION,
        {"statement": (said := _words("statement", statement)), "holds": value},
        f"Kết luận ({verdict} trên dữ liệu này): {shown(said)}",
    )


def _value(name: str, value: object) -> Value:
    """Turn what libraries give into what JSON can carry, or say why it cannot be a result."""
    bare = plain(value)
    if isinstance(bare, Decimal) and bare.is_finite():
        bare = int(bare) if bare == bare.to_integral_value() else float(bare)
    # NaT is a date by type and yet no date: it alone is unequal to itself.
    if isinstance(bare, dt.date | dt.datetime) and bare == bare:
        return bare.isoformat()
    if isinstance(bare, float | Decimal) and not math.isfinite(bare):
        raise ValueError(f"result {name!r} is {bare}, not a number; leave it out, or say why")
    if isinstance(bare, bool | int | float | str):
        return bare
    raise TypeError(
        f"result {name!r} is {_kind(value)}; give one number, text, truth value or date"
        + (", such as one cell of it" if hasattr(value, "__len__") else "")
    )


def _rows(name: str, n: object) -> int | None:
    bare = plain(n)
    if bare is None or (isinstance(bare, int) and not isinstance(bare, bool) and bare >= 0):
        return bare
    raise ValueError(f"result {name!r}: n must be a count of rows, 0 or more, not {n!r}")


def shown(words: Words) -> str:
    """Write words in a line: both languages, the Vietnamese first."""
    return words if isinstance(words, str) else f"{words['vi']} / {words['en']}"


def _words(what: str, given: object) -> Words:
    """Check words in one language, or in both."""
    if not isinstance(given, Mapping):
        return _text(what, given)
    if set(given) != {"vi", "en"}:
        raise ValueError(f'{what} must be a text, or texts under "vi" and "en", not {given!r}')
    return {language: _text(what, given[language]) for language in ("vi", "en")}


def _text(what: str, text: object) -> str:
    if isinstance(text, str) and text.strip():
        return text
    raise ValueError(f"{what} must be a text with words in it, not {text!r}")


def _kind(value: object) -> str:
    return "missing (None)" if value is None else f"a {type(value).__name__}"


def _show(mime: str, claim: dict[str, object], text: str) -> None:
    """Publish the claim as an output of this cell, or write its text where there are no cells."""
    ipython = sys.modules.get("IPython")  # only a kernel has it loaded; it is slow to import
    if ipython is None or ipython.get_ipython() is None:
        sys.stdout.write(f"{text}\n")
        return
    from IPython.display import publish_display_data

    publish_display_data({mime: claim, "text/plain": text})  # type: ignore[no-untyped-call]
