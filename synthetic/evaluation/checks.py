"""What the rows of a replica must show: codes, missing values, structure, published totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import duckdb

from synthetic.errors import SyntheticError
from synthetic.evaluation.fidelity import (
    CLUSTERED,
    Comparison,
    columns_of,
    comparisons,
    count,
    expected,
    measure,
    restricted,
    within,
)
from synthetic.evaluation.sql import quote, render_over, text, view
from synthetic.generation.compositions import RELATIONS
from synthetic.spec.check import codes_of
from synthetic.spec.expressions import names, parse
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Spec, TableSpec
from synthetic.spec.scope import Scope
from synthetic.tables.manifest import Manifest

_SAMPLES = 3  # examples named in a message


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    table: str
    what: str
    ok: bool
    detail: str = ""


def one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The only number that a query gives."""
    # All rows are fetched: a result that is half read blocks the connection.
    ((value,),) = connection.execute(query).fetchall()
    return int(value or 0)


def check_columns(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[Check]:
    """Codes are codes of their list; values are missing where the spec says so, and only there."""
    table, rows = scope.name, view(scope.dataset, scope.name)
    columns = scope.table.columns
    for name, column in columns.items():
        if column.hidden:
            continue
        codes = codes_of(column)
        if codes is not None:
            listed = ", ".join(text(code) for code in codes)
            strange = one(
                connection, f"SELECT count(*) FROM {rows} WHERE {quote(name)} NOT IN ({listed})"
            )
            detail = f"{strange} are none" if strange else ""
            yield Check(table, f"{name} holds codes of its list", not strange, detail)
        yield from _check_presence(connection, rows, scope, name)


def _check_presence(
    connection: duckdb.DuckDBPyConnection, rows: str, scope: Scope, name: str
) -> Iterator[Check]:
    """A value stands where `only_if` holds, and nowhere else; chance may take some away."""
    columns = scope.table.columns
    column, present = columns[name], "true"
    if column.only_if is None and scope.may_lack(name):
        return
    if column.only_if is not None:
        if any(columns[path[0]].hidden for path in names(parse(column.only_if))):
            return
        present = f"coalesce({render_over(column.only_if, columns, scope.spec.as_of)}, false)"
    taken = column.missing is not None or (column.link is not None and column.link.may_be_missing)
    there = f"({quote(name)} IS NOT NULL)"
    wrong = one(
        connection,
        f"SELECT count(*) FROM {rows} WHERE {there} {'>' if taken else '<>'} ({present})",
    )
    detail = f"wrong in {wrong} rows" if wrong else ""
    yield Check(scope.name, f"{name} is there where it should be", not wrong, detail)


def check_rows(
    connection: duckdb.DuckDBPyConnection,
    specs: Mapping[str, Spec],
    dataset: str,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """What the structure of the rows promises: members make up their groups, units their size."""
    spec = specs[dataset].tables[table]
    if spec.rows.members_of is not None:
        yield from _check_members(connection, specs[dataset], table)
    if spec.rows.matching is not None:
        other, _, units = spec.rows.matching.units.partition(".")
        key = _taking(spec, f"unit.{specs[other].tables[units].key[0]}")
        if key is not None and other in replicas:
            capacity = quote(spec.rows.matching.capacity)
            target = quote(specs[other].tables[units].key[0])
            over = one(
                connection,
                f"SELECT count(*) FROM (SELECT {quote(key)} AS k, count(*) AS n FROM "
                f"{view(dataset, table)} GROUP BY 1) m JOIN {view(other, units)} u "
                f"ON u.{target} = m.k WHERE n > u.{capacity}",
            )
            detail = f"{over} hold more" if over else ""
            yield Check(table, "no unit holds more than its capacity", not over, detail)


def _check_members(
    connection: duckdb.DuckDBPyConnection, spec: Spec, table: str
) -> Iterator[Check]:
    members = spec.tables[table]
    number, relation = _taking(members, "number"), _taking(members, "relation")
    rows = view(spec.dataset, table)
    if number is not None and relation is not None:
        heads = one(
            connection,
            f"SELECT count(*) FROM (SELECT 1 FROM {rows} GROUP BY {quote(number)} "
            f"HAVING count(*) FILTER ({quote(relation)} = {text(RELATIONS[0])}) <> 1)",
        )
        detail = f"not in {heads} groups" if heads else ""
        yield Check(table, "every group has one head", not heads, detail)
    for other, groups in spec.tables.items():
        if groups.rows.groups_of != members.rows.members_of:
            continue
        key, size = _taking(groups, "number"), _taking(groups, "size")
        if number is not None and key is not None and size is not None:
            wrong = one(
                connection,
                f"SELECT count(*) FROM {view(spec.dataset, other)} g LEFT JOIN (SELECT "
                f"{quote(number)} AS k, count(*) AS n FROM {rows} GROUP BY 1) m "
                f"ON m.k = g.{quote(key)} WHERE coalesce(m.n, 0) <> g.{quote(size)}",
            )
            detail = f"not in {wrong} groups" if wrong else ""
            yield Check(table, f"members make up the size of {other}", not wrong, detail)


def _taking(table: TableSpec, path: str) -> str | None:
    """The written column that takes this field."""
    found = (n for n, c in table.columns.items() if c.take == path and not c.hidden)
    return next(found, None)


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
    entries = comparisons(spec.tables[table], margins)
    gaps = _contradictions([entry.margin for entry in entries if entry.quota])
    for entry in entries:
        counts = count(connection, spec, table, entry.by)
        what = " x ".join(columns_of(entry)) + f" against {entry.margin.table}"
        try:
            if entry.quota and exact:
                yield _check_quota(table, what, entry, counts, recipe["scale"], areas, gaps)
            cells = expected(entry, counts, areas)
            found = measure(counts, cells, entry.margin, columns_of(entry))
        except SyntheticError as error:
            yield Check(table, what, False, str(error))
            continue
        told = f"total variation {found.distance:.2g}; sampling alone {found.sampling:.2g}"
        yield Check(table, what, found.near, told)
        if "area" in entry.margin.axes and len(entry.by) > 1:
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
        here = within(counts, at, area)
        wanted = within(cells, at, area)
        found = measure(here, wanted, entry.margin, ())
        # A quota's cells are each a row or less away, as its own check tells; of few rows that is
        # more than chance would be.
        rounding = (len(wanted) + 1) / (2 * max(sum(here.values()), 1))
        if entry.quota and exact and found.distance <= rounding:
            continue
        if not found.within(clustered):
            wrong.append(f"{area}: {found.distance:.2g} against {found.sampling:.2g}")
    return Check(table, f"{what}, within every area", not wrong, "; ".join(wrong[:_SAMPLES]))


def _contradictions(margins: list[Margin]) -> dict[str, Fraction]:
    """By how much published tables disagree on an area's total."""
    totals: dict[str, list[Fraction]] = {}
    for margin in margins:
        for (area,), value in margin.over("area").cells.items():
            totals.setdefault(area, []).append(value)
    return {area: max(values) - min(values) for area, values in totals.items()}


def _check_quota(
    table: str,
    what: str,
    entry: Comparison,
    counts: Mapping[Cell, int],
    scale: str,
    areas: set[str] | None,
    gaps: Mapping[str, Fraction],
) -> Check:
    """Every cell is its published figure x scale, rounded down or up.

    Where published tables contradict each other on an area's total, by that gap more.
    """
    at = list(entry.by).index("area")
    wrong = [
        f"{' x '.join(cell)} is {counts.get(cell, 0)}, published {float(value * Fraction(scale)):g}"
        for cell, value in restricted(entry.margin, areas).items()
        if abs(counts.get(cell, 0) - value * Fraction(scale))
        >= 1 + gaps.get(cell[at], Fraction(0)) * Fraction(scale)
    ]
    return Check(table, f"quota: {what}", not wrong, "; ".join(wrong[:_SAMPLES]))
