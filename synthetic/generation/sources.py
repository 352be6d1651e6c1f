"""Columns that are drawn: from a margin, by shares, between quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.generation.draws import below
from synthetic.generation.frames import Frame, Source
from synthetic.generation.settings import Setting, entries_of, row_words
from synthetic.generation.slots import Weighted, weighted
from synthetic.generation.values import Domain, Ints, Values, places

_MOST_STEPS = 1 << 14  # of the quantiles of one column: they stay in the processor's cache


def follows(setting: Setting) -> Source:
    """A category of a margin, given the other axes."""
    margin = setting.margins[str(setting.spec.follows)]
    own = next(axis for axis in margin.axes if axis not in setting.spec.given)
    given = {axis: setting.spec.given[axis] for axis in margin.axes if axis != own}
    ordered = margin.over(*given, own)
    contexts: list[tuple[str, ...]] = [()]
    domain = Domain(ordered.categories[own])
    for axis in given:
        contexts = [(*c, category) for c in contexts for category in ordered.categories[axis]]

    @cache  # made when a row is first drawn
    def table() -> Weighted:
        numbers, _ = ordered.whole
        return weighted([[numbers.get((*c, d), 0) for d in domain] for c in contexts])

    def compute(frame: Frame) -> Values:
        context: Ints | None = None
        for axis, column in given.items():
            categories = ordered.categories[axis]
            index = _positions(frame.column(column), categories, margin.name, axis)
            context = index if context is None else context * len(categories) + index
        word = row_words(setting, frame)
        return Values(table().draw(word, context), domain)

    return compute


def _positions(values: Values, categories: tuple[str, ...], margin: str, axis: str) -> Ints:
    """Turn a column's codes to the positions that a margin gives them."""
    values = values.coded()
    index = places(values, categories)
    if len(index) and index.min() < 0:
        assert values.domain is not None
        code = values.domain[int(values.ints[int(np.argmin(index))])]
        raise SpecError(f"margin {margin!r} has no {axis} {code!r}")
    return index


def shares(setting: Setting, weights: Mapping[str, Mapping[str, int]]) -> Source:
    """A code, or the number or truth that it writes, by the shares of the row's code."""
    domain = Domain(dict.fromkeys(code for row in weights.values() for code in row))
    rows = [[row.get(code, 0) for code in domain] for row in weights.values()]
    held = setting.spec.type
    meaning: npt.NDArray[np.generic] | None = None
    if held == "boolean":
        meaning = np.array([code == "true" for code in domain], dtype=np.bool_)
    elif held not in ("code", "text"):
        meaning = np.array([int(code) for code in domain], dtype=np.int64)
    table = cache(partial(weighted, rows, meaning))  # made when a row is first drawn

    def compute(frame: Frame) -> Values:
        entry = entries_of(setting, frame, setting.given, tuple(weights), "shares")
        drawn = table().draw(row_words(setting, frame), entry)
        return Values(drawn, domain if meaning is None else None)

    return compute


def quantiles(setting: Setting, knots: Mapping[str, tuple[int, ...]]) -> Source:
    """Pick a stretch between knots, then a whole number from its lower end to below its upper.

    The last stretch holds its upper end too, and a stretch between equal knots that one number.
    """
    stretches = [len(row) - 1 for row in knots.values()]
    steps = math.lcm(*stretches)
    if steps * len(knots) <= _MOST_STEPS:  # each stretch so often that all codes have as many
        parts, even = [steps // n for n in stretches], True
    else:
        parts, even = [1] * len(stretches), False
    bounds = np.array([n * part for n, part in zip(stretches, parts, strict=True)], dtype=np.int64)
    width = int(bounds.max())
    lows, sizes = np.ones((2, len(knots), width), dtype=np.int64)
    for i, (row, part) in enumerate(zip(knots.values(), parts, strict=True)):
        size = np.diff(row)
        size[-1] += 1
        lows[i, : bounds[i]] = np.repeat(row[:-1], part)
        sizes[i, : bounds[i]] = np.repeat(np.maximum(size, 1), part)
    lows, sizes = lows.reshape(-1), sizes.reshape(-1)

    def compute(frame: Frame) -> Values:
        entry = entries_of(setting, frame, setting.given, tuple(knots), "quantiles")
        word = row_words(setting, frame)
        bound = bounds[0] if even or entry is None else bounds.take(entry)
        at = below(word, bound)
        if entry is not None:
            at += entry * width
        # The low half of the word is independent of the high half that picked the stretch.
        word <<= np.uint64(32)
        found = below(word, sizes.take(at, mode="clip"))  # none lies outside: a look is saved
        found += lows.take(at, mode="clip")
        return Values(found)

    return compute
