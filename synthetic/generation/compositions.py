"""A pool of household compositions, and its weights for each stratum: fitted once, then frozen.

A small simulation makes believable households (who lives together, how old, of which sex, related
how, married or not, under whose surname). For each stratum the pool is reweighted: the weights
nearest to the pool's own, in Kullback-Leibler divergence, whose expected household holds the
published mean of persons by age and sex and of married, never-married and divorced persons. Parents, spouses,
ages and surnames then agree by construction and the margins are those published.

Fitting needs floating point, whose last digits differ between processors; so a fit is turned to
whole numbers and kept in a file (`synthetic.generation.models`), and a build never refits.

References
----------
Deville and Särndal (1992), Calibration estimators in survey sampling, JASA 87(418), 376-382.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError

POSITIONS = 8  # places in a household; nobody is the ninth
OLDEST = 100  # years
SEXES = ("male", "female")
MARITAL = ("never_married", "married", "widowed", "divorced")
RELATIONS = (
    "head",
    "spouse",
    "child",
    "child_in_law",
    "grandchild",
    "parent",
    "sibling",
    "other",
)
_M, _F = 0, 1
_NEVER, _MARRIED, _WIDOWED, _DIVORCED = range(4)
_HEAD, _SPOUSE, _CHILD, _IN_LAW, _GRANDCHILD, _PARENT, _SIBLING, _OTHER = range(8)
COUNTED = (_MARRIED, _NEVER, _DIVORCED)  # the widowed are what remains
_MARRIAGE_AGE = {_M: 20, _F: 18}  # Law on Marriage and Family 52/2014/QH13
_WEIGHT_TOTAL = 1 << 24
_PLACE_TOTAL = 1 << 30


@dataclass(frozen=True)
class Member:
    """One place in a composition."""

    age: int  # completed years
    sex: int
    relation: int
    marital: int
    line: int  # members of one line bear one surname


@dataclass(frozen=True, eq=False)
class Templates:
    """Compositions, sorted so that neighbours are alike. Arrays have the shape (templates, 8)."""

    size: npt.NDArray[np.uint8]  # shape (templates,)
    age: npt.NDArray[np.uint8]
    sex: npt.NDArray[np.uint8]
    relation: npt.NDArray[np.uint8]
    marital: npt.NDArray[np.uint8]
    line: npt.NDArray[np.uint8]


class _Simulation:
    """Draws compositions. Shares here are judgement; the reweighting decides what they count."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.kinds = {
            self.alone: 13,
            self.couple: 13,
            self.family: 42,
            self.one_parent: 9,
            self.with_grandparents: 13,
            self.elder_with_family: 8,
            self.young_together: 2,
        }

    def household(self) -> list[Member]:
        """Draw until nobody shares sex and age with another (identifiers rely on it)."""
        while True:
            make = self.rng.choices(list(self.kinds), list(self.kinds.values()))[0]
            members = make()
            keys = {(m.sex, m.age) for m in members}
            if len(keys) == len(members) <= POSITIONS and all(_lawful(m) for m in members):
                return members

    def between(self, low: int, high: int, mode: int | None = None) -> int:
        return int(self.rng.triangular(low, high + 0.999, mode))

    def unmarried_state(self, age: int) -> int:
        """Marital status of an adult who lives without a spouse."""
        if age < 30:
            weights = (94, 0, 1, 5)
        elif age < 60:
            weights = (45, 0, 20, 35)
        else:
            weights = (12, 0, 75, 13)
        return self.rng.choices(range(4), weights)[0]

    def alone(self) -> list[Member]:
        low, high = self.rng.choices([(18, 34), (35, 59), (60, 99)], [32, 25, 43])[0]
        age = self.between(low, high, 64) if low == 60 else self.rng.randint(low, high)
        sex = _F if self.rng.random() < (0.72 if age >= 60 else 0.45) else _M
        return [Member(age, sex, _HEAD, self.unmarried_state(age), 0)]

    def spouses(self, wife_age: int) -> tuple[int, int]:
        """Ages of husband and wife."""
        return max(20, wife_age + self.husband_older()), wife_age

    def husband_older(self) -> int:
        """Years by which a husband is older than his wife."""
        return min(max(round(self.rng.gauss(3, 3)), -4), 12)

    def couple(self) -> list[Member]:
        wife_age = self.between(19, 34) if self.rng.random() < 0.3 else self.between(42, 92, 62)
        husband, wife = self.spouses(wife_age)
        return [Member(husband, _M, _HEAD, _MARRIED, 0), Member(wife, _F, _SPOUSE, _MARRIED, 1)]

    def children(self, mother: int, first_birth: int, line: int, relation: int) -> list[Member]:
        """Children at home of a woman who had her first at `first_birth`."""
        n = self.rng.choices([1, 2, 3, 4], [28, 50, 17, 5])[0]
        ages, born_at = [], first_birth
        for _ in range(n):
            if born_at > min(mother, 44):
                break
            ages.append(mother - born_at)
            born_at += self.rng.choices([1, 2, 3, 4, 5, 6, 8], [8, 20, 22, 18, 14, 10, 8])[0]
        # Grown children leave, most of them by their late twenties.
        home = [a for a in ages if self.rng.random() < 1 / (1 + math.exp((a - 25) / 3.5))]
        return [
            Member(a, int(self.rng.random() < 0.472), relation, _NEVER, line)
            for a in sorted(home, reverse=True)
        ]

    def first_birth(self) -> int:
        return self.between(18, 36, 23)

    def family(self) -> list[Member]:
        first = self.first_birth()
        wife_age = first + self.rng.randint(0, 32)
        husband, wife = self.spouses(wife_age)
        husband = max(husband, wife - first + 20)  # twenty at least when the first child came
        children = self.children(wife, first, 0, _CHILD)
        return [
            Member(husband, _M, _HEAD, _MARRIED, 0),
            Member(wife, _F, _SPOUSE, _MARRIED, 1),
            *children,
        ]

    def one_parent(self) -> list[Member]:
        first = self.first_birth()
        mother = first + self.between(2, 40, 18)
        children = self.children(mother, first, 1, _CHILD) or [
            Member(mother - first, _M, _CHILD, _NEVER, 1)
        ]
        state = self.rng.choices([_WIDOWED, _DIVORCED, _NEVER], [50, 40, 10])[0]
        if self.rng.random() < 0.75:
            return [Member(mother, _F, _HEAD, state, 0), *children]
        father = max(mother + self.husband_older(), children[0].age + 20)
        own = [Member(c.age, c.sex, c.relation, c.marital, 0) for c in children]
        return [Member(father, _M, _HEAD, state if state != _NEVER else _DIVORCED, 0), *own]

    def with_grandparents(self) -> list[Member]:
        members = self.family()
        mother = members[0].age + self.between(18, 36, 24)
        father, mother = self.spouses(mother)
        father = max(father, members[0].age + 20)
        alive = self.rng.choices(["both", "mother", "father"], [42, 46, 12])[0]
        state = _MARRIED if alive == "both" else _WIDOWED
        parents = []
        if alive != "mother":
            parents.append(Member(father, _M, _PARENT, state, 0))
        if alive != "father":
            parents.append(Member(mother, _F, _PARENT, state, 2))
        return [*members, *parents]

    def elder_with_family(self) -> list[Member]:
        """The elder is head; a married son lives with wife and children in the house."""
        first = self.first_birth()
        wife = first + self.between(0, 18, 4)
        son = max(self.spouses(wife)[0], wife - first + 20)
        mother = son + self.between(18, 36, 24)
        father = max(self.spouses(mother)[0], son + 20)
        young = [
            Member(son, _M, _CHILD, _MARRIED, 0),
            Member(wife, _F, _IN_LAW, _MARRIED, 1),
            *self.children(wife, first, 0, _GRANDCHILD),
        ]
        if self.rng.random() < 0.6:
            elders = [
                Member(father, _M, _HEAD, _MARRIED, 0),
                Member(mother, _F, _SPOUSE, _MARRIED, 2),
            ]
        elif self.rng.random() < 0.25:
            elders = [Member(father, _M, _HEAD, _WIDOWED, 0)]
        else:
            elders = [Member(mother, _F, _HEAD, _WIDOWED, 2)]
        return elders + young

    def young_together(self) -> list[Member]:
        n = self.rng.choices([2, 3, 4], [55, 30, 15])[0]
        kin = self.rng.random() < 0.6
        ages = sorted((self.between(18, 32, 22) for _ in range(n)), reverse=True)
        relations = [_HEAD] + [_SIBLING if kin else _OTHER] * (n - 1)
        return [
            Member(a, self.rng.randrange(2), r, _NEVER, 0 if kin else i)
            for i, (a, r) in enumerate(zip(ages, relations, strict=True))
        ]


