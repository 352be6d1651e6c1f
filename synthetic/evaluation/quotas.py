"""Quotas: the published figure x scale to the last unit, in every cell, area and the country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from synthetic.evaluation.checks import SAMPLES, Check
from synthetic.evaluation.comparisons import Comparison, collapse, restricted
from synthetic.spec.margins import Cell


@dataclass(frozen=True)
class Quota:
    """The rows that a quota asks for, by cell and by area."""

    at: int  # where the area stands in a cell
    cells: Mapping[Cell, Fraction]
    areas: Mapping[Cell, Fraction]
    floor: int
    whole: bool  # the country, and not one area of it


def quota_of(entry: Comparison, scale: str | Fraction, areas: set[str] | None) -> Quota:
    """The quota of a comparison at this scale, of the country (no areas) or of one area."""
    at = list(entry.by).index("area")
    cells = {cell: value * Fraction(scale) for cell, value in restricted(entry, areas).items()}
    return Quota(at, cells, collapse(cells, at), entry.floor, areas is None)


def check_quota(
    table: str, what: str, quota: Quota, counts: Mapping[Cell, int], others: list[Quota]
) -> Check:
    """Every cell, every area and the country hold the published figure x scale, up or down.

    That is the tightest bound there is: the figure is rarely a whole number of rows, and which
    cells of an area are rounded up is the generator's choice. The parts of an area may not all be
    rounded the same way, since their sum is bound as well. Where two quotas of a table contradict
    each other on an area's total, the area may have either; its cells are then the published ones
    brought to the rows that it has, in proportion. Cells that keep a `floor` may have that many,
    and their sums so many more.
    """
    held, wrong = collapse(counts, quota.at), []
    kept = [max(value, Fraction(quota.floor if value else 0)) for value in quota.cells.values()]
    more = sum(kept, Fraction(0)) - sum(quota.cells.values(), Fraction(0))
    for area, total in quota.areas.items():
        totals = {total, *(other.areas[area] for other in others if area in other.areas)}
        if not quota.floor and not any(abs(held.get(area, 0) - t) < 1 for t in totals):
            wrong.append(f"{area[0]} is {held.get(area, 0)}, published {float(total):g}")
    for cell, value in quota.cells.items():
        n, total = counts.get(cell, 0), quota.areas[cell[quota.at],]
        brought = value * held.get((cell[quota.at],), 0) / total if total else value
        low = max(Fraction(quota.floor), value) if value and quota.floor else value
        if abs(n - low) >= 1 and (quota.floor or abs(n - brought) >= 1):
            wrong.append(f"{' x '.join(cell)} is {n}, published {float(value):g}")
    totals = {sum(other.areas.values(), Fraction(0)) for other in (quota, *others)}
    rows = sum(held.values())
    if quota.whole and not any(-1 < rows - total < 1 + more for total in totals):
        published = float(sum(quota.areas.values(), Fraction(0)))
        wrong.append(f"the country is {rows}, published {published:g}")
    return Check(table, f"quota: {what}", not wrong, "; ".join(wrong[:SAMPLES]), "quotas")
