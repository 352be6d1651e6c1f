"""What a key must tell together with the table that it leads to, and how its row is chosen."""

from __future__ import annotations

from synthetic.errors import SpecError
from synthetic.spec.expressions import Type, check
from synthetic.spec.models import ColumnSpec, Link
from synthetic.spec.scope import Codes, Scope, check_known, codes_of


def check_reference(scope: Scope, column: ColumnSpec, path: str) -> None:
    """Refuse columns that are no key of the table that they refer to."""
    table, _, name = path.rpartition(".")
    target = scope.of(table)
    check_known(name, target.table.columns, "column")
    if target.table.columns[name].hidden:
        raise SpecError(f"references = {path!r} is hidden; a key must be written")
    parts = (name, *column.references_with)
    if set(target.table.key) != set(parts):
        raise SpecError(
            f"references = {path!r} is not the key of its table; its key is "
            f"{', '.join(target.table.key)}: name its other columns in references_with = "
            "{ theirs = 'ours' }"
        )
    check_alike(column, target.table.columns[name], "refers to")
    for theirs, ours in column.references_with.items():
        check_known(ours, scope.table.columns, "column")
        if scope.table.columns[ours].hidden:
            raise SpecError(f"references_with names {ours!r}, which is hidden")
        check_alike(scope.table.columns[ours], target.table.columns[theirs], "refers to")


def check_alike(column: ColumnSpec, other: ColumnSpec, verb: str) -> None:
    """Refuse two columns of one meaning whose values are held otherwise."""
    if verb == "takes" and {column.type, other.type} == {"code", "text"}:
        return
    if column.type != other.type:
        raise SpecError(f"type {column.type!r} {verb} a column of type {other.type!r}")
    if column.places != other.places:
        raise SpecError(f"places = {column.places} {verb} a column with places = {other.places}")


def check_link(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    """Refuse a link that finds no rows, or rows of another kind."""
    del codes
    link = column.link
    assert link is not None
    if column.references is None or column.because is None:
        raise SpecError("a link needs 'references' and, as no table tells who, 'because'")
    target = scope.linked(link)
    if column.references.rpartition(".")[0] != f"{target.dataset}.{target.name}":
        raise SpecError(
            f"references = {column.references!r} must be a column of the table that the link "
            f"leads to, {target.dataset}.{target.name}"
        )
    if link.where is not None:
        check(link.where, target.types(), Type.BOOLEAN)
    if link.members is not None:
        rows = target.table.rows
        if rows.members_of is None and rows.children is None and rows.matching is None:
            raise SpecError(f"{link.members!r} has rows of units; name it in 'units'")
    if link.same:
        _check_same_member(scope, target)
    if link.units is not None:
        _check_unit_link(scope, target, link)
    if link.by is not None:
        _check_by(scope, link.by)
    if link.area is not None:
        check(link.area, scope.types(), Type.TEXT)
        scope.check_all_there(link.area, "a link needs it in every row")
    if link.may_leave_area and not column.leaves_area:
        raise SpecError("this link may lead to another area; say so: leaves_area = true")
    if link.within is not None:
        _check_within(scope, target, link.within)
    elif not link.own:
        _check_link_areas(scope, target, link)


def _check_within(scope: Scope, target: Scope, within: str) -> None:
    parents = scope.parents()
    if within != "group":
        check_known(within, parents, "key or parent for 'within'")
    below = scope.root() if within == "group" else parents[within].root()
    if below != target.root():
        raise SpecError(
            f"within = {within!r}: {target.dataset}.{target.name} has its rows below "
            f"{'.'.join(target.root())}, not below {'.'.join(below)}"
        )


def _check_by(scope: Scope, by: str) -> None:
    if scope.table.rows.children is None:
        raise SpecError("'by' is for rows of children alone: those of one parent meet the same row")
    check_known(by, scope.table.columns, "column")
    if scope.types()[by] is not Type.INTEGER:
        raise SpecError(f"by = {by!r} must be of type 'integer'")
    scope.check_there(by, "'by' needs it in every row")


def _check_same_member(scope: Scope, target: Scope) -> None:
    matching = target.table.rows.matching
    if matching is None:
        raise SpecError(
            f"same = true needs a table that matches members to units; {target.name!r} does not"
        )
    above: Scope | None = scope
    while above is not None and f"{above.dataset}.{above.name}" != matching.members:
        rows = above.table.rows
        path = rows.children.of if rows.children else rows.matching and rows.matching.members
        above = above.earlier(path) if path else None
    if above is None:
        raise SpecError(f"same = true needs rows below those of {matching.members}")


def _check_unit_link(scope: Scope, target: Scope, link: Link) -> None:
    rows = target.table.rows
    if rows.units is None and rows.groups_of is None and rows.cells is None:
        raise SpecError(
            f"{link.units!r} must have rows of units, groups or cells; else use 'members'"
        )
    if link.once and (scope.table.rows.units is None and scope.table.rows.groups_of is None):
        raise SpecError("once = true is for rows of units or groups alone")
    if link.weight is not None:
        check_known(link.weight, target.table.columns, "column")
        if target.types()[link.weight] is not Type.INTEGER:
            raise SpecError(f"weight = {link.weight!r} must be of type 'integer'")
        target.check_there(link.weight, "a weight is needed in every row")
    for theirs, ours in link.match.items():
        check_known(theirs, target.table.columns, "column")
        check_known(ours, scope.table.columns, "column")
        if codes_of(target.table.columns[theirs]) is None:
            raise SpecError(f"match: {theirs!r} must be of type 'code'")
        if scope.types()[ours] is not Type.TEXT:
            raise SpecError(f"match: {ours!r} is {scope.types()[ours].value}; text is needed")
        target.check_there(theirs, "a match needs it in every row")
        scope.check_there(ours, "a match needs it in every row")


def _check_link_areas(scope: Scope, target: Scope, link: Link) -> None:
    areas, others = scope.areas(), target.areas()
    if areas is None or others is None:
        return
    if not areas and link.area is None and not link.elsewhere:
        raise SpecError("these rows have no area; say where to choose with 'area'")
    odd = sorted(set(areas) - set(others))
    if odd and not link.may_leave_area:
        raise SpecError(f"{target.dataset}.{target.name} has no rows in the areas {odd[:3]}")
