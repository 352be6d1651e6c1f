"""Two executions of a notebook, compared cell by cell by what each cell shows.

Execution ids and counts, metadata of outputs, and the order in which the two streams reached us
are no part of what a cell shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sandbox.evidence import markup
from sandbox.evidence.closeness import (
    Difference,
    text_difference,
    texts,
    value_difference,
    values,
)
from sandbox.evidence.pixels import pictures
from sandbox.runs.record import CONCLUSION, RESULT
from sandbox.runs.report.outputs import joined
from sandbox.runs.verdicts import Verdict, worst

CLAIMS = {RESULT: "result", CONCLUSION: "conclusion"}
PIXELS = ("image/png", "image/jpeg")
# The richest form first; the later ones of one output say the same again.
RICHEST = (*CLAIMS, *PIXELS, "image/svg+xml", "text/html", "text/markdown", "text/latex")
PLAIN = "text/plain"
RANDOM_KEYS = ("model_id", "id", "uuid")  # of JSON outputs: names that libraries draw by chance
MOST = 5  # differences told of one cell

Output = Mapping[str, Any]
Found = tuple[Verdict, Difference]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What one cell showed in both executions."""

    verdict: Verdict
    claims: Verdict  # of the declared results and conclusions alone
    differences: tuple[Difference, ...]


def outputs(first: Sequence[Output], repeat: Sequence[Output]) -> Compared:
    """Compare the outputs of one cell."""
    found = list(_found(first, repeat))
    verdict = worst([one for one, _ in found])
    claims = worst([one for one, difference in found if difference.what in CLAIMS.values()])
    told = [difference for one, difference in found if one is verdict]
    told.sort(key=lambda difference: difference.what not in CLAIMS.values())
    return Compared(verdict=verdict, claims=claims, differences=tuple(told[:MOST]))


def streams(given: Sequence[Output], name: str) -> str:
    """Give everything that a cell wrote to one stream."""
    said = (one for one in given if one.get("output_type") == "stream" and one.get("name") == name)
    return "".join(joined(one.get("text")) for one in said)


def seen(given: Sequence[Output]) -> str:
    """Give all words that a cell shows, for a look at what they are."""
    words = [streams(given, "stdout"), streams(given, "stderr")]
    for data in _displays(given):
        words += [one if isinstance(one, str) else json.dumps(one) for one in data.values()]
    return "\n".join(words)


def _found(first: Sequence[Output], repeat: Sequence[Output]) -> Iterator[Found]:
    yield from _errors(first, repeat)
    displays = list(zip_longest(_displays(first), _displays(repeat)))
    for one, other in displays:
        yield from _bundle(one, other)
    for name in ("stdout", "stderr"):
        yield from _text(name, streams(first, name), streams(repeat, name))


def _errors(first: Sequence[Output], repeat: Sequence[Output]) -> Iterator[Found]:
    one, other = (
        [f"{e.get('ename')}: {e.get('evalue')}" for e in given if e.get("output_type") == "error"]
        for given in (first, repeat)
    )
    if one != other:
        yield (
            Verdict.DIFFERS,
            value_difference("error", "", "; ".join(one) or "—", "; ".join(other) or "—"),
        )


def _displays(given: Sequence[Output]) -> list[dict[str, Any]]:
    """Give what a cell displays, each in its forms; texts may be kept as lists of lines."""
    found = []
    for one in given:
        data = one.get("data")
        if isinstance(data, Mapping):
            found.append({mime: _whole(mime, value) for mime, value in data.items()})
    return found


def _whole(mime: str, value: Any) -> Any:
    is_json = mime.endswith("+json") or mime == "application/json"
    return value if is_json else joined(value)


