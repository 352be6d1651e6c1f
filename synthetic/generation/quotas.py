"""Published totals x scale as whole persons, and whole households that hold exactly that many.

Households come first in whole numbers by how many males and females they hold; a few are then
exchanged for households of one person more or less until both totals are met, before any row is
dealt out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from synthetic.errors import BuildError
from synthetic.generation.apportion import controlled, largest_remainder, rounded
from synthetic.spec.margins import Margin

Shape = tuple[int, int]  # males and females of a household


@dataclass(frozen=True)
class Quota:
    """Persons of one stratum."""

    males: int
    females: int


def quotas(
    strata: Margin, sex: Margin, sexes: tuple[str, str], scale: Fraction
) -> dict[tuple[str, str], Quota]:
    """Share published persons x scale out over strata and sexes, to the last unit.

    The country's total is rounded once; areas share it; each area is shared by residence and by
    sex. Every cell is its published figure x scale rounded down or up, save where the two published
    tables disagree on an area's total: then the residences are met and the sexes follow.
    """
    areas = strata.categories["area"]
    by_area = strata.over("area")
    country = rounded(strata.total * scale)
    if country < 1:
        raise BuildError(f"scale {float(scale):g} leaves nobody; take a larger one")
    totals = controlled(country, [by_area.cells[a,] * scale for a in areas])
    found = {}
    for area, total in zip(areas, totals, strict=True):
        residences = strata.categories["residence"]
        persons = controlled(total, [strata.cells[area, r] * scale for r in residences])
        males = controlled(total, [sex.cells[area, s] * scale for s in sexes])[0]
        # Published by area only; the residences take their parts in proportion.
        split = largest_remainder(males, persons)
        for residence, n, m in zip(residences, persons, split, strict=True):
            found[area, residence] = Quota(min(m, n), n - min(m, n))
    return found


def households(weights: Mapping[Shape, int], quota: Quota) -> dict[Shape, int]:
    """Whole households by shape that hold exactly the quota's males and females.

    Parameters
    ----------
    weights : mapping
        Relative number of households of each shape.
    quota : Quota
        Persons to be housed.

    Returns
    -------
    dict
        Households of each shape.
    """
    grand = sum(weights.values())
    mean_size = Fraction(sum((m + f) * w for (m, f), w in weights.items()), grand)
    n = rounded((quota.males + quota.females) / mean_size)
    shapes = list(weights)
    counts = dict(
        zip(shapes, largest_remainder(n, [weights[shape] for shape in shapes]), strict=True)
    )
    missing_males = quota.males - sum(m * c for (m, _), c in counts.items())
    missing_females = quota.females - sum(f * c for (_, f), c in counts.items())
    while missing_males or missing_females:
        x, y = _sign(missing_males), _sign(missing_females)
        # One man more and one woman less in one exchange where that is possible, else in two.
        steps = [(x, y)] if x * y < 0 else []
        steps += [(x, 0)] if x else []
        steps += [(0, y)] if y else []
        if abs(missing_females) > abs(missing_males):
            steps.reverse()
        step = _exchange(counts, weights, n, grand, steps)
        missing_males -= step[0]
        missing_females -= step[1]
    return counts


def _exchange(
    counts: dict[Shape, int], weights: Mapping[Shape, int], n: int, grand: int, steps: list[Shape]
) -> Shape:
    """Exchange one household for one that differs by a step, where it disturbs least.

    (0, 0) stands for no household: a household of one may be added or dropped. Returns the change
    in males and females: the first of the steps that some household can make.
    """

    def excess(shape: Shape) -> int:
        return counts[shape] * grand - n * weights[shape] if shape != (0, 0) else 0

    for step in steps:
        pairs = [
            (excess(shape) - excess(other), shape, other)
            for shape in [*counts, (0, 0)]
            if (other := (shape[0] + step[0], shape[1] + step[1])) in counts or other == (0, 0)
            if shape == (0, 0) or counts[shape]
        ]
        if pairs:
            _, given, taken = max(pairs)
            if given != (0, 0):
                counts[given] -= 1
            if taken != (0, 0):
                counts[taken] += 1
            return step
    # Dissolve a household that holds somebody too many; its others are housed anew.
    for shape in counts:
        if counts[shape] and any(
            s * n < 0 for step in steps for s, n in zip(step, shape, strict=True)
        ):
            counts[shape] -= 1
            return (-shape[0], -shape[1])
    raise BuildError("the pool lacks households of one man and of one woman")


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
