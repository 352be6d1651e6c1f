"""Where published tables contradict each other, and which of them a replica follows.

A projection of 2016 and the population of 2024 cannot both be met. A spec keeps the shape of the
one and the level of the other, or follows one of them alone and says why; here stands by how much
they differ, and how far the replica is from each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthetic.evaluation.measured import Distance, apart
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Bilingual, Spec
from synthetic.spec.published import as_published

_LEAST = 0.0005  # one in two thousand: less is the publishers' rounding


@dataclass(frozen=True)
class Contradiction:
    """Two published tables that cannot both be met."""

    table: str  # of the replica
    axes: tuple[str, ...]
    kept: str  # the published table whose level is followed
    bent: str  # the published table that was adapted to it, or is not followed
    between: float  # total variation between what was printed and what is followed
    to_kept: float  # from the replica to what is followed
    to_bent: float  # from the replica to what was printed
    because: Bilingual | None = None  # where it is not followed at all


def contradictions(
    spec: Spec, distances: Sequence[tuple[str, Distance]], areas: set[str] | None
) -> Iterator[Contradiction]:
    """Every contradiction that a replica of the country shows, by table."""
    if areas is not None:
        return
    for table, far in distances:
        adapted = _adapted(spec, table, far)
        if adapted is not None:
            yield adapted
        wanted = far.comparison.contradicts
        beside = (other for where, other in distances if where == table)
        followed = next((other for other in beside if other.margin.name == wanted), None)
        if followed is not None:
            yield from _left_aside(table, far, followed)


def _adapted(spec: Spec, table: str, far: Distance) -> Contradiction | None:
    """The margin was adapted to another one."""
    found = as_published(spec, far.margin.name)
    if found is None or far.comparison.given:
        return None
    printed, to = found
    for axis, category in far.comparison.only.items():
        printed = printed.only(axis, category)
    if not set(far.margin.axes) <= set(printed.axes):
        return None
    shares = _shares(printed.over(*far.margin.axes))
    between = apart(shares, far.published)
    if between < _LEAST or set(shares) != set(far.published):
        return None
    kept = ", ".join(dict.fromkeys(spec.margins[name].table or name for name in to))
    return Contradiction(
        table,
        far.margin.axes,
        kept,
        printed.table,
        between,
        far.total_variation,
        apart(shares, far.found),
    )


def _left_aside(table: str, far: Distance, followed: Distance) -> Iterator[Contradiction]:
    """Another margin is followed, over the axes that both have."""
    if set(far.margin.axes) <= set(followed.margin.axes) and len(far.margin.axes) == 1:
        other = followed.over(far.margin.axes[0])
        yield Contradiction(
            table,
            far.margin.axes,
            followed.margin.table,
            far.margin.table,
            apart(far.published, other.published),
            other.total_variation,
            far.total_variation,
            far.comparison.because,
        )


def _shares(margin: Margin) -> dict[Cell, float]:
    return {cell: float(value / margin.total) for cell, value in margin.cells.items()}