def _lawful(member: Member) -> bool:
    if not 0 <= member.age <= OLDEST:
        return False
    return member.marital == _NEVER or member.age >= _MARRIAGE_AGE[member.sex]


def simulate(n: int, seed: int = 20241231) -> Templates:
    """Draw `n` compositions and sort them: by males and females, then by kind and ages."""
    simulation = _Simulation(seed)
    homes = [simulation.household() for _ in range(n)]
    homes.sort(
        key=lambda h: (
            sum(m.sex == _M for m in h),
            sum(m.sex == _F for m in h),
            tuple(m.relation for m in h),
            tuple(m.age for m in h),
            tuple((m.sex, m.marital, m.line) for m in h),
        )
    )
    arrays = {
        field: np.zeros((n, POSITIONS), dtype=np.uint8)
        for field in ("age", "sex", "relation", "marital", "line")
    }
    for i, home in enumerate(homes):
        for position, member in enumerate(home):
            for field, array in arrays.items():
                array[i, position] = getattr(member, field)
    return Templates(size=np.array([len(h) for h in homes], dtype=np.uint8), **arrays)


def features(templates: Templates, band_starts: Sequence[int]) -> npt.NDArray[np.float64]:
    """Count, for each composition, persons by sex and age band, and by marital status.

    Returns an array of shape (templates, 2 x bands + 3): after the bands the married, the never
    married and the divorced of 15 years and over.
    """
    present = np.arange(POSITIONS) < templates.size[:, None]
    band = np.searchsorted(np.asarray(band_starts), templates.age, side="right") - 1
    columns = [
        ((band == b) & (templates.sex == s) & present).sum(axis=1)
        for s in range(len(SEXES))
        for b in range(len(band_starts))
    ]
    adult = present & (templates.age >= 15)
    columns += [(adult & (templates.marital == state)).sum(axis=1) for state in COUNTED]
    return np.stack(columns, axis=1).astype(np.float64)


