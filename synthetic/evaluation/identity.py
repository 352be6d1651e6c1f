"""What an identifier must show: the mark that no real one has, its parts, and no owner but one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import duckdb
import pyarrow as pa

from synthetic.evaluation.checks import Check, one
from synthetic.evaluation.sql import render_over, text, view
from synthetic.generation.identifiers import NAME_MARK, kind
from synthetic.spec.expressions import names, parse
from synthetic.spec.kinds import PLATE_OWNERS
from synthetic.spec.models import Spec
from synthetic.tables.forms import quote

_BATCH = 100_000
SHARED = ("mobile_number", "enterprise_name")  # two rows may have the same

Wanted = Mapping[str, str]  # part -> the SQL of what the row says of it


def _person(value: str, part: Wanted) -> str:
    """Province, then century and sex, then the last two digits of the year of birth."""
    century = f"(({part['year']} // 100 - 19) * 2 + CAST({part['sex']} = 'female' AS BIGINT))"
    return (
        f"substr({value}, 2, 2) = {part['area']} AND substr({value}, 4, 1) = "
        f"CAST({century} AS VARCHAR) AND substr({value}, 5, 2) = "
        f"format('{{:02d}}', {part['year']} % 100)"
    )


def _plate(value: str, part: Wanted) -> str:
    """Codes of provinces from 07 on are those of enterprises."""
    return (
        f"{part['owner']} = CASE WHEN substr({value}, 2, 1) < '7' "
        f"THEN {text(PLATE_OWNERS[0])} ELSE {text(PLATE_OWNERS[1])} END"
    )


# What the text of each kind must show of its row.
SHOWN: Mapping[str, Callable[[str, Wanted], str]] = {
    "personal_number": _person,
    "deceased_number": _person,
    "tax_code": lambda value, part: f"substr({value}, 1, 2) = {part['area']}",
    "new_tax_code": lambda value, part: f"substr({value}, 1, 2) = {part['area']}",
    "health_card": lambda value, part: (
        f"substr({value}, 3, 3) = CAST({part['level']} AS VARCHAR) || {part['area']}"
    ),
    "account_number": lambda value, part: f"substr({value}, 1, 6) = {part['bank']}",
    "vehicle_plate": _plate,
    "enterprise_name": lambda value, part: f"{value} = {part['name']} || {text(NAME_MARK)}",
}


def check_marks(connection: duckdb.DuckDBPyConnection, spec: Spec, table: str) -> Iterator[Check]:
    """No identifier can be a real one."""
    for name, column in spec.tables[table].columns.items():
        if column.identifier is None or column.hidden:
            continue
        reader = connection.sql(
            f"SELECT {quote(name)} AS v FROM {view(spec.dataset, table)} "
            f"WHERE {quote(name)} IS NOT NULL"
        ).to_arrow_reader(_BATCH)
        unmarked = 0
        for batch in reader:
            texts = batch.column(0).cast(pa.string())
            unmarked += int((~kind(column.identifier.kind).is_marked(texts)).sum())
        detail = f"{unmarked} could be real" if unmarked else ""
        yield Check(table, f"{name} cannot be real", not unmarked, detail, "identifiers")


def check_identity(
    connection: duckdb.DuckDBPyConnection, spec: Spec, table: str
) -> Iterator[Check]:
    """An identifier tells of its row what the row says, and belongs to one row alone."""
    rows, columns = view(spec.dataset, table), spec.tables[table].columns
    for name, column in columns.items():
        if column.identifier is None or column.hidden:
            continue
        told = column.identifier
        if told.kind not in SHARED and (name,) != spec.tables[table].key:  # keys are told apart
            twice = one(
                connection,
                f"SELECT count({quote(name)}) - count(DISTINCT {quote(name)}) FROM {rows}",
            )
            detail = f"{twice} repeated" if twice else ""
            yield Check(table, f"{name} belongs to one row", not twice, detail, "identifiers")
        asked = {path[0] for part in told.parts.values() for path in names(parse(part))}
        if told.kind not in SHOWN or any(columns[path].hidden for path in asked):
            continue
        wanted = {p: render_over(e, columns, spec.as_of) for p, e in told.parts.items()}
        wrong = one(
            connection,
            f"SELECT count(*) FROM {rows} WHERE NOT ({SHOWN[told.kind](quote(name), wanted)})",
        )
        parts = ", ".join(told.parts.values())
        detail = f"not in {wrong} rows" if wrong else ""
        yield Check(table, f"{name} shows {parts}", not wrong, detail, "identifiers")
