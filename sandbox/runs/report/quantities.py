"""Numbers, sizes and moments as Vietnamese writes them, with the English form beside."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

from sandbox.runs.report.reading import number, text
from sandbox.runs.report.words import Words

VIET_NAM = timezone(timedelta(hours=7))  # no daylight saving since 1975
SWAPPED = str.maketrans(",.", ".,")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def quantity(value: object) -> Words:
    """Write a number with at most seven significant digits; anything else as its text."""
    if isinstance(value, bool):
        return Words("đúng", "true") if value else Words("sai", "false")
    known = number(value)
    if known is None:
        return Words(text(value))
    if not math.isfinite(known):
        return Words("không xác định", "not defined")
    english = f"{known:,}" if isinstance(known, int) else _decimal(known)
    return _both(english)


def _both(english: str) -> Words:
    vietnamese = english.translate(SWAPPED)
    return Words(vietnamese, english if english != vietnamese else "")


def _decimal(value: float) -> str:
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if not -5 <= magnitude < 15:
        return f"{value:.6g}"
    written = f"{value:,.{max(0, 6 - magnitude)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def percent(share: float) -> Words:
    """Write a share in percent with three significant digits."""
    value = float(f"{share * 100:.3g}")
    return _with_unit(_both(_decimal(value)), "%", "%", space="")


def seconds(value: float) -> Words:
    """Write a duration in seconds, or in minutes and seconds from 90 s on."""
    if value >= 90:
        minutes, rest = divmod(round(value), 60)
        if not rest:
            return Words(f"{minutes} phút", f"{minutes} min")
        return Words(f"{minutes} phút {rest} giây", f"{minutes} min {rest} s")
    rounded = round(value, 1 if value >= 1 else 2)
    return _with_unit(_both(_decimal(rounded)), "giây", "s")


def size(n_bytes: float) -> Words:
    """Write a number of bytes in the largest binary unit that fits."""
    unit, value = "byte", float(n_bytes)
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        unit, value = larger, value / 1024
    rounded = round(value, 0 if value >= 100 else 1)
    return _with_unit(_both(_decimal(rounded)), unit, unit)


def _with_unit(value: Words, vi: str, en: str, *, space: str = "\u00a0") -> Words:
    written = Words(f"{value.vi}{space}{vi}", f"{value.en or value.vi}{space}{en}")
    return written if written.vi != written.en else Words(written.vi)


def moment(value: object) -> Words:
    """Write a moment in Viet Nam's time; an unreadable one as its text."""
    try:
        read = datetime.fromisoformat(str(value))
        known = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(VIET_NAM)
    except (ValueError, OverflowError):
        return Words(text(value))
    clock = f"{known:%H:%M}"
    return Words(
        f"{clock} ngày {known.day}/{known.month}/{known.year} (giờ Việt Nam)",
        f"{clock} on {known.day} {MONTHS[known.month - 1]} {known.year} (Viet Nam time)",
    )


def day(value: object) -> Words:
    """Write a date; an unreadable one as its text."""
    try:
        known = date.fromisoformat(str(value))
    except ValueError:
        return Words(text(value))
    return Words(
        f"{known.day}/{known.month}/{known.year}",
        f"{known.day} {MONTHS[known.month - 1]} {known.year}",
    )
