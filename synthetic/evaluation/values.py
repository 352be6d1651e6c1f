"""What the values of a column must show: codes of its list, presence, missing shares, dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb

from synthetic.evaluation.chance import unlikely
from synthetic.evaluation.checks import SAMPLES, Check, Kind, one
from synthetic.evaluation.sql import render_over, seen, text, view
from synthetic.spec.expressions import names, parse
from synthetic.spec.models import Day, Missing, by_code, key_of
from synthetic.spec.scope import Scope, codes_of
from synthetic.tables.forms import quote


@dataclass(frozen=True)
class _Fault:
    """What no row may show."""

    what: str
    kind: Kind
    where: str  # as SQL
    told: str  # with the number of rows in it


def check_columns(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[Check]:
    """Codes are codes of their list; values are missing where and as often as the spec says."""
    rows = view(scope.dataset, scope.name)
    written = [name for name, column in scope.table.columns.items() if not column.hidden]
    for name in written:
        for find in (_strange_code, _absence, _broken_formula, _outside):
            for fault in find(scope, name):
                yield _counted_fault(connection, rows, scope.name, fault)
        yield from _check_share(connection, rows, scope, name)


def _counted_fault(
    connection: duckdb.DuckDBPyConnection, rows: str, table: str, fault: _Fault
) -> Check:
    """Count the rows of one fault."""
    try:
        n = one(connection, f"SELECT count(*) FROM {rows} WHERE {fault.where}")
    except duckdb.Error as error:  # a number too large, a date that is none
        return Check(table, fault.what, False, str(error).partition("\n")[0], fault.kind)
    return Check(table, fault.what, not n, fault.told.format(n) if n else "", fault.kind)


def _strange_code(scope: Scope, name: str) -> Iterator[_Fault]:
    codes = codes_of(scope.table.columns[name])
    if codes is not None:
        # A join: a list of thousands of communes would be gone through for every row.
        listed = ", ".join(text(code) for code in codes)
        where = f"{quote(name)} NOT IN (SELECT unnest([{listed}]))"
        yield _Fault(f"{name} holds codes of its list", "codes", where, "{} are none")


def _is_written(scope: Scope, *expressions: str) -> bool:
    """Whether expressions speak of written columns alone, so that the files can tell them."""
    named = {path for expression in expressions for path in names(parse(expression))}
    return not any(scope.table.columns[path[0]].hidden for path in named)


def _present(scope: Scope, name: str) -> str | None:
    """The condition of `only_if` as SQL; None where it speaks of a column that is not written."""
    condition = scope.table.columns[name].only_if
    if condition is None:
        return "true"
    if not _is_written(scope, condition):
        return None
    return f"coalesce({render_over(condition, scope.table.columns, scope.spec.as_of)}, false)"


def _absence(scope: Scope, name: str) -> Iterator[_Fault]:
    """A value stands where `only_if` holds, and nowhere else; chance may take some away."""
    column, present = scope.table.columns[name], _present(scope, name)
    if present is None or (column.only_if is None and scope.may_lack(name)):
        return
    differ = ">" if scope.may_lack(name) else "<>"
    where = f"({quote(name)} IS NOT NULL) {differ} ({present})"
    yield _Fault(f"{name} is there where it should be", "presence", where, "wrong in {} rows")


def _broken_formula(scope: Scope, name: str) -> Iterator[_Fault]:
    """A derived value is what its formula gives, and missing where the formula gives none."""
    column, present = scope.table.columns[name], _present(scope, name)
    if column.derive is None or present is None or not _is_written(scope, column.derive):
        return
    made = render_over(column.derive, scope.table.columns, scope.spec.as_of)
    given = "" if column.missing is None else f"{quote(name)} IS NOT NULL AND "
    where = (
        f"{given}{seen(quote(name), column)} IS DISTINCT FROM CASE WHEN {present} THEN {made} END"
    )
    yield _Fault(f"{name} is what its formula gives", "formulas", where, "not in {} rows")


def _outside(scope: Scope, name: str) -> Iterator[_Fault]:
    """A drawn day lies between the days that it is drawn from, so that events keep their order."""
    assume = scope.table.columns[name].assume
    if assume is None:
        return
    if assume.day is not None and _is_written(scope, assume.day.from_, assume.day.to):
        first, last = _days(scope, assume.day)
        where = f"CAST({quote(name)} AS DATE) NOT BETWEEN {first} AND {last}"
        what = f"{name} lies from {assume.day.from_} to {assume.day.to}"
    elif assume.date_in_year is not None and _is_written(scope, assume.date_in_year):
        year = render_over(assume.date_in_year, scope.table.columns, scope.spec.as_of)
        where, what = f"year({quote(name)}) <> {year}", f"{name} lies in {assume.date_in_year}"
    else:
        return
    yield _Fault(what, "dates", where, "not in {} rows")


def _days(scope: Scope, day: Day) -> tuple[str, str]:
    first, last = (
        f"CAST({render_over(end, scope.table.columns, scope.spec.as_of)} AS DATE)"
        for end in (day.from_, day.to)
    )
    return first, last


def _check_share(
    connection: duckdb.DuckDBPyConnection, rows: str, scope: Scope, name: str
) -> Iterator[Check]:
    """As many values are missing as the spec states, in all and for each entry by code.

    Each row lacks its value by a draw of its own, so the number is binomial; the tolerance is that
    of `synthetic.evaluation.chance`, and a share of 0 or 1 leaves none. Rows that have no value
    for another reason (`only_if`, a formula without a result) are not among those that count.
    """
    missing, could = scope.table.columns[name].missing, _could_have_one(scope, name)
    if missing is None or could is None:
        return
    told, wrong = [], []
    for entry, n, lacking in _counted(connection, rows, scope, name, could):
        low, high = _stated(scope, missing)[entry]
        share = f"{100 * low:g} %" if low == high else f"{100 * low:g} to {100 * high:g} %"
        told.append(f"{lacking} of {n} rows{f' with {entry}' if entry else ''}, stated {share}")
        if unlikely(lacking, n, low, high):
            wrong.append(told[-1])
    detail = "; ".join((wrong or told)[:SAMPLES])
    yield Check(scope.name, f"{name} is missing as often as stated", not wrong, detail, "missing")


def _stated(scope: Scope, missing: Missing) -> dict[str, tuple[float, float]]:
    """The share, from and to, of each entry by code; one range where codes are not written."""
    shares = {entry: float(share) for entry, share in by_code(missing.share).items()}
    if any(scope.table.columns[other].hidden for other in missing.given):
        return {"": (min(shares.values()), max(shares.values()))}
    return {entry: (share, share) for entry, share in shares.items()}


def _counted(
    connection: duckdb.DuckDBPyConnection, rows: str, scope: Scope, name: str, could: str
) -> list[tuple[str, int, int]]:
    """By entry of the stated shares: the rows that could have a value, and those that have none."""
    columns = scope.table.columns
    missing = columns[name].missing
    assert missing is not None
    stated = _stated(scope, missing)
    given = missing.given if set(stated) != {""} else ()
    codes = [f"coalesce(CAST({seen(quote(path), columns[path])} AS VARCHAR), '')" for path in given]
    counted = connection.execute(
        f"SELECT {', '.join([*codes, 'count(*)'])}, count(*) - count({quote(name)}) "
        f"FROM {rows} WHERE {could} GROUP BY ALL"
    ).fetchall()
    found: dict[str, tuple[int, int]] = {}
    for *held, n, lacking in counted:
        entry = key_of(held, stated)
        if entry is not None:
            before = found.get(entry, (0, 0))
            found[entry] = before[0] + int(n), before[1] + int(lacking)
    return [(entry, *numbers) for entry, numbers in found.items()]


def _could_have_one(scope: Scope, name: str) -> str | None:
    """The rows that chance alone may leave without a value, as SQL; None where files cannot tell."""
    column, present = scope.table.columns[name], _present(scope, name)
    if column.missing is None or present is None:
        return None
    if not _lacks_without_chance(scope, name):
        return present
    if column.derive is None or not _is_written(scope, column.derive):
        return None
    made = render_over(column.derive, scope.table.columns, scope.spec.as_of)
    return f"{present} AND ({made}) IS NOT NULL"


def _lacks_without_chance(scope: Scope, name: str) -> bool:
    """Whether a column's source may itself have no value."""
    columns = dict(scope.table.columns)
    columns[name] = columns[name].model_copy(update={"missing": None})
    table = scope.table.model_copy(update={"columns": columns})
    tables = {**scope.spec.tables, scope.name: table}
    spec = scope.spec.model_copy(update={"tables": tables})
    bare = replace(scope, specs={**scope.specs, scope.dataset: spec}, known={})
    return bare.may_lack(name)
