"""How near a replica lies to the published tables: quotas to the last unit, shares by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import duckdb

from synthetic.errors import SyntheticError
from synthetic.evaluation.checks import SAMPLES, Check
from synthetic.evaluation.fidelity import (
    CLUSTERED,
    Comparison,
    collapse,
    columns_of,
    comparisons,
    count,
    expected,
    measure,
    restricted,
    within,
)
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Spec
from synthetic.tables.manifest import Manifest


def check_published(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    spec: Spec,
    table: str,
    margins: Mapping[str, Margin],
) -> Iterator[Check]:
    """Quotas to the last unit, and every share as near to the published one as chance allows."""
    recipe = manifest.recipe
    areas = None if recipe["area"] is None else {str(recipe["area"])}
    exact = recipe["margins"] == "exact"
    entries = comparisons(spec.tables[table], margins, one_area=areas is not None)
    quotas = [quota_of(entry, recipe["scale"], areas) for entry in entries if entry.quota]
    for entry in entries:
        counts = count(connection, spec, table, entry.by)
        what = " x ".join(columns_of(entry)) + f" against {entry.margin.table}"
        try:
            if entry.quota and exact:
                yield check_quota(
                    table, what, quota_of(entry, recipe["scale"], areas), counts, quotas
                )
            cells = expected(entry, counts, areas)
            found = measure(counts, cells, entry.margin, columns_of(entry))
        except SyntheticError as error:
            yield Check(table, what, False, str(error), "shares")
            continue
        told = f"total variation {found.distance:.2g}; sampling alone {found.sampling:.2g}"
        # Rows kept at least once in every cell are no sample of the published shares; their quota
        # says all that can be said, and the distance is stated.
        yield Check(table, what, found.near or bool(entry.floor), told, "shares")
        # A quota that is met to the last unit leaves nothing to ask within an area.
        if "area" in entry.margin.axes and len(entry.by) > 1 and not (entry.quota and exact):
            yield _check_areas(table, what, entry, counts, cells, exact=exact)


def _check_areas(
    table: str,
    what: str,
    entry: Comparison,
    counts: Mapping[Cell, int],
    cells: Mapping[Cell, Fraction],
    *,
    exact: bool,
) -> Check:
    """Within every area too: what is wrong in one does not show in the country."""
    at = entry.margin.axes.index("area")
    # Where margins are exact only rounding parts a replica from them; the places of an area are met
    # only as whole households.
    clustered = 1.0 if exact and "place" not in entry.margin.axes else CLUSTERED
    wrong = []
    for area in entry.margin.categories["area"]:
        found = measure(within(counts, at, area), within(cells, at, area), entry.margin, ())
        if not found.within(clustered):
            wrong.append(f"{area}: {found.distance:.2g} against {found.sampling:.2g}")
    return Check(
        table, f"{what}, within every area", not wrong, "; ".join(wrong[:SAMPLES]), "shares"
    )


@dataclass(frozen=True)
class Quota:
    """The rows that a quota asks for, by cell and by area."""

    at: int  # where the area stands in a cell
    cells: Mapping[Cell, Fraction]
    areas: Mapping[Cell, Fraction]
    floor: int
    whole: bool  # the country, and not one area of it


def quota_of(entry: Comparison, scale: str, areas: set[str] | None) -> Quota:
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
