"""Tables by code: which of a table's entries belongs to each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.generation.frames import Frame
from synthetic.generation.values import Ints, Values
from synthetic.spec.models import key_of

_MAX_PRODUCT = 1 << 20  # combinations looked up in a table; more are sorted


@dataclass(frozen=True, eq=False)
class Combinations:
    """The combinations of codes that some rows have."""

    index: Ints  # one for each row
    found: tuple[tuple[str, ...], ...]

    def entries(self, keys: Sequence[str]) -> Ints:
        """The place of each row's key in a table, -1 where the table has none."""
        place = {key: i for i, key in enumerate(keys)}
        at = [place.get(key_of(codes, place) or "\0", -1) for codes in self.found]
        return np.array(at, dtype=np.int64)[self.index]


def combinations(frame: Frame, columns: Sequence[str]) -> Combinations:
    """Look which combinations of some columns' codes these rows have."""
    index = np.zeros(frame.n, dtype=np.int64)
    labels: list[tuple[str, ...]] = []
    for name in columns:
        at, domain = _coded(frame.column(name))
        index = index * len(domain) + at
        labels.append(domain)
    n = int(np.prod([len(domain) for domain in labels], dtype=object))
    if n <= _MAX_PRODUCT:
        present = np.flatnonzero(np.bincount(index, minlength=n))
        place = np.zeros(n, dtype=np.int64)
        place[present] = np.arange(len(present))
        index = place[index]
    else:
        present, index = np.unique(index, return_inverse=True)
    found = []
    for number in present.tolist():
        left, codes = int(number), list[str]()
        for domain in reversed(labels):
            left, code = divmod(left, len(domain))
            codes.append(domain[code])
        found.append(tuple(reversed(codes)))
    return Combinations(index, tuple(found))


def _coded(values: Values) -> tuple[Ints, tuple[str, ...]]:
    """Positions in a domain of texts; a missing value is the empty text."""
    values = values.coded()
    at, domain = values.ints, values.domain
    if values.data is not None and values.data.dtype == np.bool_:
        domain = ("false", "true")
    elif domain is None:
        present, at = _distinct(at)
        domain = tuple(str(number) for number in present.tolist())
    if values.missing is not None:
        at, domain = np.where(values.missing, len(domain), at), (*domain, "")
    return at, domain or ("",)


def _distinct(numbers: Ints) -> tuple[Ints, Ints]:
    """The numbers that occur, rising, and the place of each row's among them."""
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if high - low >= _MAX_PRODUCT:
        return np.unique(numbers, return_inverse=True)
    there = np.bincount(numbers - low, minlength=1) > 0
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[numbers - low]
