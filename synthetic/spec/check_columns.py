"""What one column of a spec must tell together with the columns and margins around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from synthetic.errors import SpecError
from synthetic.spec.check_assume import check_assume, check_by_code
from synthetic.spec.check_links import check_alike, check_link, check_reference
from synthetic.spec.expressions import Call, Literal, Name, Node, Type, check, names, parse
from synthetic.spec.kinds import AREA_CODE, PARTS, SEXES
from synthetic.spec.margins import Margin
from synthetic.spec.models import ColumnSpec
from synthetic.spec.scope import MEMBER, Codes, Scope, check_known, codes_of

_SIMULATED = {"size", "relation", "marital"}  # fields that no table gives
# Fields that, with the group's number, give every draw a number of its own.
_PER = ("number", "position", "line", "sex", "relation", "marital")


def check_column(scope: Scope, column: ColumnSpec) -> None:
    """Refuse a column that does not fit its table."""
    codes = codes_of(column)
    if column.references is not None:
        check_reference(scope, column, column.references)
    for key in sorted(column.named()):
        check_known(key, scope.table.columns, "column")
    if column.missing is not None and isinstance(column.missing.share, dict):
        check_by_code(scope, column, column.missing.given, column.missing.share, "missing.share")
    if not column.stored and column.derive is not None:
        check_at_hand(scope, column.derive)
    if column.only_if is not None:
        check(column.only_if, scope.types(), Type.BOOLEAN)
    if column.per is not None:
        per = _PER if scope.table.rows.members_of else ("number",)
        check_known(column.per, {field: MEMBER[field] for field in per}, "field for 'per'")
    for source, examine in _EXAMINERS.items():
        if getattr(column, source) is not None:
            examine(scope, column, codes)


def check_at_hand(scope: Scope, text: str) -> None:
    """Refuse a column that no file holds and that its table's files cannot give."""
    for name in sorted({path[0] for path in names(parse(text))}):
        column = scope.table.columns.get(name)
        if column is not None and (column.hidden or not column.stored):
            raise SpecError(
                f"stored = false, but {name!r} is hidden or not stored itself; show and store it"
            )


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


def check_codes(found: set[str], codes: Codes, what: str) -> None:
    odd = sorted(found - set(codes or found))
    if odd:
        raise SpecError(f"{what} no codes of this column: {odd[:3]}; add them to its codes")


def _check_take(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    take, fields = str(column.take), scope.fields()
    check_known(take, fields, "field")
    if fields[take] is not column.expression_type:
        raise SpecError(f"field {take!r} is {fields[take].value}")
    if take in _SIMULATED and column.because is None:
        raise SpecError(f"no published table gives {take!r}; say why in 'because'")
    if take == "area":
        check_codes(set(scope.areas() or ()), codes, "the published areas have")
    elif take in scope.axes():
        check_codes(set(scope.axes()[take]), codes, f"the margin's axis {take!r} has")
    parent, _, name = take.partition(".")
    if name:
        theirs = scope.parents()[parent].table.columns[name]
        check_alike(column, theirs, "takes")
        _check_stays(scope, column, parent, theirs)
        known = codes_of(theirs)
        check_codes(set(known or ()), codes, f"{take!r} has")


def _check_stays(scope: Scope, column: ColumnSpec, parent: str, theirs: ColumnSpec) -> None:
    """A key that was taken leads as far as the one it was taken from, or by which it was reached."""
    via = scope.table.columns.get(parent)
    far = theirs.leaves_area or (via is not None and via.leaves_area)
    if column.references is None or column.leaves_area or not far:
        return
    if scope.of(column.references.rpartition(".")[0]).areas() != ():
        raise SpecError(
            "the key that is taken may lead to another area; say so: leaves_area = true"
        )


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
    check_codes(set(_results(tree)), codes, "'derive' gives what are")


def _results(tree: Node) -> Iterator[str]:
    """The written texts that an expression may give."""
    if isinstance(tree, Literal) and isinstance(tree.value, str):
        yield tree.value
    elif isinstance(tree, Call) and tree.op == "if":
        for branch in tree.args[1:]:
            yield from _results(branch)


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


def _check_model(scope: Scope, column: ColumnSpec, codes: Codes) -> None:
    del codes  # what the model's file tells is looked at where it is opened
    model = scope.table.model
    if model is None:
        raise SpecError(f"the table has no model; add [tables.{scope.name}.model] with its file")
    if column.model in model.given:
        raise SpecError(
            f"{column.model!r} is given by column {model.given[column.model]!r}; take that one"
        )


_EXAMINERS: Mapping[str, Callable[[Scope, ColumnSpec, Codes], None]] = {
    "take": _check_take,
    "follows": _check_follows,
    "derive": _check_derive,
    "assume": check_assume,
    "identifier": _check_identifier,
    "link": check_link,
    "model": _check_model,
}
