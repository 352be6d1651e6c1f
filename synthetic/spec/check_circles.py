"""Columns that hang on one another: in no circle, and in no chain that is too long."""

from __future__ import annotations

from contextlib import suppress

from synthetic.errors import SpecError
from synthetic.spec.expressions import names, parse
from synthetic.spec.models import ColumnSpec
from synthetic.spec.scope import Scope

MAX_CHAIN = 100  # columns of a table, each computed from the one before


def check_chains(scope: Scope) -> None:
    """Refuse columns that hang on one another in too long a chain."""
    left: dict[str, set[str]] = {}
    for name, column in scope.table.columns.items():
        with suppress(SpecError):  # told at the column
            left[name] = column.needs() & set(scope.table.columns)
    length = 0
    while left:
        ready = {name for name, needed in left.items() if not needed & set(left)}
        if not ready:
            return  # a circle, which is told by its members
        length += 1
        if length > MAX_CHAIN:
            raise SpecError(
                f"a chain of more than {MAX_CHAIN} columns, each computed from the one before "
                f"({', '.join(sorted(left)[:3])}, …); write some of them as one expression"
            )
        left = {name: needed for name, needed in left.items() if name not in ready}


def check_circles(scope: Scope) -> None:
    """Refuse columns that need each other."""
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = " -> ".join((*above[above.index(name) :], name))
            raise SpecError(f"columns need each other in a circle: {circle}")
        if name in done or name not in scope.table.columns:
            return
        for other in sorted(_needs(scope, scope.table.columns[name])):
            visit(other, (*above, name))
        done.add(name)

    for name in scope.table.columns:
        visit(name, ())


def _needs(scope: Scope, column: ColumnSpec) -> set[str]:
    return column.needs() | _led_to(scope, column)


def _led_to(scope: Scope, column: ColumnSpec) -> set[str]:
    """What a link needs of this table, and a column that is taken from behind one."""
    found: set[str] = set()
    if column.link is not None:
        found |= set(column.link.match.values()) | {column.link.within or "", column.link.by or ""}
        texts = [column.link.area]
        if scope.linked(column.link) is scope:
            texts.append(column.link.where)
            found.add(str(column.references).rpartition(".")[2])
        found |= {path[0] for text in texts if text for path in names(parse(text))}
    if column.model is not None and scope.table.model is not None:
        found |= set(scope.table.model.given.values())
    head, _, behind = (column.take or "").partition(".")
    key = scope.table.columns.get(head) if behind else None
    if key is not None and key.link is not None:
        found |= {head, behind} if scope.linked(key.link) is scope else {head}
    return found
