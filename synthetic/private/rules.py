"""Rules of a spec: the cells of tables that they leave empty, and the rows that break them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from synthetic.generation.operations import evaluate, truth
from synthetic.generation.rows import Held
from synthetic.generation.values import Domain, Values
from synthetic.private.plan import Clique
from synthetic.private.schema import Attribute, Schema
from synthetic.spec.expressions import Node, names

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_MOST_VALUES = 500_000  # combinations of two columns' values that a rule is tried on
_NO_DAY = dt.date(1970, 1, 1)  # no rule of these specs may speak of today


def held(attribute: Attribute, numbers: Ints, missing: Flags | None) -> Values:
    """Values of a column: places among its texts, or its whole numbers."""
    if attribute.type == "boolean":
        return Values(numbers != 0, missing=missing)
    domain = Domain(attribute.values) if attribute.values else None
    return Values(numbers, domain, missing=missing)


def broken(tree: Node, column: Callable[[str], Values], n: int) -> Flags:
    """Where a rule is known to be false; where it is unknown nothing is broken."""
    found = evaluate(tree, Held(column, n), _NO_DAY)
    wrong = np.broadcast_to(~truth(found), (n,))
    return wrong.copy() if found.missing is None else wrong & ~found.missing


def empty_cells(schema: Schema) -> dict[Clique, Flags]:
    """The cells of two-way tables that no row may be in, where few enough values can be tried."""
    found: dict[Clique, Flags] = {}
    for tree in schema.trees:
        of = sorted({schema.place(path[0]) for path in names(tree)})
        others = [i for i in range(len(schema.attributes)) if i not in of]
        pairs = list(combinations(of, 2)) if len(of) == 2 else []
        if len(of) == 1:
            pairs = [(min(of[0], i), max(of[0], i)) for i in others]
        for pair in pairs:
            cells = _empty(tree, schema, pair, set(of))
            if cells is not None and cells.any():
                found[pair] = found[pair] | cells if pair in found else cells
    return found


def _empty(tree: Node, schema: Schema, pair: Clique, of: set[int]) -> Flags | None:
    """Cells of a pair in which a rule over some of its columns is false for every value."""
    attributes = [schema.attributes[i] for i in pair]
    # A column that the rule does not speak of needs no values of its own, one for each level do.
    tried = [_values(schema.attributes[i], every=i in of) for i in pair]
    if math.prod(len(levels) for levels, _, _ in tried) > _MOST_VALUES:
        return None
    grids = np.meshgrid(*(np.arange(len(levels)) for levels, _, _ in tried), indexing="ij")
    columns = {
        attribute.name: held(attribute, numbers[grid.ravel()], missing[grid.ravel()])
        for attribute, (_, numbers, missing), grid in zip(attributes, tried, grids, strict=True)
    }
    wrong = broken(tree, columns.__getitem__, grids[0].size)
    possible = np.zeros([attribute.size for attribute in attributes], dtype=np.bool_)
    first, second = (tried[i][0][grids[i].ravel()] for i in (0, 1))
    possible[first[~wrong], second[~wrong]] = True
    return ~possible


def _values(attribute: Attribute, *, every: bool) -> tuple[Ints, Ints, Flags]:
    """Levels, the values tried in each, and which of them is no value."""
    if attribute.values or not every:
        levels = np.arange(attribute.n_there)
        numbers = levels if attribute.values else attribute.edges[:-1]
    else:
        span = min(int(attribute.edges[-1] - attribute.edges[0]), _MOST_VALUES + 1)
        numbers = np.arange(span) + attribute.edges[0]
        levels = np.searchsorted(attribute.edges, numbers, side="right") - 1
    if attribute.may_miss:
        levels = np.append(levels, attribute.n_there)
        numbers = np.append(numbers, numbers[:1])
    return levels, numbers, levels == attribute.n_there
