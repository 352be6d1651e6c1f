"""Tables by code: which of a table's entries belongs to each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synthetic.generation.frames import Frame
from synthetic.generation.selection import either
from synthetic.generation.values import Domain, Ints, Values, repeated
from synthetic.spec.models import key_of

_MAX_PRODUCT = 1 << 21  # combinations looked up in a table; more are sorted
_FEW = 256  # combinations that are all looked up at once
_UNKNOWN = -2  # no entry looked up yet; below every entry
_MAX_SPAN = 64  # numbers in a row that are codes whether they occur or not
Labels = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Combinations:
    """The combinations of codes that some rows have."""

    index: Ints  # one for each row: its codes' positions as the digits of one number
    labels: Labels  # of each column

    @property
    def n(self) -> int:
        """How many combinations there can be."""
        return math.prod(map(len, self.labels))

    def entries(self, keys: tuple[str, ...]) -> tuple[Ints, bool]:
        """The place of each row's key in a table, and whether it has one for sure; else -1."""
        if self.n > _MAX_PRODUCT:
            present, at = np.unique(self.index, return_inverse=True)
            return _looked_up(self.labels, present, keys).take(at), False
        table = _table(self.labels, keys)
        found = table.take(self.index)
        if table.size <= _FEW:
            return found, bool(table.min() >= 0)
        if len(found) and found.min() == _UNKNOWN:
            unknown = self.index[found == _UNKNOWN]
            present = np.flatnonzero(np.bincount(unknown, minlength=self.n))
            table[present] = _looked_up(self.labels, present, keys)
            found = table.take(self.index)
        return found, False


def codes(labels: Labels, index: int) -> tuple[str, ...]:
    """The codes of a combination."""
    found = []
    for texts in reversed(labels):
        index, code = divmod(index, len(texts))
        found.append(texts[code])
    return tuple(reversed(found))


def _looked_up(labels: Labels, present: Ints, keys: tuple[str, ...]) -> Ints:
    place = {key: i for i, key in enumerate(keys) if key}
    found = (key_of(codes(labels, index), place) for index in present.tolist())
    return np.array([-1 if key is None else place[key] for key in found], dtype=np.int64)


@lru_cache(maxsize=256)
def _table(labels: Labels, keys: tuple[str, ...]) -> Ints:
    """The entry of every combination of these codes; of many, filled in as they are met."""
    n = math.prod(map(len, labels))
    if n <= _FEW:
        return _looked_up(labels, np.arange(n), keys)
    return np.full(n, _UNKNOWN, dtype=np.int64)


def combinations(frame: Frame, columns: Sequence[str]) -> Combinations:
    """Look which combinations of some columns' codes these rows have."""
    index = np.zeros(frame.n, dtype=np.int64)
    labels: list[tuple[str, ...]] = []
    for name in columns:
        at, domain = _coded(frame.column(name))
        index = index * len(domain) + at if labels else at
        labels.append(domain)
    return Combinations(index, tuple(labels))


_BOOLEANS = Domain(("false", "true"))


def _coded(values: Values) -> tuple[Ints, tuple[str, ...]]:
    """Positions in a domain of texts; a missing value is the empty text."""
    values = values.coded()
    at, domain = values.ints, values.domain
    if values.data is not None and values.data.dtype == np.bool_:
        domain = _BOOLEANS
    elif domain is None:
        at, domain = _numbered(at)
    if values.missing is not None:
        none = repeated(np.array([len(domain)], dtype=np.int64), len(at))
        at, domain = either(values.missing, none, at), _with_none(domain)
    return at, domain or ("",)


@lru_cache(maxsize=256)
def _with_none(domain: tuple[str, ...]) -> Domain:
    return Domain((*domain, ""))


def _numbered(numbers: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Numbers as positions among those that occur, or among all of a short span."""
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if low >= 0 and high < _MAX_SPAN:
        return numbers, _written(0, _MAX_SPAN)
    if high - low < _MAX_SPAN:
        return numbers - low, _written(low, high + 1)
    if high - low >= _MAX_PRODUCT:
        present, at = np.unique(numbers, return_inverse=True)
    else:
        there = np.bincount(numbers - low, minlength=1) > 0
        present, at = np.flatnonzero(there) + low, (np.cumsum(there) - 1).take(numbers - low)
    return at, tuple(str(number) for number in present.tolist())


@lru_cache(maxsize=1024)
def _written(low: int, end: int) -> Domain:
    return Domain(map(str, range(low, end)))
