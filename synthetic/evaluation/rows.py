"""What the rows of a table must show by their structure: members, groups, and places in units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from synthetic.evaluation.chance import unlikely
from synthetic.evaluation.checks import SAMPLES, Check, one
from synthetic.evaluation.sql import render_over, text, view
from synthetic.generation.compositions import RELATIONS
from synthetic.spec.expressions import names, parse
from synthetic.spec.models import MatchingRows, Spec, TableSpec
from synthetic.tables.forms import quote
from synthetic.tables.manifest import Manifest


def check_rows(
    connection: duckdb.DuckDBPyConnection,
    specs: Mapping[str, Spec],
    dataset: str,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """What the structure of the rows promises: members make up their groups, units their size."""
    rows = specs[dataset].tables[table].rows
    if rows.members_of is not None:
        yield from _check_members(connection, specs[dataset], table)
    if rows.matching is not None:
        places = _places(specs, dataset, table, rows.matching)
        if places is not None and places.units.partition(".")[0] in replicas:
            yield _check_capacity(connection, places)
            if places.members.partition(".")[0] in replicas:
                yield from _check_filled(connection, specs, places)


def taking(table: TableSpec, path: str) -> str | None:
    """The written column that takes this field."""
    found = (n for n, c in table.columns.items() if c.take == path and not c.hidden)
    return next(found, None)


def _check_members(
    connection: duckdb.DuckDBPyConnection, spec: Spec, table: str
) -> Iterator[Check]:
    members = spec.tables[table]
    number, relation = taking(members, "number"), taking(members, "relation")
    rows = view(spec.dataset, table)
    if number is not None and relation is not None:
        heads = one(
            connection,
            f"SELECT count(*) FROM (SELECT 1 FROM {rows} GROUP BY {quote(number)} "
            f"HAVING count(*) FILTER ({quote(relation)} = {text(RELATIONS[0])}) <> 1)",
        )
        detail = f"not in {heads} groups" if heads else ""
        yield Check(table, "every group has one head", not heads, detail, "structure")
    for other, groups in spec.tables.items():
        if groups.rows.groups_of != members.rows.members_of:
            continue
        key, size = taking(groups, "number"), taking(groups, "size")
        if number is not None and key is not None and size is not None:
            wrong = one(
                connection,
                f"SELECT count(*) FROM {view(spec.dataset, other)} g LEFT JOIN (SELECT "
                f"{quote(number)} AS k, count(*) AS n FROM {rows} GROUP BY 1) m "
                f"ON m.k = g.{quote(key)} WHERE coalesce(m.n, 0) <> g.{quote(size)}",
            )
            detail = f"not in {wrong} groups" if wrong else ""
            what = f"members make up the size of {other}"
            yield Check(table, what, not wrong, detail, "structure")


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Members who were given places in units, and the columns that tell it."""

    name: str
    table: str  # quoted, as all SQL here
    unit: str  # the column that leads to the unit
    units: str
    unit_key: str
    capacity: str
    members: str
    spec: MatchingRows


def _places(
    specs: Mapping[str, Spec], dataset: str, table: str, matching: MatchingRows
) -> _Places | None:
    own = specs[dataset].tables[table]
    other, _, units = matching.units.partition(".")
    target = specs[other].tables[units].key[0]
    unit = taking(own, f"unit.{target}")
    if unit is None or specs[other].tables[units].columns[matching.capacity].hidden:
        return None
    return _Places(
        name=table,
        table=view(dataset, table),
        unit=quote(unit),
        units=matching.units,
        unit_key=quote(target),
        capacity=quote(matching.capacity),
        members=matching.members,
        spec=matching,
    )


def _check_capacity(connection: duckdb.DuckDBPyConnection, places: _Places) -> Check:
    over = one(
        connection,
        f"SELECT count(*) FROM (SELECT {places.unit} AS k, count(*) AS n FROM "
        f"{places.table} GROUP BY 1) m JOIN {view(*places.units.split('.'))} u "
        f"ON u.{places.unit_key} = m.k WHERE n > u.{places.capacity}",
    )
    detail = f"{over} hold more" if over else ""
    return Check(places.name, "no unit holds more than its capacity", not over, detail, "structure")


def _check_filled(
    connection: duckdb.DuckDBPyConnection, specs: Mapping[str, Spec], places: _Places
) -> Iterator[Check]:
    """Every area's places are as full as chance gives.

    Every group of an area holds `per_group` tickets, and those of its members for whom `where`
    holds use theirs up. The area's places are tickets drawn without replacement: each is filled
    with the part of tickets used, give or take the tolerance of `synthetic.evaluation.chance`.
    """
    (dataset, members), (other, units) = places.members.split("."), places.units.split(".")
    people, offices = specs[dataset].tables[members], specs[other].tables[units]
    group = taking(people, "number")
    asked = {path[0] for path in names(parse(places.spec.where))}
    if group is None or people.area is None or offices.area is None:
        return
    if any(people.columns[column].hidden for column in asked):
        return
    where = render_over(places.spec.where, people.columns, specs[dataset].as_of)
    each = places.spec.per_group
    rows = connection.execute(f"""
        WITH held AS (
            SELECT {quote(people.area)} AS area, {quote(group)} AS g,
                least(count(*) FILTER ({where}), {each}) AS used
            FROM {view(dataset, members)} GROUP BY ALL
        ),
        tickets AS (SELECT area, {each} * count(*) AS n, sum(used) AS used FROM held GROUP BY 1),
        seats AS (
            SELECT {quote(offices.area)} AS area, sum({places.capacity}) AS n
            FROM {view(other, units)} GROUP BY 1
        ),
        taken AS (
            SELECT u.{quote(offices.area)} AS area, count(*) AS n
            FROM {places.table} r JOIN {view(other, units)} u ON u.{places.unit_key} = r.{places.unit}
            GROUP BY 1
        )
        SELECT area, coalesce(taken.n, 0), least(seats.n, tickets.n), used / tickets.n
        FROM tickets JOIN seats USING (area) LEFT JOIN taken USING (area) ORDER BY area
    """).fetchall()
    wrong = [
        f"{area}: {taken} of {seats}, {100 * share:.3g} % expected"
        for area, taken, seats, share in rows
        if unlikely(int(taken), int(seats), float(share))
    ]
    filled, seats = (int(sum(row[i] for row in rows)) for i in (1, 2))
    expected = sum(float(row[2]) * float(row[3]) for row in rows) / max(seats, 1)
    told = f"{filled} of {seats} places, {100 * expected:.3g} % expected"
    detail = "; ".join(wrong[:SAMPLES]) or told
    yield Check(places.name, "places are as full as chance gives", not wrong, detail, "structure")