def single_years(templates: Templates, oldest: int) -> npt.NDArray[np.float64]:
    """Count the members of each composition by sex and single year, the last one open-ended."""
    present = np.arange(POSITIONS) < templates.size[:, None]
    age = np.minimum(templates.age, oldest)
    columns = [
        ((age == year) & (templates.sex == s) & present).sum(axis=1)
        for s in range(len(SEXES))
        for year in range(oldest + 1)
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def graduate(
    persons: npt.NDArray[np.float64], starts: Sequence[int], oldest: int
) -> npt.NDArray[np.float64]:
    """Spread persons by age band over single years, smoothly, each band keeping its total.

    The running total is interpolated by a monotone cubic (Fritsch and Carlson 1980, SIAM Journal on
    Numerical Analysis 17(2), 238-246); above the last start persons fall by an eighth a year.

    Returns an array of shape (oldest + 1,); the last year is open-ended.
    """
    knots = np.array(starts, dtype=np.float64)
    total = np.concatenate([[0.0], np.cumsum(persons[:-1])])
    slope = np.diff(total) / np.diff(knots)
    inner = np.where(
        slope[:-1] * slope[1:] > 0,
        2 * slope[:-1] * slope[1:] / np.maximum(slope[:-1] + slope[1:], 1e-12),
        0.0,
    )
    tangent = np.concatenate([[slope[0]], inner, [slope[-1]]])
    years = np.arange(starts[-1] + 1, dtype=np.float64)
    at = np.clip(np.searchsorted(knots, years, side="right") - 1, 0, len(slope) - 1)
    width = np.diff(knots)[at]
    t = (years - knots[at]) / width
    running = (
        (2 * t**3 - 3 * t**2 + 1) * total[at]
        + (t**3 - 2 * t**2 + t) * width * tangent[at]
        + (3 * t**2 - 2 * t**3) * total[at + 1]
        + (t**3 - t**2) * width * tangent[at + 1]
    )
    tail = (7 / 8) ** np.arange(oldest - starts[-1] + 1, dtype=np.float64)
    tail[-1] *= 8  # all the years above
    return np.concatenate([np.diff(running), persons[-1] * tail / tail.sum()])


def reweight(
    x: npt.NDArray[np.float64],
    target: npt.NDArray[np.float64],
    base: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Weights of the compositions whose mean features are the target's, nearest to the base.

    Parameters
    ----------
    x : float array of shape (templates, features)
    target : float array of shape (features,)
        Mean per household.
    base : float array of shape (templates,)
        Weights to stay near to, in Kullback-Leibler divergence; equal ones if None.

    Returns
    -------
    float array of shape (templates,)
        Weights with the sum 1.

    Raises
    ------
    BuildError
        If no weights of these compositions meet the target.
    """
    centred = x - target
    multiplier = np.zeros(x.shape[1])
    prior = np.full(len(x), 1 / len(x)) if base is None else base / base.sum()
    weights, value = prior, 0.0
    for _ in range(200):
        gradient = weights @ centred
        if np.abs(gradient).max() < 1e-10:
            break
        hessian = (centred * weights[:, None]).T @ centred - np.outer(gradient, gradient)
        step = np.linalg.solve(hessian + 1e-12 * np.eye(len(hessian)), -gradient)
        length = 1.0
        while True:  # the dual is convex: halve the step until it falls enough
            trial = multiplier + length * step
            exponent = centred @ trial
            top = exponent.max()
            raw = prior * np.exp(exponent - top)
            trial_value = top + math.log(raw.sum())
            if trial_value <= value + 1e-4 * length * (gradient @ step) or length < 1e-9:
                break
            length /= 2
        multiplier, value, weights = trial, trial_value, raw / raw.sum()
    gap = np.abs(weights @ centred).max()
    if not gap < 1e-6:
        raise BuildError(
            f"the household compositions cannot meet the published margins (gap {gap:.2g} persons "
            "a household); the margins may contradict each other"
        )
    return weights


def whole_weights(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Weights as whole numbers with the sum 2**24."""
    return _whole(shares, _WEIGHT_TOTAL)


def _whole(shares: npt.NDArray[np.float64], total: int) -> npt.NDArray[np.int64]:
    """Round shares to whole weights by equal steps along their sum, which keeps every margin."""
    marks = np.floor(np.cumsum(shares) / shares.sum() * total + 0.5).astype(np.int64)
    marks[-1] = total
    return np.diff(marks, prepend=np.int64(0))


def spread_over_places(
    place_persons: npt.NDArray[np.float64],
    density: npt.NDArray[np.float64],
    stratum_persons: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Divide the strata (residences) of one area among its places.

    No table gives residence by place. The seed makes a place the more urban the denser it is; it is
    then raked to the places' totals and to the published totals by residence.

    Parameters
    ----------
    place_persons : float array of shape (places,)
    density : float array of shape (places,)
        Persons per square kilometre.
    stratum_persons : float array of shape (residences,)
        The first is urban.

    Returns
    -------
    int64 array of shape (places, residences)
        Whole weights; each column adds up to 2**30, or to 0 where the area has no such residents.
    """
    urban = 1 / (1 + (1500 / np.maximum(density, 1e-3)) ** 1.2)
    seed = np.stack([urban, 1 - urban], axis=1) * place_persons[:, None]
    table = seed
    for _ in range(500):
        rows = table.sum(axis=1)
        table = table * np.where(rows > 0, place_persons / np.where(rows > 0, rows, 1), 0)[:, None]
        columns = table.sum(axis=0)
        table = table * np.where(
            columns > 0, stratum_persons / np.where(columns > 0, columns, 1), 0
        )
    return np.stack(
        [
            _whole(column, _PLACE_TOTAL) if column.sum() > 0 else np.zeros(len(column), np.int64)
            for column in table.T
        ],
        axis=1,
    )
