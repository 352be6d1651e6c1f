"""Values as Vietnamese readers write them: 1.234.567 and 3,5."""

from __future__ import annotations

import datetime as dt
import math

SIGNIFICANT = 6  # digits shown of a number with a fraction


def number(value: int | float, *, places: int | None = None) -> str:
    """Write a number with dots between thousands and a comma before the fraction."""
    if not math.isfinite(value):
        return "không có"
    if places is not None:
        text = f"{round(value, places) or 0:,.{places}f}"  # -0.0 is 0
    elif isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        text = f"{int(value):,}"
    elif 1e-6 <= abs(value) < 1e15:
        before = math.floor(math.log10(abs(value))) + 1
        text = f"{value:,.{max(1, SIGNIFICANT - before)}f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.3g}"
    return text.translate(str.maketrans(",.", ".,"))


def written(value: object, *, places: int | None = None) -> str:
    """Write a value for a Vietnamese reader; a whole table with `frame.map(lab.written)`.

    `places` fixes the digits after the comma of a number; else six digits in all are shown.
    """
    value = plain(value)
    if isinstance(value, bool):
        return "đúng" if value else "sai"
    if isinstance(value, int | float):
        return number(value, places=places)
    return _date(str(value))


def plain(value: object) -> object:
    """Take the Python value out of a NumPy scalar or an array without axes."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        item: object = value.item()
        return item
    return value


def _date(text: str) -> str:
    """Write an ISO day the Vietnamese way, and leave other text as it is."""
    try:
        return dt.date.fromisoformat(text).strftime("%d/%m/%Y") if len(text) == 10 else text
    except ValueError:
        return text
