"""Links to units: one of the row's place or area or, if it may be elsewhere, of the country."""

from __future__ import annotations

from functools import cache

import numpy as np

from synthetic.errors import BuildError
from synthetic.generation.draws import Words, below, words
from synthetic.generation.frames import Frame
from synthetic.generation.linking import Setting, areas_of
from synthetic.generation.permutation import permute
from synthetic.generation.running import Running
from synthetic.generation.values import Domain, Ints, Values, places
from synthetic.spec.scope import codes_of

_MAX_WEIGHT = 2**31  # what one draw can divide
_MOST_CODES = 1 << 20  # in a table; more are searched


class _Choices:
    """Units to choose among, in the order of their codes, by their running weights."""

    def __init__(self, keys: Ints, codes: Ints, weights: Ints) -> None:
        self.keys, self.codes = keys, codes
        self.running = Running.of(np.concatenate([[0], np.cumsum(weights)]).astype(np.int64)[None])
        most = int(codes[-1]) if len(codes) else 0
        # The running weight before each code, looked up where codes are not too many.
        self.before = self._before(np.arange(most + 2)) if most < _MOST_CODES else None

    @property
    def sum(self) -> int:
        """All weights."""
        return int(self.running.totals[0, -1])

    def _before(self, codes: Ints) -> Ints:
        return self.running.totals[0, np.searchsorted(self.codes, codes)]

    def _up_to(self, codes: Ints) -> Ints:
        if self.before is None:
            return self._before(codes)
        return self.before.take(np.minimum(codes, len(self.before) - 1))

    def pick(self, low: Ints, high: Ints, word: Words) -> Ints:
        """A unit with a code from `low` to below `high`, by weight; -1 where there is none."""
        if not len(self.keys):
            return np.full(len(low), -1, dtype=np.int64)
        start = self._up_to(low)
        n = self._up_to(high) - start
        start += below(word, np.maximum(n, 1))
        found = self.keys.take(self.running.find(np.int64(0), start))
        return np.where(n > 0, found, -1)


class UnitLink:
    """A link to units: of the row's place or area or, if they may be elsewhere, of the country."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.link = setting, setting.link
        dataset, _, name = setting.target.partition(".")
        columns = setting.world.specs[dataset].tables[name].columns
        self.matched = {
            theirs: (ours, Domain(codes_of(columns[theirs]) or ()))
            for theirs, ours in setting.link.match.items()
        }
        self.choices = cache(self._choices)

    @property
    def uniform(self) -> bool:
        """Whether any unit of an area is as good as another: none needs to be computed."""
        link = self.link
        return not (link.where or link.weight or link.match or link.same_place)

    def choose(self, frame: Frame, rows: Ints) -> Ints:
        setting = self.setting
        area, word = areas_of(setting, frame, rows), words(setting.draws, frame.key[rows])
        keys = np.full(len(rows), -1, dtype=np.int64)
        cells = setting.others.cells
        if self.link.once:
            size = np.diff(cells.area_start)[area]
            there = np.flatnonzero(size > 0)
            rank = frame.field("rank").ints[rows][there] % size[there]
            met = permute(setting.draws, area[there], rank, size[there])
            keys[there] = cells.area_start[area[there]] + met
        elif self.uniform:
            size = np.diff(cells.area_start)[area] * (area >= 0)
            keys = np.where(size > 0, cells.area_start[area] + below(word, size), -1)
        else:
            low, n_places = self._codes(frame, rows)
            place = self._places(frame, rows) if self.link.same_place else None
            for a in np.flatnonzero(np.bincount(area[area >= 0])):
                here = np.flatnonzero((area == a) & (low >= 0))
                choices = self.choices(int(a))
                if place is not None:
                    known = here[place[here] >= 0]
                    code = low[known] + place[known]
                    keys[known] = choices.pick(code, code + 1, word[known])
                    here = here[keys[here] < 0]
                keys[here] = choices.pick(low[here], low[here] + n_places, word[here])
        left = np.flatnonzero(keys < 0)
        if left.size and self.link.elsewhere:
            keys[left] = self._anywhere(frame, rows[left], word[left])
            left = left[keys[left] < 0]
        if left.size:
            raise self._none(int(area[left[0]]))
        return keys

    def _anywhere(self, frame: Frame, rows: Ints, word: Words) -> Ints:
        if self.uniform:
            n = self.setting.others.cells.n
            return below(word, n) if n else np.full(len(rows), -1, dtype=np.int64)
        low, n_places = self._codes(frame, rows)
        keys = np.full(len(rows), -1, dtype=np.int64)
        known = np.flatnonzero(low >= 0)
        keys[known] = self.choices(None).pick(low[known], low[known] + n_places, word[known])
        return keys

    def _none(self, area: int) -> BuildError:
        there = "the country" if area < 0 or self.link.elsewhere else "an area"
        if area >= 0 and not self.link.elsewhere:
            there = f"area {self.setting.others.cells.areas[area]}"
        asked = f" for which {self.link.where!r} holds" if self.link.where else ""
        alike = f" with the row's {', '.join(self.link.match)}" if self.link.match else ""
        return BuildError(
            f"{self.setting.where}: {self.setting.target} has no row{asked}{alike} in {there}; "
            "take a larger scale, floor = 1 for the units, or elsewhere = true for the link"
        )

    def _codes(self, frame: Frame, rows: Ints) -> tuple[Ints, int]:
        """The code of each row's match at place 0, -1 where no unit can match it."""
        n_places = max(len(self.setting.others.cells.places), 1)
        code, known = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=np.bool_)
        for ours, codes in self.matched.values():
            at = _positions(frame.column(ours).take(rows), codes)
            known &= at >= 0
            code = code * len(codes) + at
        return np.where(known, code * n_places, -1), n_places

    def _places(self, frame: Frame, rows: Ints) -> Ints:
        """Each row's place among the places of the units, -1 where they know it not."""
        return _positions(frame.field("place").take(rows), self.setting.others.cells.places)

    def _choices(self, area: int | None) -> _Choices:
        others, link = self.setting.others, self.link
        start = 0 if area is None else int(others.cells.area_start[area])
        end = others.cells.n if area is None else int(others.cells.area_start[area + 1])
        frame = others.frame(start, end)
        weight = np.ones(frame.n, dtype=np.int64)
        if link.weight is not None:
            weight = frame.column(link.weight).ints
        if frame.n and weight.min() < 0:
            raise BuildError(
                f"{self.setting.where}: a weight of {weight.min()}; it must be zero or more"
            )
        condition = self.setting.condition
        held = weight > 0 if condition is None else (weight > 0) & frame.holds(condition)
        rows = np.flatnonzero(held)
        code = np.zeros(len(rows), dtype=np.int64)
        for theirs, (_, codes) in self.matched.items():
            code = code * len(codes) + _positions(frame.column(theirs).take(rows), codes)
        code *= max(len(others.cells.places), 1)
        if others.cells.places:
            code += frame.field("place").ints[rows]
        order = np.argsort(code, kind="stable")
        rows = rows[order]
        choices = _Choices(frame.key[rows], code[order], weight[rows])
        if choices.sum >= _MAX_WEIGHT:
            raise BuildError(
                f"{self.setting.where}: the weights {link.weight!r} add up to {choices.sum}, more "
                "than 2**31; divide them"
            )
        return choices


def _positions(values: Values, among: tuple[str, ...]) -> Ints:
    """Where each value stands among these texts; -1 where it does not, or is missing."""
    values = values.coded()
    found = places(values, among)
    return found if values.missing is None else np.where(values.missing, -1, found)
