"""What one column of a spec must tell together with the columns and margins around it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from synthetic.errors import SpecError
from synthetic.spec.expressions import Call, Literal, Name, Node, Type, check
from synthetic.spec.kinds import AREA_CODE, PARTS, SEXES
from synthetic.spec.margins import Margin
from synthetic.spec.models import ANY, ColumnSpec, Link, key_of
from synthetic.spec.scope import MEMBER, Scope, check_known, codes_of

Codes = tuple[str, ...] | None
_OTHER = ("\0",)  # stands for the values of a column without codes

_SIMULATED = {"size", "relation", "marital"}  # fields that no table gives
# Fields that, with the group's number, give every draw a number of its own.
_PER = ("number", "position", "line", "sex", "relation", "marital")


def check_column(scope: Scope, column: ColumnSpec) -> None:
    """Refuse a column that does not fit its table."""
    codes = codes_of(column)
    if column.references is not None:
        _check_reference(scope, column, column.references)
    for key in sorted(column.named()):
        check_known(key, scope.table.columns, "column")
    if column.missing is not None and isinstance(column.missing.share, dict):
        _check_by_code(scope, column, column.missing.given, column.missing.share, "missing.share")
    if column.only_if is not None:
        check(column.only_if, scope.types(), Type.BOOLEAN)
    if column.per is not None:
        per = _PER if scope.table.rows.members_of else ("number",)
        check_known(column.per, {field: MEMBER[field] for field in per}, "field for 'per'")
    for source, examine in _EXAMINERS.items():
        if getattr(column, source) is not None:
            examine(scope, column, codes)


def check_members(scope: Scope, table: str, where: str | None) -> Scope:
    """Return the table of members that a link or a matching asks for."""
    members = scope.earlier(table)
    if members.table.rows.members_of is None:
        raise SpecError(f"{table!r} must have rows = {{ members_of = … }}")
    if where is not None:
        check(where, members.types(), Type.BOOLEAN)
    return members


def check_sums(margin: Margin, *axes: str) -> None:
    """Refuse a margin that gives nothing to draw from, for some categories of these axes."""
    sums = margin.over(*axes).cells
    for context in product(*(margin.categories[axis] for axis in axes)):
        if not sums.get(context):
            where = f" for {' x '.join(context)}" if context else ""
            raise SpecError(f"margin {margin.name!r} adds up to zero{where}; nothing can be drawn")


def _check_codes(found: set[str], codes: Codes, what: str) -> None:
    odd = sorted(found - set(codes or found))
    if odd:
        raise SpecError(f"{what} no codes of this column: {odd[:3]}; add them to its codes")


def _check_reference(scope: Scope, column: ColumnSpec, path: str) -> None:
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
    _check_alike(column, target.table.columns[name], "refers to")
    for theirs, ours in column.references_with.items():
        check_known(ours, scope.table.columns, "column")
        if scope.table.columns[ours].hidden:
            raise SpecError(f"references_with names {ours!r}, which is hidden")
        _check_alike(scope.table.columns[ours], target.table.columns[theirs], "refers to")


def _check_alike(column: ColumnSpec, other: ColumnSpec, verb: str) -> None:
    """Refuse two columns of one meaning whose values are held otherwise."""
    if verb == "takes" and {column.type, other.type} == {"code", "text"}:
        return
    if column.type != other.type:
        raise SpecError(f"type {column.type!r} {verb} a column of type {other.type!r}")
    if column.places != other.places:
        raise SpecError(f"places = {column.places} {verb} a column with places = {other.places}")


def _check_take(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    take, fields = str(column.take), scope.fields()
    check_known(take, fields, "field")
    if fields[take] is not column.expression_type:
        raise SpecError(f"field {take!r} is {fields[take].value}")
    if take in _SIMULATED and column.because is None:
        raise SpecError(f"no published table gives {take!r}; say why in 'because'")
    if take == "area":
        _check_codes(set(scope.areas() or ()), codes, "the published areas have")
    elif take in scope.axes():
        _check_codes(set(scope.axes()[take]), codes, f"the margin's axis {take!r} has")
    parent, _, name = take.partition(".")
    if name:
        _check_alike(column, scope.parents()[parent].table.columns[name], "takes")
        known = codes_of(scope.parents()[parent].table.columns[name])
        _check_codes(set(known or ()), codes, f"{take!r} has")


def _check_follows(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    for key in column.given.values():
        scope.check_there(key, "a draw needs it in every row")
    margin = scope.margin(str(column.follows))
    free = [axis for axis in margin.axes if axis not in column.given]
    strange = [axis for axis in column.given if axis not in margin.axes]
    if len(free) != 1 or strange:
        raise SpecError(
            f"margin {margin.name!r} has the axes {', '.join(margin.axes)}; 'given' must name "
            "all of them but this column's own"
        )
    for given in column.given.values():
        if scope.types()[given] is not Type.TEXT:
            raise SpecError(
                f"column {given!r} is {scope.types()[given].value}; a margin's categories are text"
            )
    if codes is not None and not set(margin.categories[free[0]]) <= set(codes):
        odd = sorted(set(margin.categories[free[0]]) - set(codes))
        raise SpecError(f"margin {margin.name!r} has categories that are no codes: {odd[:3]}")
    if column.expression_type is not Type.TEXT:
        raise SpecError("a column that follows a margin is of type 'code' or 'text'")
    check_sums(margin, *column.given)


def _check_derive(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    tree = check(str(column.derive), scope.types(), column.expression_type)
    _check_codes(set(_results(tree)), codes, "'derive' gives what are")


def _results(tree: Node) -> Iterator[str]:
    """The written texts that an expression may give."""
    if isinstance(tree, Literal) and isinstance(tree.value, str):
        yield tree.value
    elif isinstance(tree, Call) and tree.op == "if":
        for branch in tree.args[1:]:
            yield from _results(branch)


def _check_assume(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    assume = column.assume
    assert assume is not None
    if (assume.words is not None or assume.grammar is not None) and codes is not None:
        raise SpecError("words and grammars give free text; a code column takes assume.shares")
    for kind, needed in _ASSUMED.items():
        if getattr(assume, kind) is not None and column.type not in needed:
            raise SpecError(
                f"assume.{kind} gives {' or '.join(needed)}; the type is {column.type!r}"
            )
    for shares in assume.weights().values():
        _check_shares(column, shares, codes)
    given = tuple(column.given.values())
    for table in assume.tables():
        _check_by_code(scope, column, given, table, "assume")
    if assume.grammar is not None:
        for slot in sorted(assume.grammar.slots() - set(assume.grammar.vocabularies)):
            if scope.types()[slot] is not Type.TEXT:
                raise SpecError(f"slot {{{slot}}} is {scope.types()[slot].value}; text is needed")
            scope.check_there(slot, "a text needs it in every row")
    if assume.date_in_year is not None:
        check(assume.date_in_year, scope.types(), Type.INTEGER)
        scope.check_all_there(assume.date_in_year, "a draw needs it in every row")
    if assume.day is not None:
        check(assume.day.from_, scope.types(), Type.DATE)
        check(assume.day.to, scope.types(), Type.DATE)
    if assume.hour is not None and scope.types()[assume.hour.at] is not Type.DATE:
        raise SpecError(f"hour.at = {assume.hour.at!r} must be a date column")


_ASSUMED = {
    "shares": ("code", "text", "boolean", "integer", "decimal"),
    "words": ("text",),
    "grammar": ("text",),
    "quantiles": ("integer", "decimal"),
    "day": ("date",),
    "date_in_year": ("date",),
    "hour": ("timestamp",),
}
_MOST_COMBINATIONS = 200_000


def _check_shares(column: ColumnSpec, shares: Mapping[str, int], codes: Codes) -> None:
    if codes is not None and not set(shares) <= set(codes):
        odd = sorted(set(shares) - set(codes))
        raise SpecError(f"assume.shares names what is no code: {odd[:3]}; codes: {list(codes)}")
    forms = {"boolean": r"true|false", "integer": r"-?\d{1,15}", "decimal": r"-?\d{1,15}"}
    if column.type in forms:
        odd = sorted(key for key in shares if not re.fullmatch(forms[column.type], key, re.ASCII))
        if odd:
            raise SpecError(f"assume.shares names what is no {column.type}: {odd[:3]}")


def _check_by_code(
    scope: Scope, column: ColumnSpec, given: tuple[str, ...], table: Iterable[str], what: str
) -> None:
    """Refuse a table by code that lacks a combination, or names one that cannot be."""
    known: list[tuple[str, ...]] = []
    for name in given:
        other = scope.table.columns[name]
        codes = ("true", "false") if other.type == "boolean" else codes_of(other)
        lacks = column.only_if is None and scope.may_be_missing(name)
        known.append((*(_OTHER if codes is None else codes), *(("",) if lacks else ())))
    keys = list(table)
    for key in keys:
        if key == ANY:
            continue
        parts = key.split("|")
        if len(parts) != len(given):
            raise SpecError(
                f"{what}: the key {key!r} must join the codes of {', '.join(given)} by |"
            )
        for part, name, codes in zip(parts, given, known, strict=True):
            if part not in ("", ANY, *codes) and codes[0] not in _OTHER:
                raise SpecError(
                    f"{what}: {part!r} is no code of {name!r}; codes: {list(codes)[:20]}"
                )
    if math.prod(map(len, known)) > _MOST_COMBINATIONS and ANY not in keys:
        raise SpecError(f"{what}: too many combinations of {', '.join(given)}; add a key {ANY!r}")
    held = frozenset(keys)
    for combination in product(*known) if ANY not in keys else ():
        if key_of(combination, held) is None:
            if "" in combination:
                scope.check_there(
                    given[combination.index("")],
                    f"{what} has no entry for that: add '*', or a key that says nothing there",
                )
            shown = "|".join("any other" if code in _OTHER else code for code in combination)
            raise SpecError(
                f"{what} must give every code of {', '.join(map(repr, given))}: nothing for "
                f"{shown!r}; add it, or {ANY!r} for all others"
            )


def _check_identifier(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    del codes
    asked = column.identifier
    assert asked is not None
    if column.type != "text":
        raise SpecError("an identifier is of type 'text'")
    check_known(asked.kind, PARTS, "kind of identifier")
    wanted = PARTS[asked.kind]
    if set(asked.parts) != set(wanted):
        raise SpecError(
            f"identifier {asked.kind!r} needs the parts {', '.join(wanted) or 'none'}; found "
            f"{', '.join(asked.parts) or 'none'}"
        )
    for part, text in asked.parts.items():
        tree = check(text, scope.types(), wanted[part])
        scope.check_all_there(text, "an identifier needs it in every row")
        if isinstance(tree, Name):
            _check_part(part, codes_of(scope.table.columns[tree.path[0]]) or ())


def _check_part(part: str, codes: tuple[str, ...]) -> None:
    if part == "area":
        odd, needed = [c for c in codes if not re.fullmatch(AREA_CODE, c)], "codes of two digits"
    elif part == "sex":
        odd, needed = [c for c in codes if c not in SEXES], f"no codes but {', '.join(SEXES)}"
    else:
        return
    if odd:
        raise SpecError(f"part {part!r} needs {needed}; found {odd[:3]}")


def _check_link(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
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


_EXAMINERS: Mapping[str, Callable[[Scope, ColumnSpec, Codes], None]] = {
    "take": _check_take,
    "follows": _check_follows,
    "derive": _check_derive,
    "assume": _check_assume,
    "identifier": _check_identifier,
    "link": _check_link,
}
