"""Values as readers of the spoken language write them; the report's own rules for both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox import language
from sandbox.runs.report import quantities
from sandbox.runs.report.reading import text
from sandbox.runs.report.words import Words


def spoken(value: Words | Mapping[str, str] | str | None) -> str:
    """Pick the text of this language, the other one where it is missing."""
    if isinstance(value, Words):
        return (value.en if language.language() == "en" else "") or value.vi
    if value is None or isinstance(value, str):
        return text(value)
    return text(language.either(value))


def number(value: object) -> str:
    """Write a number: 1.234.567,8 or 1,234,567.8."""
    return spoken(quantities.quantity(value))


def percent(share: float) -> str:
    """Write a share in percent, with three significant digits."""
    return spoken(quantities.percent(share))


def seconds(value: float) -> str:
    """Write a duration."""
    return spoken(quantities.seconds(value))


def size(n_bytes: float) -> str:
    """Write a number of bytes."""
    return spoken(quantities.size(n_bytes))


def day(value: object) -> str:
    """Write a date."""
    return spoken(quantities.day(value))


def moment(value: object) -> str:
    """Write a moment in full, in Viet Nam's time."""
    return spoken(quantities.moment(value))


def when(value: object) -> str:
    """Write a moment as short as a list wants it, in Viet Nam's time."""
    try:
        read = datetime.fromisoformat(str(value))
        known = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(quantities.VIET_NAM)
    except (ValueError, OverflowError):
        return text(value)
    if language.language() == "en":
        return f"{known.day} {quantities.MONTHS[known.month - 1][:3]} {known:%Y, %H:%M}"
    return f"{known.day}/{known.month}/{known:%Y, %H:%M}"
