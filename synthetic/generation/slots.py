"""Categories by whole-number weights, drawn by one look-up where the weights' sums are small.

A context whose weights sum to W has W slots, and a category as many of them as its weight; a word
picks a slot by multiply and shift. That takes half the time of an alias table and is as exact. Where
the slots would outgrow the processor's cache, an alias table draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from synthetic.generation.alias import Alias, alias
from synthetic.generation.draws import Words, below
from synthetic.spec.whole import over_one

_MOST = 1 << 15  # slots of all contexts, of one to eight bytes each
Ints = npt.NDArray[np.int64]
Meanings = npt.NDArray[np.generic]


class Weighted(Protocol):
    """Tables for several contexts."""

    uses_low_half: ClassVar[bool]  # of a word; else that half may serve another draw

    def draw(self, word: Words, context: Ints | None = None) -> Meanings:
        """Return what each word draws in its context (the only one if None)."""


def weighted(
    contexts: Sequence[Sequence[int | Fraction]], meanings: Meanings | None = None
) -> Weighted:
    """Build tables from one row of weights per context (zero or more, not all zero).

    They draw positions in a row, or the meanings that stand there.
    """
    rows = [_smallest(weights) for weights in contexts]
    sums = [sum(row) for row in rows]
    if min(map(min, rows)) < 0 or min(sums) == 0 or sum(sums) > _MOST:
        table = alias(rows)  # which refuses what cannot be drawn by
        return table if meanings is None else Meant(table, meanings)
    size: Ints | int = np.array(sums, dtype=np.int64)
    if (whole := math.lcm(*sums)) * len(rows) <= _MOST:
        rows = [
            [weight * (whole // n) for weight in row] for row, n in zip(rows, sums, strict=True)
        ]
        size = whole
    held = np.concatenate([np.repeat(np.arange(len(row)), row) for row in rows])
    first = np.cumsum([0, *map(sum, rows)])
    return Slots(_narrow(held if meanings is None else meanings.take(held)), first, size)


def _narrow(held: Meanings) -> Meanings:
    """The same numbers in as few bytes as hold them."""
    return held.astype(np.result_type(*map(np.min_scalar_type, (held.min(), held.max()))))


def _smallest(weights: Sequence[int | Fraction]) -> list[int]:
    """The smallest whole numbers of the same proportions."""
    whole, _ = over_one(weights)
    return [weight // (math.gcd(*whole) or 1) for weight in whole]


@dataclass(frozen=True, eq=False)
class Slots:
    """Slots of several contexts, one after the other.

    A category's probability is that of its weight to within 2**-32.
    """

    held: Meanings  # of each slot
    first: Ints  # shape (contexts + 1,): where a context's slots begin
    size: Ints | int  # shape (contexts,): how many it has; a number if all have as many

    uses_low_half: ClassVar[bool] = False

    def draw(self, word: Words, context: Ints | None = None) -> Meanings:
        """Return what each word draws in its context (the only one if None)."""
        if context is None:
            return _wide(self.held.take(below(word, int(self.first[1])), mode="clip"))
        if isinstance(self.size, int):
            at = below(word, self.size)
            at += context * self.size
        else:
            at = below(word, self.size.take(context))
            at += self.first.take(context)
        return _wide(self.held.take(at, mode="clip"))  # none lies outside: a look is saved


def _wide(drawn: Meanings) -> Meanings:
    return drawn if drawn.dtype == np.bool_ else drawn.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Meant:
    """An alias table whose categories have meanings."""

    table: Alias
    meanings: Meanings

    uses_low_half: ClassVar[bool] = True

    def draw(self, word: Words, context: Ints | None = None) -> Meanings:
        """Return what each word draws in its context (the only one if None)."""
        return self.meanings.take(self.table.draw(word, context))