def _bundle(one: dict[str, Any] | None, other: dict[str, Any] | None) -> Iterator[Found]:
    """Compare one display in all its forms; the difference is shown in the richest that differs."""
    if one is None or other is None:
        there = one or other or {}
        what = next((CLAIMS[mime] for mime in CLAIMS if mime in there), "output")
        words = there.get(PLAIN) or ", ".join(there) or "…"
        pair = (words, "—") if other is None else ("—", words)
        yield Verdict.DIFFERS, value_difference(what, "", *pair)
        return
    claims = CLAIMS.keys() & (one.keys() | other.keys())
    others = sorted((one.keys() | other.keys()) - {*RICHEST, PLAIN})
    for mime in (*RICHEST, *others, *(() if claims else (PLAIN,))):
        if (mime in one) != (mime in other):
            first, second = (mime if mime in side else "—" for side in (one, other))
            what = CLAIMS.get(mime, "kind of output")
            yield Verdict.DIFFERS, value_difference(what, "", first, second)
            return
        if mime in one and (found := list(_form(mime, one[mime], other[mime]))):
            yield from found
            return


def _form(mime: str, one: Any, other: Any) -> Iterator[Found]:
    if mime in PIXELS:
        verdict, first, second = pictures(mime, one, other)
        if verdict is not Verdict.IDENTICAL:
            yield verdict, value_difference("picture", "", first, second)
    elif mime == "image/svg+xml":
        yield from _text("picture", markup.drawing(one), markup.drawing(other))
    elif mime == "text/html":
        yield from _html(markup.parts(one), markup.parts(other))
    elif isinstance(one, str) and isinstance(other, str):
        yield from _text("text", one, other)
    else:
        yield from _values(mime, one, other)


def _values(mime: str, one: Any, other: Any) -> Iterator[Found]:
    if mime in CLAIMS:
        what, name = CLAIMS[mime], _name(one)
    else:
        what, name, one, other = "data", "", _unnamed(one), _unnamed(other)
    for verdict, where, a, b in values(one, other):
        place = f"{name}: {where}" if name and where != "value" else name or where
        yield verdict, value_difference(what, place, a, b)


def _name(claim: Any) -> str:
    said = claim.get("name") or claim.get("statement") if isinstance(claim, Mapping) else ""
    return str(said.get("vi", "")) if isinstance(said, Mapping) else str(said or "")


def _unnamed(value: Any) -> Any:
    """Take names by chance out of JSON."""
    if isinstance(value, dict):
        named = {k for k, v in value.items() if k in RANDOM_KEYS and isinstance(v, str)}
        return {k: _unnamed(v) for k, v in value.items() if k not in named}
    return [_unnamed(item) for item in value] if isinstance(value, list) else value


def _html(first: list[markup.Part], second: list[markup.Part]) -> Iterator[Found]:
    kinds = [[type(part).__name__.lower() for part in side] for side in (first, second)]
    if kinds[0] != kinds[1]:
        words = [", ".join(one) or "—" for one in kinds]
        yield Verdict.DIFFERS, value_difference("kind of output", "", words[0], words[1])
        return
    for one, other in zip(first, second, strict=True):
        if isinstance(one, markup.Table) and isinstance(other, markup.Table):
            yield from _tables(one, other)
        elif isinstance(one, markup.Picture) and isinstance(other, markup.Picture):
            yield from _embedded(one.source, other.source)
        else:
            yield from _text("text", str(one), str(other))


def _tables(one: markup.Table, other: markup.Table) -> Iterator[Found]:
    if list(map(len, one.rows)) != list(map(len, other.rows)):
        yield Verdict.DIFFERS, value_difference("table", "size", one.shape, other.shape)
        return
    for row, (left, right) in enumerate(zip(one.rows, other.rows, strict=True)):
        for column, (a, b) in enumerate(zip(left, right, strict=True)):
            verdict = texts(a, b)
            if verdict is not Verdict.IDENTICAL:
                yield verdict, value_difference("table", one.name(row, column), a, b)


def _embedded(one: str, other: str) -> Iterator[Found]:
    """Compare pictures that travel inside HTML; other sources are compared as they stand."""
    head, _, data = one.partition(";base64,")
    other_head, _, other_data = other.partition(";base64,")
    if head == other_head and head.removeprefix("data:") in PIXELS:
        yield from _form(head.removeprefix("data:"), data, other_data)
    else:
        yield from _text("picture", one, other)


def _text(what: str, one: str, other: str) -> Iterator[Found]:
    verdict = texts(one, other)
    if verdict is not Verdict.IDENTICAL:
        yield verdict, text_difference(what, one, other)
