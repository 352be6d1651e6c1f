"""What several keys of a spec, or several specs, must tell together: every fault, with its place.

The models of `synthetic.spec.models` have already refused what one key can get wrong alone. Here
names are resolved, expressions typed, circles found and code lists compared, before anything is
built. The modules `check_…` look at columns, rows and circles.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from synthetic.errors import SpecError, SyntheticError
from synthetic.spec.check_circles import check_chains, check_circles
from synthetic.spec.check_columns import check_column
from synthetic.spec.check_rows import check_rows
from synthetic.spec.expressions import Literal, Node, Type, check, names
from synthetic.spec.margins import Margin, resolve
from synthetic.spec.models import (
    ColumnSpec,
    CompareSpec,
    Count,
    Spec,
    TableSpec,
)
from synthetic.spec.possible import check_possible
from synthetic.spec.scope import Scope, check_known, codes_of

__all__ = ["check_specs", "codes_of"]

log = logging.getLogger(__name__)
Specs = Mapping[str, Spec]


@dataclass
class _Faults:
    """Faults met so far, each with the place where it stands."""

    file: str
    found: list[str] = field(default_factory=list)

    @contextmanager
    def at(self, *place: str) -> Iterator[None]:
        """Note the fault of a block and go on with the next."""
        try:
            yield
        except SyntheticError as error:
            self.found.append(f"{self.file}: {'.'.join(place)}: {error}")


def check_specs(specs: Specs) -> dict[str, dict[str, Margin]]:
    """Check these specs together and return their margins, or raise with every fault found."""
    margins = {dataset: resolve(spec) for dataset, spec in specs.items()}
    found: list[str] = []
    for spec in specs.values():
        found += _check_one(spec, specs, margins)
    found = list(dict.fromkeys(found))  # a circle is met from each of its members
    if found:
        more = f"\n… and {len(found) - 20} more" if len(found) > 20 else ""
        raise SpecError("\n".join(found[:20]) + more)
    return margins


def _check_one(spec: Spec, specs: Specs, margins: Mapping[str, Mapping[str, Margin]]) -> list[str]:
    faults = _Faults(f"{spec.dataset}.toml")
    for name, pool in spec.pools.items():
        for role, margin in pool.model_dump(exclude={"kind", "templates", "because"}).items():
            with faults.at("pools", name, role):
                check_known(margin, margins[spec.dataset], "margin")
    for name in spec.tables:
        _Table(Scope(specs, margins, spec.dataset, name), faults).check()
    for name in spec.margins:
        if name not in _used_margins(spec):
            log.warning("%s: margins.%s: nothing uses it; remove it", faults.file, name)
    return faults.found


def _used_margins(spec: Spec) -> set[str | None]:
    used: set[str | None] = set()
    for margin in spec.margins.values():
        used |= {margin.times, None if margin.rescale is None else margin.rescale.to}
        if margin.rake is not None:
            used |= {*margin.rake.to, margin.rake.start}
        if margin.complete is not None:
            filled = (margin.complete.total, margin.complete.share_by)
            used |= {name for name in filled if isinstance(name, str)}
    for pool in spec.pools.values():
        used |= set(pool.model_dump(exclude={"kind", "templates", "because"}).values())
    for table in spec.tables.values():
        used |= {column.follows for column in table.columns.values()}
        used |= {entry.margin for entry in table.compare}
        rows = table.rows
        if rows.units is not None:
            used |= {rows.units.per, rows.units.places, rows.units.spread}
        if rows.cells is not None:
            used |= {rows.cells.of, rows.cells.spread}
        if rows.children is not None and isinstance(rows.children.count, Count):
            used.add(rows.children.count.follows)
    return used


@dataclass
class _Table:
    """One table under examination."""

    scope: Scope
    faults: _Faults

    @property
    def table(self) -> TableSpec:
        return self.scope.table

    def check(self) -> None:
        place = ("tables", self.scope.name)
        told = len(self.faults.found)
        with self.faults.at(*place, "columns"):
            check_chains(self.scope)
        if len(self.faults.found) > told:
            return  # what follows goes down every chain
        with self.faults.at(*place, "rows"):
            check_rows(self.scope)
        for key in self.table.key:
            with self.faults.at(*place, "key"):
                self._check_written(key)
        with self.faults.at(*place, "area"):
            self._check_area(self.table.area)
        for name, column in self.table.columns.items():
            with self.faults.at(*place, "columns", name):
                check_column(self.scope, column)
        with self.faults.at(*place, "columns"):
            check_circles(self.scope)
        for i, rule in enumerate(self.table.rules):
            with self.faults.at(*place, "rules", str(i)):
                tree = check(rule.holds, self.scope.types_with_references(), Type.BOOLEAN)
                check_possible(tree, rule.holds, self._named(tree))
        for i, entry in enumerate(self.table.compare):
            with self.faults.at(*place, "compare", str(i)):
                self._check_compare(entry)

    def _named(self, tree: Node) -> dict[tuple[str, ...], ColumnSpec]:
        """The columns that a rule names, here and behind keys."""
        found = {}
        for path in names(tree):
            column = self.table.columns[path[0]]
            if len(path) == 2:
                behind = self.scope.of(str(column.references).rpartition(".")[0])
                column = behind.table.columns[path[1]]
            found[path] = column
        return found

    def _check_written(self, key: str) -> None:
        check_known(key, self.table.columns, "column")
        if self.table.columns[key].hidden:
            raise SpecError(f"column {key!r} is hidden; a key or area must be written")
        self.scope.check_there(key, "a key or area is needed in every row")

    def _check_area(self, area: str | None) -> None:
        if area is None:
            if self.scope.areas() != ():
                raise SpecError("missing; name the column that holds the row's area")
            return
        if self.scope.areas() == ():
            raise SpecError("these rows belong to the whole country; leave 'area' out")
        self._check_written(area)
        allowed = [
            f"{parent}.{scope.table.area}"
            for parent, scope in self.scope.parents().items()
            if parent in ("group", "member", "parent")
        ]
        if self.table.rows.matching is None:
            allowed = ["area", *allowed]
        if self.table.columns[area].take not in allowed:
            raise SpecError(
                f"column {area!r} must hold the row's area: take = "
                + " or ".join(f'"{path}"' for path in allowed)
            )

    def _check_compare(self, entry: CompareSpec) -> None:
        margin = self.scope.margin(entry.margin)
        if set(entry.by) != set(margin.axes):
            raise SpecError(f"'by' must name the axes {', '.join(margin.axes)}")
        if entry.quota and "area" not in margin.axes:
            raise SpecError(
                f"quota = true needs the axis 'area'; margin {entry.margin!r} has "
                f"{', '.join(margin.axes)}"
            )
        if entry.contradicts is not None:
            others = {e.margin: e for e in self.table.compare if e is not entry}
            check_known(entry.contradicts, others, "margin of another 'compare' entry")
        for axis, expression in entry.by.items():
            tree = check(expression, self.scope.types(hidden=False), Type.TEXT)
            if isinstance(tree, Literal):
                known = dict.fromkeys(margin.categories[axis])
                check_known(str(tree.value), known, f"category of {axis}")
                continue
            if len({path[0] for path in names(tree)}) != 1:
                raise SpecError(f"{expression!r} must speak of exactly one column")
