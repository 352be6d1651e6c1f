"""Texts made from numbers, codes and one another: as positions in a domain wherever that is small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthetic.errors import BuildError
from synthetic.generation.values import Domain, Values
from synthetic.tables import arrow

_MAX_JOINED = 65_536  # texts of a joined domain; larger ones are joined row by row
_MAX_WRITTEN = 4096  # numbers in a row whose texts are made once


@lru_cache(maxsize=64)
def _joined(domains: tuple[tuple[str, ...], ...]) -> Domain | None:
    """Every text that these domains give together, or None where two ways give one text."""
    joined = Domain("".join(parts) for parts in product(*domains))
    return joined if len(set(joined)) == len(joined) else None


@lru_cache(maxsize=256)
def _runs(domains: tuple[tuple[str, ...] | None, ...]) -> tuple[tuple[int, int], ...]:
    """Where neighbours begin and end that can be put together as coded values."""
    found: list[tuple[int, int]] = []
    for i, domain in enumerate(domains):
        first = found[-1][0] if found else i
        held = [d for d in domains[first : i + 1] if d is not None]
        small = len(held) == i + 1 - first and math.prod(map(len, held)) <= _MAX_JOINED
        if domain is not None and first < i and small and _joined(tuple(held)) is not None:
            found[-1] = (first, i + 1)
        else:
            found.append((i, i + 1))
    return tuple(found)


def concat(*parts: Values) -> Values:
    """Texts put together, row by row."""
    runs = [_put_together(parts[a:b]) for a, b in _runs(tuple(part.domain for part in parts))]
    if len(runs) == 1:
        return runs[0]
    return Values(text=arrow.joined(*(run.strings() for run in runs)))


def _put_together(parts: Sequence[Values]) -> Values:
    if len(parts) == 1:
        return Values(parts[0].data, parts[0].domain, parts[0].text, width=parts[0].width)
    domains = tuple(part.domain for part in parts if part.domain is not None)
    index = parts[0].ints
    for part, domain in zip(parts[1:], domains[1:], strict=True):
        if len(domain) > 1:
            index = index * len(domain) + part.ints
    return Values(index, _joined(domains))


def text_of(values: Values, width: int = 1) -> Values:
    """Whole numbers as texts, with zeros before them up to a width."""
    if not len(values):
        return Values(values.ints, Domain(("",)))
    low, high = int(values.ints.min()), int(values.ints.max())
    if high - low < min(_MAX_WRITTEN, 4 * len(values) + 64):
        return Values(values.ints - low, _written(low, high, width))
    text = arrow.numbers(values.ints).cast(pa.string())
    return Values(text=pc.utf8_lpad(text, width, "0"))


@lru_cache(maxsize=64)
def _written(low: int, high: int, width: int) -> Domain:
    return Domain(f"{number:0{width}d}" for number in range(low, high + 1))


def pad(values: Values, width: int) -> Values:
    """Whole numbers from zero as texts of at least this width."""
    if len(values) and values.ints.min() < 0:
        raise BuildError("pad() of a number below zero; use max(…, 0) first")
    return text_of(values, width)


def band(values: Values, width: int, top: int) -> Values:
    """The bands of whole numbers from zero: 0-4, 5-9, … and the top one, open-ended."""
    if len(values) and values.ints.min() < 0:
        raise BuildError("band() of a number below zero; use max(…, 0) first")
    return Values(np.minimum(values.ints // width, top // width), _labels(width, top))


@lru_cache(maxsize=64)
def _labels(width: int, top: int) -> Domain:
    return Domain([f"{low}-{low + width - 1}" for low in range(0, top, width)] + [f"{top}+"])
