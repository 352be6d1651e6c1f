"""Raking: numbers over several axes that agree with several published tables at once.

The cells are whole numbers of 64 bits, brought to one margin after another (iterative proportional
fitting) by multiplication with a whole-number ratio and a shift. So the result is the same on every
machine, and needs no package of its own: it is computed when a spec is read.

References
----------
Deming and Stephan (1940), Annals of Mathematical Statistics 11(4), 427-444.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.spec.margin import Cell, Margin
from synthetic.spec.models import MarginSpec

Ints = npt.NDArray[np.int64]
MAX_CELLS = 500_000
_ROUNDS = 500
_MASS = 1 << 31  # what all cells add up to, nearly; times a ratio it stays below 2**63
_SHIFT = 24  # bits of a ratio behind its point


def rake(
    name: str,
    wanted: MarginSpec,
    targets: Sequence[Margin],
    start: Margin | None,
    tolerance: Fraction,
) -> Margin:
    """Bring cells over all axes of these margins to each of them.

    Raises
    ------
    SpecError
        Where the margins disagree by more than the tolerance: which two, where and by how much.
    """
    _check_totals(targets, tolerance)
    categories = _categories(targets, start)
    shape = tuple(len(held) for held in categories.values())
    if math.prod(shape) > MAX_CELLS:
        raise SpecError(f"{math.prod(shape):,} cells; at most {MAX_CELLS:,}: leave an axis out")
    begin = _starting(categories, start)
    wants = [_wanted(target, categories) for target in targets]
    cells = _fit(begin, wants, targets, tolerance)
    whole = sum(cells.reshape(-1).tolist())
    unit = targets[0].total / whole
    found: dict[Cell, Fraction] = {
        cell: value * unit
        for cell, value in zip(
            product(*categories.values()), cells.reshape(-1).tolist(), strict=True
        )
    }
    tables = dict.fromkeys(margin.table for margin in (*targets, start) if margin is not None)
    published = all(target.published for target in targets)
    return Margin(name, ", ".join(tables), wanted.unit, tuple(categories), found, published)


def _check_totals(targets: Sequence[Margin], tolerance: Fraction) -> None:
    first = targets[0]
    if first.total == 0:
        raise SpecError(f"margin {first.name!r} adds up to zero; nothing can be raked to it")
    for other in targets[1:]:
        gap = other.total - first.total
        if abs(gap) > tolerance * first.total:
            raise SpecError(
                f"margins {first.name!r} and {other.name!r} disagree on their totals: "
                f"{float(first.total):g} and {float(other.total):g}, a gap of "
                f"{float(gap):+g} ({float(gap / first.total):+.2%}); mend one with 'rescale' or "
                "allow it by 'tolerance'"
            )
    for i, one in enumerate(targets):
        for other in targets[i + 1 :]:
            _check_shared(one, other, tolerance)


def _check_shared(one: Margin, other: Margin, tolerance: Fraction) -> None:
    """Two margins must tell the same of the axes that they share."""
    shared = tuple(axis for axis in one.axes if axis in other.axes)
    if not shared:
        return
    mine, theirs = one.over(*shared).cells, other.over(*shared).cells
    odd = sorted(set(mine) ^ set(theirs))
    if odd:
        raise SpecError(
            f"margins {one.name!r} and {other.name!r} do not share the categories of "
            f"{', '.join(shared)}: {' x '.join(odd[0])} stands in one alone"
        )
    scale = one.total / other.total
    gaps = {cell: theirs[cell] * scale - value for cell, value in mine.items()}
    worst = max(gaps, key=lambda cell: abs(gaps[cell]))
    if abs(gaps[worst]) > tolerance * one.total:
        raise SpecError(
            f"margins {one.name!r} and {other.name!r} disagree on {' x '.join(worst)}: "
            f"{float(mine[worst]):g} and {float(theirs[worst] * scale):g}, a gap of "
            f"{float(gaps[worst]):+g} ({float(gaps[worst] / one.total):+.2%} of the total); mend "
            "one with 'rescale' or allow it by 'tolerance'"
        )


def _categories(targets: Sequence[Margin], start: Margin | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for target in targets:
        for axis, held in target.categories.items():
            found.setdefault(axis, held)
    if start is None:
        return found
    for axis in start.axes:
        if axis not in found or set(start.categories[axis]) != set(found[axis]):
            raise SpecError(
                f"start = {start.name!r}: its axis {axis!r} and its categories must be those of "
                "a margin in 'to'"
            )
    return found


def _starting(categories: dict[str, tuple[str, ...]], start: Margin | None) -> Ints:
    shape = tuple(len(held) for held in categories.values())
    if start is None:
        return np.ones(shape, dtype=np.int64)
    if start.total == 0:
        raise SpecError(f"start = {start.name!r} is zero everywhere")
    at = [list(categories).index(axis) for axis in start.axes]
    rows = [
        _whole(start.cells.get(tuple(cell[i] for i in at), Fraction(0)) * _MASS / start.total)
        for cell in product(*categories.values())
    ]
    return np.array(rows, dtype=np.int64).reshape(shape)


def _whole(value: Fraction) -> int:
    return max(int(value), int(value > 0))


def _wanted(target: Margin, categories: dict[str, tuple[str, ...]]) -> Ints:
    """The margin as whole numbers that add up to the mass, laid out along the axes of the cells."""
    own = [axis for axis in categories if axis in target.axes]
    told = target.over(*own)
    values = [
        _whole(told.cells.get(cell, Fraction(0)) * _MASS / target.total)
        for cell in product(*(categories[axis] for axis in own))
    ]
    shape = [len(held) if axis in own else 1 for axis, held in categories.items()]
    return np.array(values, dtype=np.int64).reshape(shape)


def _sums(cells: Ints, like: Ints) -> Ints:
    axes = tuple(i for i, n in enumerate(like.shape) if n == 1)
    return cells.sum(axis=axes, keepdims=True)


def _fit(
    cells: Ints, wants: Sequence[Ints], targets: Sequence[Margin], tolerance: Fraction
) -> Ints:
    # Near the mass from the beginning, so that ratios stay near one afterwards.
    factor = Fraction(_MASS, sum(cells.reshape(-1).tolist()))
    scaled = [_whole(value * factor) for value in cells.reshape(-1).tolist()]
    cells = np.array(scaled, dtype=np.int64).reshape(cells.shape)
    for want, target in zip(wants, targets, strict=True):
        empty = (_sums(cells, want) == 0) & (want > 0)
        if empty.any():
            raise SpecError(
                f"margin {target.name!r} has numbers where 'start' is zero: {int(empty.sum())} cells"
            )
    before = None
    for _ in range(_ROUNDS):
        for want in reversed(wants):  # the first margin is met last, and so exactly
            cells = _brought(cells, want)
        gap = max(int(np.abs(_sums(cells, want) - want).max()) for want in wants[1:])
        if before is not None and gap >= before:
            break
        before = gap
    if gap > tolerance * _MASS:
        worst = max(
            range(1, len(wants)), key=lambda i: int(np.abs(_sums(cells, wants[i]) - wants[i]).max())
        )
        raise SpecError(
            f"margin {targets[worst].name!r} cannot be met with the others: a gap of "
            f"{gap / _MASS:.2%} of the total is left; mend 'start', or allow it by 'tolerance'"
        )
    return cells


def _brought(cells: Ints, want: Ints) -> Ints:
    """Multiply the cells so that they add up to the margin, but for what rounding takes."""
    # A ratio above 2**7 is reached in several rounds; more would not fit 64 bits.
    ratio = np.clip((want << _SHIFT) // np.maximum(_sums(cells, want), 1), 1, (1 << 31) - 1)
    moved = (cells * ratio + (1 << (_SHIFT - 1))) >> _SHIFT
    # A cell that has something keeps something: what is zero stays zero for ever.
    return np.where((cells > 0) & (want > 0), np.clip(moved, 1, _MASS), 0)
