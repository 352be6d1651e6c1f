"""Which cells of two notebooks belong together: the same, changed, only in one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import islice
from typing import Any

from sandbox.runs.imports import quick

MOST_CELLS = 4_000_000  # pairs of cells; finding the equal ones takes as many steps
MOST_WORK = 3_000_000  # pairs of equal characters: what difflib, which nbdime uses, looks at
LONGEST = 100_000  # characters of a cell whose lines are compared
MOST_LINES = 200  # of a difference
LONGEST_LINE = 400  # characters


@dataclass(frozen=True)
class Cell:
    """What a cell does: its type, its source and its tags."""

    type: str
    source: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """A cell's place in the earlier and in the later notebook, from 0; None where it is not."""

    before: int | None
    after: int | None


def pairs(before: Sequence[Cell], after: Sequence[Cell]) -> Iterator[Pair]:
    """Pair the cells of two notebooks, in the order of the later one.

    Equal cells are found first; nbdime finds which of the others are changed, unless these are so
    large that it would take minutes: then they count as removed and added, but for one alone.
    """
    if len(before) * len(after) > MOST_CELLS:
        yield from _apart(before, after)
        return
    equal = SequenceMatcher(None, before, after, autojunk=False)
    for what, start, end, first, last in equal.get_opcodes():
        if what == "equal":
            yield from map(Pair, range(start, end), range(first, last))
            continue
        for pair in _of_a_part(before[start:end], after[first:last]):
            yield Pair(
                None if pair.before is None else pair.before + start,
                None if pair.after is None else pair.after + first,
            )


def difference(before: Cell, after: Cell) -> tuple[list[str], bool]:
    """Write how the lines of a cell differ, as in `diff -u`; and whether that is not all."""
    if max(len(before.source), len(after.source)) > LONGEST:
        return [], True
    sides = (before.source.splitlines(), after.source.splitlines())
    lines = list(islice(unified_diff(*sides, lineterm="", n=2), 2, MOST_LINES + 3))
    cut = len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines)
    return [line[:LONGEST_LINE] for line in lines[:MOST_LINES]], cut


def _apart(before: Sequence[Cell], after: Sequence[Cell]) -> Iterator[Pair]:
    if len(before) == len(after) == 1:
        yield Pair(0, 0)
        return
    yield from (Pair(place, None) for place in range(len(before)))
    yield from (Pair(None, place) for place in range(len(after)))


def _of_a_part(before: Sequence[Cell], after: Sequence[Cell]) -> Iterator[Pair]:
    if not before or not after or _work(before, after) > MOST_WORK:
        yield from _apart(before, after)
        return
    with quick():
        from nbdime.diffing.notebooks import (  # type: ignore[import-untyped]
            diff_notebooks,
        )

    told = diff_notebooks(_notebook(before), _notebook(after))
    steps = {step["key"]: step["diff"] for step in told}.get("cells", [])
    yield from _followed(steps, len(before))


def _work(before: Sequence[Cell], after: Sequence[Cell]) -> int:
    """Count the pairs of equal characters of two lists of cells."""
    one, other = (Counter("".join(cell.source for cell in side)) for side in (before, after))
    return sum(n * other[character] for character, n in one.items())


def _followed(steps: Sequence[dict[str, Any]], n_before: int) -> Iterator[Pair]:
    """Follow nbdime's steps from one list of cells to the other."""
    place = after = 0
    for step in steps:
        while place < step["key"]:
            yield Pair(place, after)
            place, after = place + 1, after + 1
        if step["op"] == "addrange":
            for _ in step["valuelist"]:
                yield Pair(None, after)
                after += 1
        elif step["op"] == "removerange":
            yield from (Pair(place + n, None) for n in range(step["length"]))
            place += step["length"]
    while place < n_before:
        yield Pair(place, after)
        place, after = place + 1, after + 1


def _notebook(cells: Sequence[Cell]) -> dict[str, Any]:
    """Give cells as a notebook of nothing but sources."""
    bare: dict[str, dict[str, Any]] = {"code": {"outputs": [], "execution_count": None}}
    made: list[dict[str, Any]] = [
        {"cell_type": cell.type, "source": cell.source, "metadata": {}, **bare.get(cell.type, {})}
        for cell in cells
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}
