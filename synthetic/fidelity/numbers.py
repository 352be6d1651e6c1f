"""Numbers as a language writes them."""

from __future__ import annotations

from typing import Protocol

_PERCENT = "\u00a0%"  # never at the beginning of a line


class Number(Protocol):
    """Writes a number with so many places, and its sign where asked for."""

    def __call__(self, value: float, places: int, *, sign: bool = False) -> str: ...


def writer(language: str) -> Number:
    """Write 0,5 in Vietnamese and 0.5 in English; a minus is a minus, not a hyphen."""

    def write(value: float, places: int, *, sign: bool = False) -> str:
        text = f"{value:+.{places}f}" if sign else f"{value:.{places}f}"
        text = text.replace("-", "\u2212")
        return text.replace(".", ",") if language == "vi" else text

    return write


def percent(value: float, number: Number) -> str:
    """A share as a percentage with as many places as its size asks for."""
    size = abs(value * 100)
    if not size:
        return "0" + _PERCENT
    places = 1 if size >= 10 else 2 if size >= 0.1 else 4
    return number(value * 100, places) + _PERCENT
