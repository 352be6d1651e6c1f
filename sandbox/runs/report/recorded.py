"""The supervisor's record in words: cells, limits and use, isolation, environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.runs.report.quantities import quantity, seconds, size
from sandbox.runs.report.reading import mapping, number, text, whole
from sandbox.runs.report.words import (
    LIMITS,
    NO,
    NOTHING,
    POLICY,
    POLICY_VALUES,
    STATES,
    USED,
    YES,
    Words,
    said,
)

LONGEST_VALUE = 2_000  # characters shown of a parameter, a result, a statement or a policy


@dataclass(frozen=True, kw_only=True)
class CellState:
    """How one cell ended."""

    number: int
    state: str
    word: Words
    seconds: Words


@dataclass(frozen=True, kw_only=True)
class Line:
    """A named value of the record."""

    name: Words
    value: Words
    used: Words = NOTHING


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What stood between the notebook and the machine."""

    known: bool
    isolated: bool
    mechanism: str
    as_root: bool
    note: Words
    policy: tuple[Line, ...]


def cell_state(given: dict[str, Any]) -> CellState:
    """Read how one cell ended."""
    state = text(given.get("state"))
    return CellState(
        number=(whole(given.get("index")) or 0) + 1,
        state=state if state in STATES else "",
        word=STATES.get(state, Words(state)),
        seconds=duration(given.get("seconds")),
    )


def limits(record: dict[str, Any]) -> tuple[Line, ...]:
    """Read what the run might use, and what it used."""
    allowed, usage = mapping(record.get("limits")), mapping(record.get("usage"))
    usage = {"seconds": record.get("seconds")} | usage
    return tuple(
        Line(
            name=LIMITS.get(name, Words(text(name))),
            value=_measure(name, value),
            used=_measure(name, usage.get(USED.get(name, ""))),
        )
        for name, value in allowed.items()
    )


def _measure(name: str, value: object) -> Words:
    known = number(value)
    if known is None:
        return Words(text(value))
    if name.endswith("_bytes"):
        return size(known)
    return seconds(known) if name.endswith("_s") else quantity(value)


def isolation(given: object) -> Isolation:
    """Read what stood between the notebook and the machine."""
    known = mapping(given)
    mechanism = text(known.get("mechanism"))
    return Isolation(
        known=bool(mechanism),
        isolated=mechanism not in {"", "none"},
        mechanism=" ".join(filter(None, (mechanism, text(known.get("version"))))),
        as_root=known.get("as_root") is True,
        note=said(known.get("note")),
        policy=tuple(
            Line(name=POLICY.get(name, Words(text(name))), value=_allowed(value))
            for name, value in mapping(known.get("policy")).items()
        ),
    )


def _allowed(value: object) -> Words:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, list):
        items = [POLICY_VALUES.get(_compact(item), Words(_compact(item))) for item in value]
        vi = ", ".join(item.vi for item in items)[:LONGEST_VALUE]
        en = ", ".join(item.en or item.vi for item in items)[:LONGEST_VALUE]
        return Words(vi, en if en != vi else "")
    return POLICY_VALUES.get(_compact(value), Words(_compact(value)))


def _compact(value: object) -> str:
    """Write a value of the policy on one line."""
    if isinstance(value, list):
        return ", ".join(_compact(item) for item in value)[:LONGEST_VALUE]
    if isinstance(value, dict):
        return "; ".join(f"{text(key)}: {_compact(item)}" for key, item in value.items())[
            :LONGEST_VALUE
        ]
    return text(json.dumps(value) if isinstance(value, bool) else value)[:LONGEST_VALUE]


def environment(given: dict[str, Any]) -> tuple[Line, ...]:
    """Read the interpreter and the system."""
    names = {"python": Words("Python"), "platform": Words("Hệ điều hành", "platform")}
    return tuple(
        Line(name=word, value=Words(text(given[name])))
        for name, word in names.items()
        if given.get(name)
    )


def packages(given: dict[str, Any]) -> tuple[str, ...]:
    """Read the packages that the notebook could import."""
    return tuple(
        f"{text(name)} {text(version)}"
        for name, version in sorted(mapping(given.get("packages")).items())
    )


def duration(given: object) -> Words:
    """Write a number of seconds, or nothing."""
    known = number(given)
    return NOTHING if known is None else seconds(known)
