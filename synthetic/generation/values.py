"""A column's values while they are made: numbers, positions in a domain of texts, or texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthetic.tables import arrow
from synthetic.tables.digits import digits

Ints = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


class Domain(tuple[str, ...]):
    """Texts that positions stand for. Its hash is computed once: some have 45,000 texts."""

    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = super().__hash__()
            return self._hash

    def __reduce__(self) -> tuple[type[Domain], tuple[tuple[str, ...]]]:
        # Another process hashes texts otherwise.
        return Domain, (tuple(self),)


@dataclass(frozen=True, eq=False)
class Values:
    """One value a row. Exactly one of four forms.

    numbers: `data` holds whole numbers (of a decimal, its last places), days or seconds since
    1970-01-01, or booleans. Coded: `data` holds positions in `domain`. Text: `text` holds the
    strings themselves. Digits: `data` holds
    numbers that are written with `width` digits, zeros first. Where `missing` is true there is no value, whatever stands there.
    """

    data: npt.NDArray[np.generic] | None = None
    domain: tuple[str, ...] | None = None
    text: pa.Array | None = None
    missing: npt.NDArray[np.bool_] | None = None
    width: int | None = None

    def __len__(self) -> int:
        held = self.text if self.data is None else self.data
        return 0 if held is None else len(held)

    @property
    def ints(self) -> Ints:
        """The data as whole numbers (or days, or positions in the domain)."""
        assert self.data is not None
        return self.data.astype(np.int64, copy=False)

    @cached_property
    def span(self) -> tuple[int, int]:
        """The least and the greatest number."""
        numbers = self.ints
        some = numbers[:1] if numbers.strides == (0,) else numbers  # one for all rows
        return int(some.min()), int(some.max())

    def take(self, at: npt.NDArray[np.integer]) -> Values:
        """The values of these rows."""
        return Values(
            None if self.data is None else self.data.take(at),
            self.domain,
            None if self.text is None else self.text.take(arrow.numbers(at)),
            None if self.missing is None else self.missing.take(at),
            self.width,
        )

    def repeat(self, counts: Ints) -> Values:
        """Each value so often, one after the other."""
        if self.text is not None:
            return self.take(np.repeat(np.arange(len(self)), counts))
        return Values(
            None if self.data is None else self.data.repeat(counts),
            self.domain,
            None,
            None if self.missing is None else self.missing.repeat(counts),
            self.width,
        )

    def without(self, missing: npt.NDArray[np.bool_]) -> Values:
        """The same, with no value in these rows."""
        if self.missing is not None:
            missing = missing | self.missing
        return Values(self.data, self.domain, self.text, missing, self.width)

    def spread(self, there: npt.NDArray[np.bool_]) -> Values:
        """The same, laid out over more rows: one for each true one, and no value in the others."""
        at = np.maximum(np.cumsum(there) - 1, 0)
        if not len(self):
            plain = self.data is not None and self.domain is None
            domain = None if plain else self.domain or ("",)
            none = np.zeros(len(there), dtype=np.int64)
            return Values(none, domain, None, ~there, self.width)
        wide = self.take(at)
        return wide.without(~there)

    def placed(self, at: Ints, n: int) -> Values:
        """The same in these of `n` rows, of which there is one; what others hold means nothing."""
        if self.data is None:
            index = np.zeros(n, dtype=np.int64)
            index[at] = np.arange(len(at))
            return self.take(index)
        # Elsewhere stands the first of them, so that the whole has no wider span.
        data = np.full(n, self.data[0])
        data[at] = self.data
        missing = None
        if self.missing is not None:
            missing = np.zeros(n, dtype=np.bool_)
            missing[at] = self.missing
        return Values(data, self.domain, missing=missing, width=self.width)

    def filled(self) -> Values:
        """One value of this form, for rows that have none to take."""
        if self.text is not None:
            return Values(text=arrow.strings([""]))
        domain = self.domain if self.domain is None else (self.domain or ("",))
        return Values(np.zeros(1, dtype=np.int64), domain, width=self.width)

    def strings(self) -> pa.Array:
        """The values as an Arrow array of strings."""
        if self.text is not None:
            return self.text
        if self.width is not None:
            return digits(self.ints, self.width)
        assert self.domain is not None
        return arrow.domain(self.domain).take(arrow.numbers(self.ints))

    def coded(self) -> Values:
        """Free text as positions in a domain; coded values as they are."""
        if self.text is None and self.width is None:
            return self
        encoded = pc.dictionary_encode(self.strings())
        codes = arrow.to_numpy(pc.fill_null(encoded.indices, 0)).astype(np.int64)
        return Values(codes, tuple(encoded.dictionary.to_pylist()), missing=self.missing)

    def recoded(self, domain: tuple[str, ...]) -> Values:
        """The same texts as positions in another domain, which must hold them all."""
        assert self.domain is not None
        if domain is self.domain or domain == self.domain:
            return self
        return Values(places(self, domain), domain, missing=self.missing)


def constant(value: int | str) -> Values:
    """One value."""
    if isinstance(value, str):
        return Values(np.zeros(1, dtype=np.int64), Domain((value,)))
    return Values(np.array([value], dtype=np.int64))


def repeated(one: npt.NDArray[Number], n: int) -> npt.NDArray[Number]:
    """The only one of some values in every row, which takes the place of one."""
    return np.ndarray((n,), one.dtype, one, strides=(0,))


def union(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """A domain that holds the texts of both; the first itself where it holds them all."""
    return a if a is b else _union(a, b)


@lru_cache(maxsize=256)
def _union(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    both = Domain(dict.fromkeys(a + b))
    return a if len(both) == len(a) else both


def places(values: Values, among: tuple[str, ...]) -> Ints:
    """Where the text of each coded value stands among these; -1 where it does not."""
    assert values.domain is not None
    if values.domain is among:
        return values.ints
    table = _places(values.domain, among)
    if table is None:
        return values.ints
    if values.ints.strides == (0,) and len(values):
        return repeated(table.take(values.ints[:1]), len(values))
    return table.take(values.ints)


@lru_cache(maxsize=256)
def _places(domain: tuple[str, ...], among: tuple[str, ...]) -> Ints | None:
    """The place of each text among others; None if each has its own already."""
    place = {text: i for i, text in enumerate(among)}
    found = np.array([place.get(text, -1) for text in domain], dtype=np.int64)
    return None if np.array_equal(found, np.arange(len(domain))) else found
