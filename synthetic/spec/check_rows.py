"""What the rows of a table must tell together with the margins and tables that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from synthetic.errors import SpecError
from synthetic.spec.check_columns import check_column, check_members, check_sums
from synthetic.spec.expressions import Type, check
from synthetic.spec.margins import Margin
from synthetic.spec.models import ChildRows, Count, MatchingRows, UnitRows
from synthetic.spec.scope import CELL, PLACED, STRUCTURE, Scope, check_known


def check_rows(scope: Scope) -> None:
    """Refuse rows that do not fit what they come from."""
    rows = scope.table.rows
    pool = rows.groups_of or rows.members_of
    if pool is not None:
        check_known(pool, scope.spec.pools, "pool")
    if rows.units is not None:
        _check_units(scope, rows.units)
    if rows.matching is not None:
        _check_matching(scope, rows.matching)
    if rows.children is not None:
        _check_children(scope, rows.children)
    if rows.cells is not None:
        _check_axes(scope, scope.margin(rows.cells.of), rows.cells.spread, CELL)
        if not scope.axes():
            raise SpecError(f"margin {rows.cells.of!r} has no axis")
    if scope.table.model is not None:
        for given in scope.table.model.given.values():
            check_known(given, scope.table.columns, "column")
    for name, column in scope.table.columns.items():
        if column.link is not None and name in STRUCTURE:
            raise SpecError(f"a link cannot be named {name!r}; choose another name")


def _check_axes(
    scope: Scope, margin: Margin, spread: str | None, taken: Mapping[str, Type]
) -> Margin:
    """Refuse axes that hide a field, and areas given twice or not; return the margin of areas."""
    for axis in margin.axes:
        if axis in taken and axis != "area":
            raise SpecError(f"margin {margin.name!r}: an axis cannot be named {axis!r}")
    check_sums(margin)
    if spread is None:
        return margin
    areas = scope.margin(spread)
    if "area" in margin.axes or areas.axes != ("area",):
        raise SpecError(
            f"spread = {spread!r} must have the axis 'area' alone, and {margin.name!r} none"
        )
    check_sums(areas)
    return areas


def _check_units(scope: Scope, rows: UnitRows) -> None:
    per, places = scope.margin(rows.per), scope.margin(rows.places)
    areas = _check_axes(scope, per, rows.spread, PLACED)
    if "area" not in areas.axes:
        raise SpecError(f"margin {per.name!r} has no axis 'area'; share it by 'spread'")
    if places.axes[:2] != ("area", "place") or not set(places.axes[2:]) <= set(per.axes):
        raise SpecError(
            f"margin {places.name!r} must have the axes ['area', 'place'], in this order, and "
            f"none but those of {per.name!r} beside; it has {list(places.axes)}"
        )
    _check_same(
        areas.categories["area"],
        f"margin {areas.name!r}",
        places.categories["area"],
        f"margin {places.name!r}",
    )
    axes = ("area", *places.axes[2:]) if rows.spread is None else ("area",)
    shares = places.over(*axes).cells
    for cell, value in areas.over(*axes).cells.items():
        if value and not shares.get(cell):
            raise SpecError(f"margin {places.name!r} adds up to zero for {' x '.join(cell)}")


def _check_children(scope: Scope, rows: ChildRows) -> None:
    parent = scope.earlier(rows.of)
    if rows.where is not None:
        check(rows.where, parent.types(), Type.BOOLEAN)
    if isinstance(rows.count, str):
        check(rows.count, parent.types(), Type.INTEGER)
    if not isinstance(rows.count, Count):
        return
    # The count is drawn as a column of the parent would be, from margins of this dataset.
    margins = {**parent.margins, parent.dataset: scope.margins[scope.dataset]}
    column = rows.count.column(rows.because)
    check_column(replace(parent, margins=margins), column)
    codes: object = rows.count.assume.shares if rows.count.assume is not None else None
    if rows.count.follows is not None:
        codes = scope.margin(rows.count.follows).categories.get("count")
        if codes is None:
            raise SpecError(f"margin {rows.count.follows!r} has no axis 'count'")
    odd = [code for code in _count_codes(codes) if not re.fullmatch("[0-9]{1,4}", code)]
    if odd:
        raise SpecError(f"a count must be a whole number of at most 4 digits; found {odd[:3]}")


def _check_matching(scope: Scope, rows: MatchingRows) -> None:
    members = check_members(scope, rows.members, rows.where)
    units = scope.earlier(rows.units)
    if units.table.rows.units is None:
        raise SpecError(f"{rows.units!r} must have rows = {{ units = … }}")
    check_known(rows.capacity, units.table.columns, "column")
    if units.types()[rows.capacity] is not Type.INTEGER:
        found = units.types()[rows.capacity].value
        raise SpecError(f"capacity = {rows.capacity!r} is {found}; integer is needed")
    units.check_there(rows.capacity, "a capacity is needed in every row")
    have, want = members.areas(), units.areas()
    if have is not None and want is not None:
        _check_same(have, repr(rows.members), want, repr(rows.units))


def _check_same(areas: tuple[str, ...], what: str, others: tuple[str, ...], other: str) -> None:
    for some, rest, lacking in ((areas, others, other), (others, areas, what)):
        odd = sorted(set(some) - set(rest))
        if odd:
            raise SpecError(
                f"{what} and {other} do not share their areas: {lacking} lacks {odd[:3]}"
            )


def _count_codes(codes: object) -> Iterable[str]:
    """The codes of shares, of shares by code, or of an axis: what a drawn count may be."""
    for code in codes if isinstance(codes, tuple | dict) else ():
        below = codes[code] if isinstance(codes, dict) else None
        yield from below if isinstance(below, dict) else (str(code),)
