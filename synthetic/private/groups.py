"""Levels that are measured together in pairs: those with too few rows to be seen through the noise.

Which ones is told by the noisy one-way counts alone and costs nothing. Neighbours are put together
in columns that have an order, all rare levels in others. Inside a group, levels keep the shares
that the one-way counts give them. Fewer cells need less noise and less work, and each holds more.

References
----------
McKenna, Miklau and Sheldon (2021), Journal of Privacy and Confidentiality 11(3), put rare levels of
a column together in the same way.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthetic.private.plan import Clique
from synthetic.private.schema import Attribute, Schema

FEWEST = 1.0  # rows of a group, in standard deviations of a pair's cell
SURE = 1.5  # the same, in standard deviations of the one-way counts that tell of its rows
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """For each column, the group that each of its levels is in; groups count from 0."""

    of: tuple[Ints, ...]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many groups each column has."""
        return tuple(int(found.max()) + 1 for found in self.of)

    @cached_property
    def starts(self) -> Ints:
        """Where each column's groups begin in one row of all groups, and the end of the last."""
        return np.cumsum([0, *self.sizes])

    @cached_property
    def flat(self) -> Ints:
        """The group of every level, in one row of all groups."""
        return np.concatenate([own + at for own, at in zip(self.of, self.starts, strict=False)])

    def added(self, counts: Counts, clique: Clique) -> Counts:
        """A table of levels as one of groups."""
        cells = np.zeros((), dtype=np.int64)
        for i in clique:
            cells = cells[..., None] * self.sizes[i] + self.of[i]
        shape = [self.sizes[i] for i in clique]
        # Whole numbers below 2**53 are added exactly.
        sums = np.bincount(cells.ravel(), weights=counts.ravel(), minlength=int(np.prod(shape)))
        return sums.astype(np.int64).reshape(shape)

    def told(self, schema: Schema) -> dict[str, list[int]]:
        """The group of each level, for the columns that have groups of several."""
        return {
            attribute.name: of.tolist()
            for attribute, of, size in zip(schema.attributes, self.of, self.sizes, strict=True)
            if size < attribute.size
        }

    def empty(self, cells: Flags, clique: Clique) -> Flags:
        """The cells of groups that hold none but these cells of levels."""
        return self.added((~cells).astype(np.int64), clique) == 0


def alone(schema: Schema) -> Groups:
    """Every level by itself."""
    return Groups(tuple(np.arange(attribute.size) for attribute in schema.attributes))


def grouped(
    schema: Schema, one_way: list[Counts], fewest: float, apart: Collection[int] = ()
) -> Groups:
    """Groups of at least so many rows by these noisy counts; columns in `apart` have none."""
    found = [
        np.arange(attribute.size) if place in apart else _groups(attribute, counts, fewest)
        for place, (attribute, counts) in enumerate(zip(schema.attributes, one_way, strict=True))
    ]
    return Groups(tuple(found))


def _groups(attribute: Attribute, counts: Counts, fewest: float) -> Ints:
    there = counts[: attribute.n_there]
    found = _runs(there, fewest) if attribute.is_ordered else _rare(there, fewest)
    return np.append(found, found.max() + 1) if attribute.may_miss else found


def _runs(counts: Counts, fewest: float) -> Ints:
    """Neighbours, each group as short as it can be; the last takes what remains."""
    found, group, rows = np.zeros(len(counts), dtype=np.int64), 0, 0
    for level, count in enumerate(counts.tolist()):
        found[level] = group
        rows += count
        if rows >= fewest:
            group, rows = group + 1, 0
    return np.minimum(found, max(group - 1, 0))


def _rare(counts: Counts, fewest: float) -> Ints:
    """The rare levels as one group, at the first of them."""
    is_rare = counts < fewest
    first = int(is_rare.argmax()) if is_rare.any() else 0
    heads = ~is_rare
    heads[first] = True
    return np.where(is_rare, np.cumsum(heads)[first] - 1, np.cumsum(heads) - 1)
