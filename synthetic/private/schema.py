"""A checked spec as whole numbers: the levels of each column, and rules as trees.

Every column is a row of levels that count from 0. A number's levels are bins; the last level of a
column that may be missing is "no value".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError, nearest
from synthetic.private.spec import PrivateColumn, PrivateSpec
from synthetic.spec.expressions import Call, Node, Type, check

MOST_LEVELS_IN_SUM = 6000  # the square of it is held in memory
_BOOLEANS = ("false", "true")
_TYPES = {
    "category": Type.TEXT,
    "boolean": Type.BOOLEAN,
    "integer": Type.INTEGER,
    "decimal": Type.INTEGER,
    "date": Type.DATE,
}
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribute:
    """One column as levels."""

    name: str
    type: str
    values: tuple[str, ...]  # of categories and booleans
    edges: Ints  # of numbers: where each bin begins, and the end of the last
    places: int
    is_ordered: bool
    may_miss: bool
    outside: str | None

    @property
    def n_there(self) -> int:
        """How many levels stand for values."""
        return len(self.values) or len(self.edges) - 1

    @property
    def size(self) -> int:
        """How many levels there are, "no value" among them."""
        return self.n_there + self.may_miss


@dataclass(frozen=True, kw_only=True, eq=False)
class Schema:
    """The columns of one table, and what holds in its rows."""

    attributes: tuple[Attribute, ...]
    rules: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(attribute.name for attribute in self.attributes)

    @property
    def starts(self) -> Ints:
        """Where each column's levels begin in one row of all levels, and the end of the last."""
        return np.cumsum([0, *(attribute.size for attribute in self.attributes)])

    @property
    def trees(self) -> tuple[Node, ...]:
        """The rules, checked against the columns' types."""
        types = {a.name: _TYPES[a.type] for a in self.attributes}
        return tuple(check(rule, types, Type.BOOLEAN) for rule in self.rules)

    def place(self, name: str) -> int:
        """Where a column stands."""
        if name not in self.names:
            raise SpecError(f"unknown column {name!r}; {nearest(name, self.names)}")
        return self.names.index(name)


def compiled(spec: PrivateSpec, file: str) -> Schema:
    """Check what the keys of a spec tell together, and count its levels."""
    schema = Schema(
        attributes=tuple(_attribute(name, column) for name, column in spec.columns.items()),
        rules=tuple(rule.holds for rule in spec.rules),
    )
    total = int(schema.starts[-1])
    if total > MOST_LEVELS_IN_SUM:
        raise SpecError(
            f"{file}: columns: {total} levels in sum; at most {MOST_LEVELS_IN_SUM}: use fewer bins "
            "or coarser categories"
        )
    if spec.unit is not None and spec.unit.column in spec.columns:
        raise SpecError(
            f"{file}: unit.column = {spec.unit.column!r}: names a unit, so it cannot be among the "
            "columns"
        )
    for number, rule in enumerate(schema.rules):
        try:
            (tree,) = Schema(attributes=schema.attributes, rules=(rule,)).trees
        except SpecError as error:
            raise SpecError(f"{file}: rules.{number}: {error}") from None
        if "as_of" in _operations(tree):
            raise SpecError(f"{file}: rules.{number}: as_of() has no day here; write date(…)")
    return schema


def _operations(tree: Node) -> set[str]:
    if not isinstance(tree, Call):
        return set()
    return {tree.op}.union(*map(_operations, tree.args))


def _attribute(name: str, column: PrivateColumn) -> Attribute:
    values = _BOOLEANS if column.type == "boolean" else column.values
    return Attribute(
        name=name,
        type=column.type,
        values=values,
        edges=np.zeros(1, dtype=np.int64) if values else _edges(column),
        places=column.places or 0,
        is_ordered=column.ordered or not values,
        may_miss=column.missing,
        outside=column.outside,
    )


def _edges(column: PrivateColumn) -> Ints:
    assert column.low is not None
    assert column.high is not None
    low, end = column.whole(column.low), column.whole(column.high) + 1
    if column.edges:
        return np.array([low, *(column.whole(edge) for edge in column.edges), end])
    bins, span = column.bins or end - low, end - low
    # A value x is in bin (x - low) * bins // span, which begins at the least such x.
    return np.array([low - (-k * span // bins) for k in range(bins + 1)], dtype=np.int64)
