"""What fresh draws and the null draw show, in words: of each conclusion, and of each result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from sandbox.runs.report.quantities import quantity
from sandbox.runs.report.reading import mapping, number, objects, sequence, text, whole
from sandbox.runs.report.recorded import LONGEST_VALUE
from sandbox.runs.report.strips import strip
from sandbox.runs.report.words import NOTHING, REASONS, Words, said

MOST = 200  # results or conclusions shown
MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True, kw_only=True)
class OnDraws:
    """One conclusion on the draws."""

    statement: Words
    submitted: bool
    marks: tuple[str, ...]  # one per draw
    flips: bool
    line: Words


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One result on the draws."""

    name: Words
    unit: Words
    submitted: Words
    line: Words
    interval: Words
    is_outside: bool  # the submitted value lies outside of the interval
    strip: Markup


@dataclass(frozen=True, kw_only=True)
class Redrawn:
    """What the fresh draws show so far."""

    verdict: str
    asked: int
    done: int  # draws that were tried
    executed: int  # and came to their end
    failures: tuple[Words, ...]
    conclusions: tuple[OnDraws, ...]
    results: tuple[Spread, ...]

    @property
    def n_flips(self) -> int:
        """How many conclusions are not the same on every draw."""
        return sum(one.flips for one in self.conclusions)

    @property
    def all_hold(self) -> bool:
        """Whether every conclusion holds on the submitted draw."""
        return all(one.submitted for one in self.conclusions)


@dataclass(frozen=True, kw_only=True)
class OnNull:
    """One conclusion on the null draw."""

    statement: Words
    submitted: bool
    mark: str
    still_holds: bool


@dataclass(frozen=True, kw_only=True)
class Null:
    """What the null draw shows."""

    verdict: str
    conclusions: tuple[OnNull, ...]

    @property
    def n_tested(self) -> int:
        """How many conclusions hold on the submitted draw."""
        return sum(one.submitted for one in self.conclusions)

    @property
    def n_still(self) -> int:
        """How many of these still hold on the null draw."""
        return sum(one.still_holds for one in self.conclusions)


def redrawn(told: dict[str, Any], verdict: str, *, asked: int = 0) -> Redrawn:
    """Read what the supervisor wrote of the fresh draws; `asked` is how many there will be."""
    executions = objects(told.get("executions"))
    executed = sum(text(one.get("status")) == "succeeded" for one in executions)
    return Redrawn(
        verdict=verdict,
        asked=whole(told.get("draws")) or asked,
        done=len(executions),
        executed=executed,
        failures=tuple(
            _failure(place, one)
            for place, one in enumerate(executions, start=1)
            if text(one.get("status")) != "succeeded"
        ),
        conclusions=tuple(map(_on_draws, objects(told.get("conclusions"))[:MOST])),
        results=tuple(map(_spread, objects(told.get("results"))[:MOST])),
    )


def null(told: dict[str, Any], verdict: str) -> Null:
    """Read what the supervisor wrote of the null draw."""
    return Null(
        verdict=verdict,
        conclusions=tuple(map(_on_null, objects(told.get("conclusions"))[:MOST])),
    )


def _on_draws(given: dict[str, Any]) -> OnDraws:
    submitted = given.get("submitted") is True
    draws = [_truth(one) for one in sequence(given.get("draws"))]
    executed = whole(given.get("of")) or 0
    n_same = sum(one is submitted for one in draws)
    n_holds = sum(one is True for one in draws)
    return OnDraws(
        statement=_sentence(given),
        submitted=submitted,
        marks=tuple(MARKS[one] for one in draws),
        flips=n_same < executed,
        line=_held(n_holds, executed) if submitted or n_same < executed else _failed(executed),
    )


def _held(n_holds: int, executed: int) -> Words:
    return Words(
        f"Đúng trên {n_holds}/{executed} lần gieo mới",
        f"holds on {n_holds} of {executed} fresh draws",
    )


