"""What a structure says of rows, worked out when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from synthetic.generation.values import Ints, Values

Given = Values | Callable[[], Values]


class Fields(Mapping[str, Values]):
    """Values by name, or what gives them; each is computed once, and not at all if nobody asks."""

    def __init__(self, given: Mapping[str, Given]) -> None:
        self._given = dict(given)

    def __getitem__(self, name: str) -> Values:
        found = self._given[name]
        if not isinstance(found, Values):
            found = self._given[name] = found()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def take(self, at: Ints) -> dict[str, Given]:
        """The same of these rows."""
        return {name: partial(self._taken, name, at) for name in self._given}

    def _taken(self, name: str, at: Ints) -> Values:
        return self[name].take(at)
