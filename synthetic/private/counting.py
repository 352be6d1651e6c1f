"""Exact counts of all one- and two-way tables in one pass. They never leave this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from synthetic.private.reading import Codes
from synthetic.private.schema import Schema

Counts = npt.NDArray[np.int64]
Pair = tuple[int, ...]  # two places


@dataclass(frozen=True, eq=False)
class Tables:
    """Counts in rows: of each column, and of each pair of columns."""

    one_way: tuple[Counts, ...]
    two_way: dict[Pair, Counts]  # of shape (levels of the first, levels of the second)


def count(blocks: Iterable[list[Codes]], schema: Schema) -> Tables:
    """Count blocks of levels."""
    sizes = [attribute.size for attribute in schema.attributes]
    one_way = tuple(np.zeros(size, dtype=np.int64) for size in sizes)
    pairs = list(combinations(range(len(sizes)), 2))
    two_way: dict[Pair, Counts] = {
        (a, b): np.zeros(sizes[a] * sizes[b], dtype=np.int64) for a, b in pairs
    }
    for codes in blocks:
        for counts, column in zip(one_way, codes, strict=True):
            counts += np.bincount(column, minlength=len(counts))
        _count_pairs(codes, sizes, two_way)
    return Tables(one_way, {p: c.reshape(sizes[p[0]], sizes[p[1]]) for p, c in two_way.items()})


def _count_pairs(codes: list[Codes], sizes: list[int], two_way: dict[Pair, Counts]) -> None:
    for (a, b), counts in two_way.items():
        kind = np.dtype(np.uint16 if len(counts) <= 1 << 16 else np.uint32)
        cells = np.multiply(codes[a], sizes[b], dtype=kind)
        np.add(cells, codes[b], out=cells)
        counts += np.bincount(cells, minlength=len(counts))
