"""Running totals of whole-number weights: which entry a number below their sum falls on.

A table over the number's first bits says where to look; few numbers need a search after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_SLOTS_EACH, _MOST_BITS = 32, 17  # slots for an entry; bits of their number, at most
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Running:
    """Totals of several rows of weights, and where to look in each."""

    totals: Ints  # shape (rows, entries + 1), each beginning with 0
    shift: Ints  # shape (rows,): a number without its last bits is a slot
    slots: npt.NDArray[np.int32]  # shape (rows, slots): the entry where a slot begins, inverted
    # if it does not end on the same

    @classmethod
    def of(cls, totals: Ints) -> Running:
        """Make the table."""
        n = totals.shape[1] - 1
        bits = min((_SLOTS_EACH * n).bit_length(), _MOST_BITS)
        shift = np.array([max(int(row[-1]).bit_length() - bits, 0) for row in totals])
        edges = np.arange((1 << bits) + 2, dtype=np.int64)
        slots = [
            np.searchsorted(row[1:], edges << by, side="right")
            for row, by in zip(totals, shift, strict=True)
        ]
        begins = np.minimum(slots, max(n - 1, 0))
        ends = np.append(begins[:, 1:], begins[:, -1:], axis=1)
        return cls(totals, shift, np.where(ends > begins, ~begins, begins).astype(np.int32))

    def find(self, row: Ints | np.int64, numbers: Ints) -> Ints:
        """The entries of rows that numbers from 0 to below their sum fall on."""
        slots = self.slots.reshape(-1)
        slot = numbers >> self.shift[row]
        slot += row * self.slots.shape[1]
        found = slots.take(slot).astype(np.int64)
        left = np.flatnonzero(found < 0)
        if left.size:  # a slot of more than one entry
            ends = slots.take(slot[left] + 1).astype(np.int64)
            begins, ends = ~found[left], np.where(ends < 0, ~ends, ends)
            offset = np.broadcast_to(row * self.totals.shape[1] + 1, found.shape)[left]
            found[left] = self._first_above(offset, numbers[left], begins, ends)
        return found

    def _first_above(self, offset: Ints, numbers: Ints, a: Ints, b: Ints) -> Ints:
        """The first entry from a to b whose running total is above the number."""
        totals = self.totals.reshape(-1)
        while (a < b).any():
            middle = (a + b) >> 1
            above = totals[offset + middle] > numbers
            a, b = np.where(above, a, np.minimum(middle + 1, b)), np.where(above, middle, b)
        return a
