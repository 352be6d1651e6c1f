"""What several keys of a spec, or several specs, must tell together: every fault, with its place.

The models of `synthetic.spec.models` have already refused what one key can get wrong alone. Here
names are resolved, expressions typed, circles found and code lists compared, before anything is
built. Columns are looked at in `synthetic.spec.check_columns`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from synthetic.errors import SpecError, SyntheticError
from synthetic.spec.check_columns import check_column, check_members, check_sums
from synthetic.spec.expressions import Type, check, names, parse
from synthetic.spec.margins import Margin, resolve
from synthetic.spec.models import ColumnSpec, CompareSpec, MatchingRows, Spec, TableSpec, UnitRows
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
        if margin.complete is not None:
            used |= {margin.complete.total, margin.complete.share_by}
    for pool in spec.pools.values():
        used |= set(pool.model_dump(exclude={"kind", "templates", "because"}).values())
    for table in spec.tables.values():
        used |= {column.follows for column in table.columns.values()}
        used |= {entry.margin for entry in table.compare}
        if table.rows.units is not None:
            used |= {table.rows.units.per, table.rows.units.places}
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
        with self.faults.at(*place, "rows"):
            self._check_rows()
        for key in self.table.key:
            with self.faults.at(*place, "key"):
                self._check_written(key)
        with self.faults.at(*place, "area"):
            self._check_area()
        for name, column in self.table.columns.items():
            with self.faults.at(*place, "columns", name):
                check_column(self.scope, column)
        with self.faults.at(*place, "columns"):
            self._check_circles()
        for i, rule in enumerate(self.table.rules):
            with self.faults.at(*place, "rules", str(i)):
                check(rule.holds, self.scope.types_with_references(), Type.BOOLEAN)
        for i, entry in enumerate(self.table.compare):
            with self.faults.at(*place, "compare", str(i)):
                self._check_compare(entry)

    def _check_written(self, key: str) -> None:
        check_known(key, self.table.columns, "column")
        if self.table.columns[key].hidden:
            raise SpecError(f"column {key!r} is hidden; a key or area must be written")
        self.scope.check_there(key, "a key or area is needed in every row")

    def _check_area(self) -> None:
        self._check_written(self.table.area)
        allowed = [
            f"{parent}.{scope.table.area}"
            for parent, scope in self.scope.parents().items()
            if parent in ("group", "member")
        ]
        if self.table.rows.matching is None:
            allowed = ["area", *allowed]
        if self.table.columns[self.table.area].take not in allowed:
            raise SpecError(
                f"column {self.table.area!r} must hold the row's area: take = "
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
        for expression in entry.by.values():
            check(expression, self.scope.types(hidden=False), Type.TEXT)
            if len({path[0] for path in names(parse(expression))}) != 1:
                raise SpecError(f"{expression!r} must speak of exactly one column")

    # ------------------------------------------------------------ rows

    def _check_rows(self) -> None:
        rows = self.table.rows
        pool = rows.groups_of or rows.members_of
        if pool is not None:
            check_known(pool, self.scope.spec.pools, "pool")
        if rows.units is not None:
            self._check_units(rows.units)
        if rows.matching is not None:
            self._check_matching(rows.matching)

    def _check_units(self, rows: UnitRows) -> None:
        per, places = self.scope.margin(rows.per), self.scope.margin(rows.places)
        for margin, axes in ((per, ("area",)), (places, ("area", "place"))):
            if margin.axes != axes:
                raise SpecError(
                    f"margin {margin.name!r} must have the axes {list(axes)}, in this order; it "
                    f"has {list(margin.axes)}"
                )
        areas, others = per.categories["area"], places.categories["area"]
        _check_same(areas, f"margin {per.name!r}", others, f"margin {places.name!r}")
        check_sums(per)
        shares = places.over("area").cells
        for cell, value in per.cells.items():
            if value and not shares[cell]:
                raise SpecError(f"margin {places.name!r} adds up to zero for {cell[0]}")

    def _check_matching(self, rows: MatchingRows) -> None:
        members = check_members(self.scope, rows.members, rows.where)
        units = self.scope.earlier(rows.units)
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

    # ------------------------------------------------------------ circles

    def _needs(self, column: ColumnSpec) -> set[str]:
        texts = [column.derive, column.only_if]
        texts += [] if column.assume is None else [column.assume.date_in_year]
        texts += [] if column.identifier is None else list(column.identifier.parts.values())
        paths = [path for text in texts if text is not None for path in names(parse(text))]
        return {path[0] for path in paths} | set(column.given.values())

    def _check_circles(self) -> None:
        done: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                circle = " -> ".join((*above[above.index(name) :], name))
                raise SpecError(f"columns need each other in a circle: {circle}")
            if name in done or name not in self.table.columns:
                return
            for other in sorted(self._needs(self.table.columns[name])):
                visit(other, (*above, name))
            done.add(name)

        for name in self.table.columns:
            visit(name, ())


def _check_same(areas: tuple[str, ...], what: str, others: tuple[str, ...], other: str) -> None:
    for some, rest, lacking in ((areas, others, other), (others, areas, what)):
        odd = sorted(set(some) - set(rest))
        if odd:
            raise SpecError(
                f"{what} and {other} do not share their areas: {lacking} lacks {odd[:3]}"
            )
