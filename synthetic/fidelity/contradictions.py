"""Where published tables contradict each other, and which of them a replica follows.

A projection of 2016 and the population of 2024 cannot both be met. A spec keeps the shape of the
one and the level of the other; here stands by how much they differ, and how far the replica is
from each.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthetic.evaluation.measured import Distance, apart
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Spec
from synthetic.spec.published import as_published

_LEAST = 0.0005  # one in two thousand: less is the publishers' rounding


@dataclass(frozen=True)
class Contradiction:
    """Two published tables that cannot both be met."""

    table: str  # of the replica
    axes: tuple[str, ...]
    kept: str  # the published table whose level is followed
    bent: str  # the published table that was adapted to it
    between: float  # total variation between what was printed and what is followed
    to_bent: float  # from the replica to what was printed


def contradiction(
    spec: Spec, table: str, distance: Distance, areas: set[str] | None
) -> Contradiction | None:
    """Tell whether the margin that a table is held against was adapted to another one."""
    found = as_published(spec, distance.margin.name)
    if found is None or areas is not None or distance.comparison.given:
        return None
    printed, to = found
    if not set(distance.margin.axes) <= set(printed.axes):
        return None
    shares = _shares(printed.over(*distance.margin.axes))
    between = apart(shares, distance.published)
    if between < _LEAST or set(shares) != set(distance.published):
        return None
    kept = ", ".join(dict.fromkeys(spec.margins[name].table or name for name in to))
    return Contradiction(
        table,
        distance.margin.axes,
        kept,
        printed.table,
        between,
        apart(shares, distance.found),
    )


def _shares(margin: Margin) -> dict[Cell, float]:
    return {cell: float(value / margin.total) for cell, value in margin.cells.items()}
