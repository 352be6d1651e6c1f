"""Rows drawn from a model: each a function of the seed, how many are asked for, and its number.

Blocks of rows are drawn by strata (`strata`): classes, then each column's levels, then repairs, then
a value within each bin. A row that breaks a rule is drawn again by itself, so that what remains has
the model's distribution among rows that keep the rules. Everything is decided by whole numbers, and
a block needs no other, so that any shard can be drawn alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synthetic.errors import PrivateError
from synthetic.generation.alias import Alias
from synthetic.generation.draws import Words, below, mixed, stream, words_of
from synthetic.generation.values import Values
from synthetic.private.aliases import ONE, Whole, alias_of
from synthetic.private.model import Model
from synthetic.private.rules import broken, held
from synthetic.private.schema import Attribute
from synthetic.private.strata import MOST_ROWS, contexts, ends, shuffled, spread
from synthetic.private.where import Given

_TRIES = 200  # of a row that breaks rules
_S33 = np.uint64(33)
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sampler:
    """What draws so many rows of one model with one seed, under conditions."""

    model: Model
    n: int
    seed: int
    given: Mapping[int, Given] = field(default_factory=dict)

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[dict[str, Values]]:
        """The rows from `start` up to `end`, the same in any stretch that holds them."""
        end = self.n if end is None else min(end, self.n)
        n_blocks = -(-self.n // MOST_ROWS)
        cuts = [self.n * k // n_blocks for k in range(n_blocks + 1)] if n_blocks else []
        for first, last in pairwise(cuts):
            if max(first, start) < min(last, end):
                found = self._block(first, last)
                if start <= first and last <= end:
                    yield found
                    continue
                part = np.arange(max(first, start), min(last, end)) - first
                yield {name: values.take(part) for name, values in found.items()}

    def _block(self, first: int, last: int) -> dict[str, Values]:
        """Whole blocks only: which rows break rules hangs on each alone, but strata do not."""
        rows = np.arange(first, last)
        found = self._values_of(self.levels(rows), rows, 0)
        for attempt in range(1, _TRIES + 1):
            wrong = self._broken(found, len(rows))
            if not wrong.size:
                return found
            own = rows[wrong]
            mended = self._values_of(self._levels_again(own, attempt), own, attempt)
            found = {name: _replaced(found[name], wrong, mended[name]) for name in found}
        raise PrivateError(self._hopeless(found, len(rows)))

    def levels(self, rows: Ints) -> list[Ints]:
        """The level of every column in a block, whatever the rules say."""
        n_classes = len(self.model.class_weights)
        group = np.empty(len(rows), dtype=np.int64)
        # An offset for each class and column: words of streams of their own, by the block's start.
        offsets = mixed(np.arange(n_classes) + rows[0] * n_classes)
        sizes, own = np.array([len(rows)]), mixed(rows)
        order = shuffled(self._words(own, 0, "class"), None)
        group[order] = spread(self._class_ends, sizes, self._words(offsets[:1], 0, "classes"))
        sizes, context = np.bincount(group, minlength=n_classes), contexts(group)
        found = []
        for place, attribute in enumerate(self.model.schema.attributes):
            levels = np.empty(len(rows), dtype=np.int64)
            if place in self.given:
                levels.fill(self.given[place].level)
            else:
                # Two columns share a word, of which each has its own half.
                if place % 2 == 0 or place - 1 in self.given:
                    word = self._words(own, 0, "level", str(place // 2))
                order = shuffled(word, context, second=place % 2 == 1)
                offset = self._words(offsets, 0, "levels", attribute.name)
                levels[order] = spread(self._ends[place], sizes, offset)
            found.append(levels)
        return self._repaired(found, own, 0)

    def _levels_again(self, rows: Ints, attempt: int) -> list[Ints]:
        """Levels for rows that are drawn one by one."""
        own = mixed(rows)
        group = self._classes.draw(self._words(own, attempt, "class"))
        found = []
        for place, attribute in enumerate(self.model.schema.attributes):
            if place in self.given:
                found.append(np.full(len(rows), self.given[place].level))
            else:
                word = self._words(own, attempt, "level", attribute.name)
                found.append(self._aliases[place].draw(word, group))
        return self._repaired(found, own, attempt)

    def _repaired(self, found: list[Ints], own: Words, attempt: int) -> list[Ints]:
        for number, move in enumerate(self.model.moves):
            if move.child not in self.given:  # what was asked for is never moved
                self._moved(number, found, own, attempt)
        return found

    def _moved(self, number: int, found: list[Ints], own: Words, attempt: int) -> None:
        move = self.model.moves[number]
        parent, child = found[move.parent], found[move.child]
        stay = move.stay.ravel().take(parent * move.stay.shape[1] + child)
        goes = np.flatnonzero(self._words(own, attempt, "move", str(number)) >> _S33 >= stay)
        word = self._words(own[goes], attempt, "to", str(number))
        child[goes] = self._moves[number].draw(word, parent[goes])

    def _values_of(self, levels: list[Ints], rows: Ints, attempt: int) -> dict[str, Values]:
        own = mixed(rows)
        return {
            attribute.name: self._values(place, attribute, levels[place], own, attempt)
            for place, attribute in enumerate(self.model.schema.attributes)
        }

    def _values(
        self, place: int, attribute: Attribute, levels: Ints, own: Words, attempt: int
    ) -> Values:
        missing = levels == attribute.n_there if attribute.may_miss else None
        if attribute.values:
            there = levels if missing is None else np.where(missing, 0, levels)
            return held(attribute, there, missing)
        given = self.given.get(place)
        if given is not None and given.number is not None:
            return held(attribute, np.full(len(own), given.number), missing)
        there = np.minimum(levels, attribute.n_there - 1)
        numbers = attribute.edges.take(there)
        widths = np.diff(attribute.edges)
        if widths.max() > 1:
            word = self._words(own, attempt, "value", attribute.name)
            numbers += _below(word, widths, there)
        return held(attribute, numbers, missing)

    def _broken(self, found: dict[str, Values], n: int) -> Ints:
        wrong = np.zeros(n, dtype=np.bool_)
        for tree in self.model.schema.trees:
            wrong |= broken(tree, found.__getitem__, n)
        return np.flatnonzero(wrong)

    def _hopeless(self, found: dict[str, Values], n: int) -> str:
        worst = max(
            zip(self.model.schema.rules, self.model.schema.trees, strict=True),
            key=lambda rule: int(broken(rule[1], found.__getitem__, n).sum()),
        )
        asked = " under this --where" if self.given else ""
        return (
            f"rule {worst[0]!r}: hardly a row of the model keeps it{asked}; mend the spec and fit "
            "again" + (", or ask for other values" if self.given else "")
        )

    def _words(self, own: Words, attempt: int, *names: str) -> Words:
        """A word for each row, of which `own` is the mixed number."""
        return words_of(stream(self.seed, "private", self._digest, *names, str(attempt)), own)

    @cached_property
    def _digest(self) -> str:
        return self.model.digest

    @cached_property
    def _weights(self) -> Whole:
        return _reweighted(self.model, self.given)[None, :]

    @cached_property
    def _class_ends(self) -> Ints:
        return ends(self._weights)

    @cached_property
    def _ends(self) -> list[Ints]:
        return [ends(self.model.block(i)) for i in range(len(self.model.schema.attributes))]

    @cached_property
    def _classes(self) -> Alias:
        return alias_of(self._weights)

    @cached_property
    def _aliases(self) -> list[Alias]:
        return [alias_of(self.model.block(i)) for i in range(len(self.model.schema.attributes))]

    @cached_property
    def _moves(self) -> list[Alias]:
        return [alias_of(move.to) for move in self.model.moves]


def _reweighted(model: Model, given: Mapping[int, Given]) -> Whole:
    """The classes' shares among rows that have these levels, exactly but for the last unit."""
    weights = [int(weight) for weight in model.class_weights]
    for place, value in given.items():
        likely = model.block(place)[:, value.level].tolist()
        weights = [weight * share for weight, share in zip(weights, likely, strict=True)]
    total = sum(weights)
    if not total:
        raise PrivateError("--where asks for values that the model never gives together")
    found = np.array([weight * ONE // total for weight in weights], dtype=np.int64)
    found[found.argmax()] += ONE - found.sum()
    return found.astype(np.uint32)


def _below(word: Words, widths: Ints, at: Ints) -> Ints:
    if widths.max() <= ONE:
        return below(word, widths.take(at))
    return (word % widths.take(at).astype(np.uint64)).astype(np.int64)


def _replaced(values: Values, at: Ints, by: Values) -> Values:
    """The same values, but in these rows."""
    assert values.data is not None
    assert by.data is not None
    data = values.data.copy()
    data[at] = by.data
    missing = values.missing
    if missing is not None and by.missing is not None:
        missing = missing.copy()
        missing[at] = by.missing
    return Values(data, values.domain, missing=missing)
