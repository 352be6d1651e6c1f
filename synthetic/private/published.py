"""Published tables that a fit may use for free: shares of levels, read as a dataset spec reads them.

A spec names them as margins whose axes are its columns. They tell how a whole is made up, not how
many rows there are, and the records may differ from them by what the spec says they may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from synthetic import statistics
from synthetic.errors import SpecError, SyntheticError, nearest
from synthetic.private.plan import MOST_CELLS, Clique
from synthetic.private.schema import Attribute, Schema
from synthetic.private.spec import PrivateSpec, PublishedMargin
from synthetic.spec.margin import Margin
from synthetic.spec.margins import read

_GROUP = re.compile(r"(\d+)(?:-(\d+)|(\+))?", re.ASCII)
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """One published table."""

    name: str
    table: str  # it was read from
    source: str  # its publisher and title
    clique: Clique  # rising
    shares: Doubles  # of shape (levels that stand for values, ...); they add to one
    strays: float  # how far the records may be from it, as a part of each cell

    def over(self, clique: Clique) -> Doubles:
        """The shares of some of its columns."""
        return self.shares.sum(axis=tuple(i for i, c in enumerate(self.clique) if c not in clique))


def published(spec: PrivateSpec, schema: Schema, file: str) -> tuple[Published, ...]:
    """The published tables of a spec, or an error that names the margin and its cell."""
    found = []
    for name, wanted in spec.margins.items():
        try:
            found.append(_published(name, wanted, schema))
        except SyntheticError as error:
            raise SpecError(f"{file}: margins.{name}: {error}") from None
    return tuple(found)


def _published(name: str, wanted: PublishedMargin, schema: Schema) -> Published:
    margin = read(name, wanted)
    margin = margin.over(*(axis for axis in margin.axes if axis not in wanted.sum_over))
    for axis in margin.axes:
        if axis not in schema.names:
            raise SpecError(f"axis {axis!r} is no column; {nearest(axis, schema.names)}")
    if not margin.axes:
        raise SpecError("has no axis; name the columns that it tells of in axes")
    margin = margin.over(*sorted(margin.axes, key=schema.place))
    clique = tuple(schema.place(axis) for axis in margin.axes)
    source = statistics.source(wanted.table)
    return Published(
        name=name,
        table=wanted.table,
        source=f"{source.publisher}: {source.title}",
        clique=clique,
        shares=_shares(margin, [schema.attributes[i] for i in clique]),
        strays=wanted.strays,
    )


def _shares(margin: Margin, attributes: list[Attribute]) -> Doubles:
    places = [
        {category: _level(attribute, category) for category in margin.categories[attribute.name]}
        for attribute in attributes
    ]
    for attribute, levels in zip(attributes, places, strict=True):
        lacking = sorted(set(range(attribute.n_there)) - set(levels.values()))
        if lacking:
            raise SpecError(
                f"tells nothing of {len(lacking)} levels of {attribute.name!r}, the first being "
                f"{_named(attribute, lacking[0])}; a table must tell of all or be left out"
            )
    shape = [attribute.n_there for attribute in attributes]
    if int(np.prod(shape)) > MOST_CELLS:
        raise SpecError(f"has more than {MOST_CELLS} cells; sum_over some of its axes")
    found = np.zeros(shape)
    for cell in product(*margin.categories.values()):
        at = tuple(own[category] for own, category in zip(places, cell, strict=True))
        found[at] += float(margin.cells.get(cell, 0))
    if found.sum() <= 0:
        raise SpecError("adds up to nothing; look at value and where")
    return found / found.sum()


def _level(attribute: Attribute, category: str) -> int:
    """The level of a published category; of a whole number's, a bin such as 0-4 or 80+."""
    if attribute.values:
        if category not in attribute.values:
            raise SpecError(
                f"{attribute.name!r} has no value {category!r}; rename it, or keep others only: "
                f"{nearest(category, attribute.values)}"
            )
        return attribute.values.index(category)
    match = _GROUP.fullmatch(category) if attribute.type == "integer" else None
    if match is not None:
        low, edges = int(match[1]), attribute.edges.tolist()
        high = edges[-1] - 1 if match[3] else int(match[2] or low)
        if (low, high + 1) in pairwise(edges):
            return edges.index(low)
    raise SpecError(
        f"{category!r} is no bin of {attribute.name!r}; let its edges be the table's, whole "
        "numbers such as 0-4 or 80+"
    )


def _named(attribute: Attribute, level: int) -> str:
    return repr(attribute.values[level] if attribute.values else int(attribute.edges[level]))
