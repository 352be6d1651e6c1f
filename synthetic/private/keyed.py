"""Rows drawn from a model one by one, each given levels of its own.

A row is a function of the stream's names and its key alone, whichever rows are asked for together.
Its class is drawn by the class weights among rows that have its given levels, exactly in whole
numbers; then the levels of the other columns, repairs, and a value within each bin. A row that
breaks a rule is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.generation.draws import Words, below, mixed, stream, words_of
from synthetic.generation.values import Values
from synthetic.private.aliases import ONE, alias_of
from synthetic.private.classes import Classes, told
from synthetic.private.model import Model
from synthetic.private.rules import broken, held

_TRIES = 200  # of a row that breaks rules
_S33 = np.uint64(33)
Ints = npt.NDArray[np.int64]
Draw = Callable[..., Words]  # words of rows, by the names of what is drawn


@dataclass(frozen=True, eq=False)
class Given:
    """What is known of a column in some rows."""

    levels: Ints
    values: Values

    def take(self, at: Ints) -> Given:
        """The same of these rows."""
        return Given(self.levels.take(at), self.values.take(at))


class KeyedSampler:
    """What draws rows of one model, given levels of some columns, with one seed and path."""

    def __init__(self, model: Model, given: Iterable[int], seed: int, path: Sequence[str]) -> None:
        self.model, self.seed, self.path = model, seed, tuple(path)
        self.classes = Classes(model, sorted(given))
        attributes = model.schema.attributes
        self.drawn = [i for i in range(len(attributes)) if i not in self.classes.places]
        self.aliases = {i: alias_of(model.block(i)) for i in self.drawn}
        self.moves = [
            (move.parent, move.child, move.stay, alias_of(move.to), str(number))
            for number, move in enumerate(model.moves)
            if move.child in self.drawn  # what is given is never moved
        ]

    def rows(self, keys: Ints, given: Mapping[int, Given]) -> dict[str, Values]:
        """The columns that are not given, for the rows of these keys."""
        found = self._once(keys, given, 0)
        for attempt in range(1, _TRIES + 1):
            wrong = self._broken(found, given, len(keys))
            if not wrong.size:
                return found
            theirs = {place: one.take(wrong) for place, one in given.items()}
            again = self._once(keys[wrong], theirs, attempt)
            at = np.arange(len(keys))
            at[wrong] = len(keys) + np.arange(len(wrong))
            found = {name: _joined(found[name], again[name]).take(at) for name in found}
        raise SpecError(self._hopeless(found, given, len(keys)))

    def _once(self, keys: Ints, given: Mapping[int, Given], attempt: int) -> dict[str, Values]:
        own = mixed(keys)

        def draw(at: Ints | None, *names: str) -> Words:
            path = stream(self.seed, *self.path, "model", *names, str(attempt))
            return words_of(path, own if at is None else own[at])

        levels = self._levels(draw, {place: one.levels for place, one in given.items()})
        attributes = self.model.schema.attributes
        return {attributes[i].name: self._values(i, levels[i], draw) for i in self.drawn}

    def _levels(self, draw: Draw, levels: dict[int, Ints]) -> dict[int, Ints]:
        table, context = self.classes.of(levels)
        group = table.draw(draw(None, "class"), context)
        for place in self.drawn:
            word = draw(None, "level", self.model.schema.names[place])
            levels[place] = self.aliases[place].draw(word, group)
        for parent, child, stay, to, number in self.moves:
            cell = levels[parent] * stay.shape[1] + levels[child]
            goes = np.flatnonzero(draw(None, "move", number) >> _S33 >= stay.ravel().take(cell))
            levels[child][goes] = to.draw(draw(goes, "to", number), levels[parent][goes])
        return levels

    def _values(self, place: int, levels: Ints, draw: Draw) -> Values:
        attribute = self.model.schema.attributes[place]
        missing = levels == attribute.n_there if attribute.may_miss else None
        there = np.minimum(levels, attribute.n_there - 1)
        if attribute.values:
            return held(attribute, there, missing)
        widths = np.diff(attribute.edges)
        word, low = draw(None, "value", attribute.name), attribute.edges.take(there)
        if widths.max() <= ONE:
            return held(attribute, low + below(word, widths.take(there)), missing)
        beyond = word % widths.take(there).astype(np.uint64)
        return held(attribute, low + beyond.astype(np.int64), missing)

    def _broken(self, found: Mapping[str, Values], given: Mapping[int, Given], n: int) -> Ints:
        names = self.model.schema.names
        columns = {**found, **{names[place]: one.values for place, one in given.items()}}
        wrong = np.zeros(n, dtype=np.bool_)
        for tree in self.model.schema.trees:
            wrong |= broken(tree, columns.__getitem__, n)
        return np.flatnonzero(wrong)

    def _hopeless(self, found: Mapping[str, Values], given: Mapping[int, Given], n: int) -> str:
        wrong = self._broken(found, given, n)[:1]
        asked = told(self.model, {place: one.levels[wrong] for place, one in given.items()})
        return (
            f"no row of the model that keeps its rules has {asked}; "
            "leave such rows out by 'where', or mend the rules and fit again"
        )


def _joined(first: Values, then: Values) -> Values:
    """Two stretches of one column after each other."""
    assert first.data is not None
    assert then.data is not None
    missing = None
    if first.missing is not None and then.missing is not None:
        missing = np.concatenate([first.missing, then.missing])
    return Values(np.concatenate([first.data, then.data]), first.domain, missing=missing)