def _failed(executed: int) -> Words:
    return Words(
        f"Cũng không đúng trên {executed}/{executed} lần gieo mới",
        f"does not hold on {executed} of {executed} fresh draws either",
    )


def _on_null(given: dict[str, Any]) -> OnNull:
    submitted, on_null = given.get("submitted") is True, _truth(given.get("on_null"))
    return OnNull(
        statement=_sentence(given),
        submitted=submitted,
        mark=MARKS[on_null],
        still_holds=submitted and on_null is True,
    )


def _sentence(given: dict[str, Any]) -> Words:
    statement = said(given.get("statement"))
    return Words(statement.vi[:LONGEST_VALUE], statement.en[:LONGEST_VALUE])


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _failure(place: int, execution: dict[str, Any]) -> Words:
    kind = text(mapping(execution.get("reason")).get("kind"))
    why = REASONS.get(kind, Words(kind))
    return Words(f"Lần gieo {place}: {why.vi}", f"Draw {place}: {why.en or why.vi}")


def _spread(given: dict[str, Any]) -> Spread:
    value = given.get("submitted")
    values = [one for one in sequence(given.get("values")) if one is not None]
    numbers = [known for one in values if (known := _finite(one)) is not None]
    submitted, ends = _finite(value), _ends(given)
    is_drawn = submitted is not None and bool(numbers) and len(numbers) == len(values)
    return Spread(
        name=said(given.get("name")),
        unit=said(given.get("unit")),
        submitted=_shortened(quantity(value)),
        line=_range(numbers) if is_drawn else _equal(given, len(values)),
        interval=_interval(ends, number(given.get("sd")) or 0.0),
        is_outside=bool(ends and submitted is not None and not ends[0] <= submitted <= ends[1]),
        strip=strip(numbers, submitted, ends) if is_drawn and submitted is not None else Markup(),
    )


def _shortened(words: Words) -> Words:
    return Words(words.vi[:LONGEST_VALUE], words.en[:LONGEST_VALUE])


def _finite(value: object) -> float | None:
    known = number(value)
    try:
        return known if known is not None and math.isfinite(known) else None
    except OverflowError:  # a whole number that no decimal one can hold
        return None


def _ends(given: dict[str, Any]) -> tuple[float, float] | None:
    ends = [_finite(one) for one in sequence(given.get("interval"))]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    return ends[0], ends[1]


def _range(numbers: list[float]) -> Words:
    low, high = min(numbers), max(numbers)
    if low == high:
        return Words(f"như nhau trên {len(numbers)} lần gieo", f"the same on {len(numbers)} draws")
    ends = [_rounded(one, (high - low) / 10) for one in (low, high)]
    return Words(
        f"từ {ends[0].vi} đến {ends[1].vi}",
        f"from {ends[0].en or ends[0].vi} to {ends[1].en or ends[1].vi}",
    )


def _interval(ends: tuple[float, float] | None, sd: float) -> Words:
    if ends is None or ends[0] == ends[1]:
        return NOTHING
    low, high = (_rounded(one, sd) for one in ends)
    written = Words(f"{low.vi} – {high.vi}", f"{low.en or low.vi} – {high.en or high.vi}")
    return written if written.vi != written.en else Words(written.vi)


def _rounded(value: float, step: float) -> Words:
    """Write a number to the first digit of the step that matters for it."""
    if isinstance(value, int) or not (math.isfinite(step) and step > 0):
        return quantity(value)
    places = -math.floor(math.log10(step))
    rounded = round(value, places)
    return quantity(int(rounded) if places <= 0 and abs(rounded) < 1e15 else rounded)


def _equal(given: dict[str, Any], n_values: int) -> Words:
    equal = whole(given.get("equal"))
    if equal is None or not n_values:
        return Words("không được nêu trên lần gieo mới", "not declared on a fresh draw")
    return Words(
        f"như cũ trên {equal}/{n_values} lần gieo mới",
        f"the same on {equal} of {n_values} fresh draws",
    )
