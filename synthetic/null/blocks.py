"""Which columns of a table move together when its associations are broken.

Keys, references, identifiers and the place of a row stay. Of the others those move together that
the spec binds in every row of the table: by a rule, a formula, a condition or an interval; and what
is bound so to a column that stays, stays with it. What only makes a value more likely (a margin, an
assumption given another column) binds nothing, nor does the row that a key leads to: these are the
associations to be broken. So rules hold within every row of a null draw, but not between tables, and
an identity number no longer agrees with the sex and birth date beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from synthetic.spec.expressions import names, parse
from synthetic.spec.models import ColumnSpec, TableSpec

_PLACED = {"number", "rank", "area", "place", "position", "count"}


def blocks(table: TableSpec, *, bound: bool = True) -> tuple[tuple[str, ...], ...]:
    """The written columns that move, those of one block together, in the table's order.

    Without what the spec binds, each moves by itself, and rules are broken.
    """
    above = {name: name for name in table.columns}

    def root(name: str) -> str:
        while above[name] != name:
            name = above[name]
        return name

    for bond in _bonds(table) if bound else ():
        for other in bond[1:]:
            above[root(other)] = root(bond[0])
    fixed = {root(name) for name in _fixed(table)}
    found: dict[str, list[str]] = {}
    for name, column in table.columns.items():
        if root(name) not in fixed and not column.hidden:
            found.setdefault(root(name), []).append(name)
    return tuple(tuple(block) for block in found.values())


def _fixed(table: TableSpec) -> Iterator[str]:
    """The columns that no row gives away."""
    yield from table.key
    if table.area is not None:
        yield table.area
    for name, column in table.columns.items():
        if column.references or column.identifier or column.link or column.take in _PLACED:
            yield name
        yield from column.references_with.values()


def _bonds(table: TableSpec) -> Iterator[list[str]]:
    """Columns that one sentence of the spec binds; what a key was made of it need not show again."""
    for name, column in table.columns.items():
        if column.identifier is None and column.references is None and name not in table.key:
            yield [name, *_own(_texts(column), table)]
    for rule in table.rules:
        yield _own([rule.holds], table)


def _texts(column: ColumnSpec) -> Iterator[str]:
    yield from column.texts()
    if column.assume is not None and column.assume.hour is not None:
        yield column.assume.hour.at
    if column.assume is not None and column.assume.grammar is not None:
        yield from column.assume.grammar.slots() - set(column.assume.grammar.vocabularies)


def _own(texts: Iterable[str], table: TableSpec) -> list[str]:
    """The columns of the row itself: not those behind a key, nor hidden ones that nobody sees."""
    found = (path for text in texts for path in names(parse(text)) if len(path) == 1)
    written = {name for name, column in table.columns.items() if not column.hidden}
    return [name for (name,) in found if name in written]
