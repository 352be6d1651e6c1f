"""Class weights among rows that have given levels of some columns, for many combinations of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.generation.alias import Alias
from synthetic.private.aliases import ONE, Whole, alias_of
from synthetic.private.model import Model
from synthetic.private.schema import Attribute

_MOST = 2**62  # combinations of levels, which have numbers
_AT_ONCE = 2048  # combinations whose weights are held as floats for a while
Ints = npt.NDArray[np.int64]


class Classes:
    """Class weights given levels of some columns, each combination computed when it is first met."""

    def __init__(self, model: Model, places: list[int]) -> None:
        self.model, self.places = model, places
        self.sizes = [model.schema.attributes[place].size for place in places]
        if int(np.prod(np.array(self.sizes, dtype=object))) >= _MOST:
            raise SpecError("too many combinations of given columns; give fewer of them")
        self.known: dict[int, int] = {}  # a combination's number -> its place among `packed`
        self.packed = np.zeros((0, len(model.class_weights)), dtype=np.uint64)

    def of(self, levels: Mapping[int, Ints]) -> tuple[Alias, Ints | None]:
        """Tables of the classes, and which of them is each row's."""
        if not self.places:
            return alias_of(self.model.class_weights[None, :]), None
        number = np.zeros_like(levels[self.places[0]])
        for place, size in zip(self.places, self.sizes, strict=True):
            number = number * size + levels[place]
        numbers, first, at = np.unique(number, return_index=True, return_inverse=True)
        new = np.array([i for i, one in enumerate(numbers.tolist()) if one not in self.known], int)
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            self._meet(numbers[some], {place: levels[place][first[some]] for place in self.places})
        known = np.array([self.known[one] for one in numbers.tolist()], dtype=np.int64)
        return Alias(self.packed.ravel(), self.packed.shape[1]), known[at]

    def _meet(self, numbers: Ints, levels: Mapping[int, Ints]) -> None:
        alias = alias_of(self._weights(levels))
        start = len(self.known)
        self.known |= {one: start + i for i, one in enumerate(numbers.tolist())}
        self.packed = np.concatenate([self.packed, alias.packed.reshape(len(numbers), -1)])

    def _weights(self, levels: Mapping[int, Ints]) -> Whole:
        """The classes' shares, of shape (combinations, classes), to within some 2**-31.

        Products and quotients of floats are the same on every processor; their sums might not be,
        so whole numbers are added.
        """
        weights = self.model.class_weights.astype(np.float64)[None, :]
        for place, those in levels.items():
            weights = weights * self.model.block(place)[:, those].T
            most = weights.max(axis=1, keepdims=True)
            if not most.all():
                self._refuse({i: one[np.flatnonzero(most == 0)] for i, one in levels.items()})
            weights /= most
        whole = (weights * ONE).astype(np.int64)
        found = whole * ONE // whole.sum(axis=1, keepdims=True)
        found[np.arange(len(found)), found.argmax(axis=1)] += ONE - found.sum(axis=1)
        return found.astype(np.uint32)

    def _refuse(self, never: Mapping[int, Ints]) -> None:
        raise SpecError(
            f"the model never gives {told(self.model, never)}; leave such rows out by 'where', or "
            "join the value with its neighbours and fit again"
        )


def told(model: Model, levels: Mapping[int, Ints]) -> str:
    """The first of some combinations of levels in words."""
    attributes = model.schema.attributes
    found = [_told(attributes[place], int(those[0])) for place, those in levels.items()]
    return " and ".join(found) or "these columns"


def _told(attribute: Attribute, level: int) -> str:
    if level >= attribute.n_there:
        return f"{attribute.name} missing"
    if attribute.values:
        return f"{attribute.name} = {attribute.values[level]!r}"
    low, high = (int(attribute.edges[level + i]) - i for i in (0, 1))
    if attribute.type == "date":
        first, last = (dt.date(1970, 1, 1) + dt.timedelta(days) for days in (low, high))
        return f"{attribute.name} from {first} to {last}"
    one = 10**attribute.places
    return f"{attribute.name} from {low / one:.{attribute.places}f} to {high / one:.{attribute.places}f}"
