"""Values as readers write them: 1.234.567 and 3,5 in Vietnamese, 1,234,567 and 3.5 in English."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

SIGNIFICANT = 6  # digits shown of a number with a fraction
EVEN = 3  # places that all numbers of a column get, once one of them needs as many


def number(value: int | float, *, places: int | None = None, language: str = "vi") -> str:
    """Write a number with marks between thousands and before the fraction."""
    if not math.isfinite(value):
        return "không có" if language == "vi" else "none"
    if places is not None:
        text = f"{round(value, places) or 0:,.{places}f}"  # -0.0 is 0
    elif isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        text = f"{int(value):,}"
    elif 1e-6 <= abs(value) < 1e15:
        before = math.floor(math.log10(abs(value))) + 1
        text = f"{value:,.{max(1, SIGNIFICANT - before)}f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.3g}"
    return _marks(text, language)


def written(value: object, *, places: int | None = None, language: str = "vi") -> str:
    """Write a value for a Vietnamese reader; a whole table with `frame.map(lab.written)`.

    `places` fixes the digits after the comma of a number; else six digits in all are shown.
    """
    value = plain(value)
    if isinstance(value, bool):
        words = {"vi": ("sai", "đúng")}
        return words.get(language, ("false", "true"))[value]
    if isinstance(value, int | float):
        return number(value, places=places, language=language)
    return _date(str(value)) if language == "vi" else str(value)


def cell(value: object, *, language: str) -> str:
    """Write a value that SQL gave; text stays as it is, and a missing value is NULL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return {"vi": ("sai", "đúng")}.get(language, ("false", "true"))[value]
    if isinstance(value, int | float):
        return number(value, language=language) if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return _marks(f"{value:,f}", language)
    if isinstance(value, dt.date) and language == "vi":
        time = f"{value:%d/%m/%Y %H:%M:%S}" if isinstance(value, dt.datetime) else ""
        return time or f"{value:%d/%m/%Y}"
    return value.hex() if isinstance(value, bytes) else str(value)


def column(values: Sequence[object], *, language: str) -> list[str]:
    """Write one column of what SQL gave; numbers that are alike get equally many digits."""
    texts = [cell(value, language=language) for value in values]
    figures = [isinstance(value, float) and math.isfinite(value) for value in values]
    shown = [text for text, is_figure in zip(texts, figures, strict=True) if is_figure]
    places = max((_places(text, language) for text in shown), default=0)
    if not 0 < places <= EVEN or any("e" in text for text in shown):
        return texts
    return [
        number(value, places=places, language=language)
        if isinstance(value, float) and is_figure
        else text
        for value, text, is_figure in zip(values, texts, figures, strict=True)
    ]


def plain(value: object) -> object:
    """Take the Python value out of a NumPy scalar or an array without axes."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        item: object = value.item()
        return item
    return value


def _marks(text: str, language: str) -> str:
    """Turn the marks of a number written the English way into those of a language."""
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def _places(text: str, language: str) -> int:
    """Count the digits after the mark of the fraction."""
    return len(text.partition("," if language == "vi" else ".")[2])


def _date(text: str) -> str:
    """Write an ISO day the Vietnamese way, and leave other text as it is."""
    try:
        return dt.date.fromisoformat(text).strftime("%d/%m/%Y") if len(text) == 10 else text
    except ValueError:
        return text
