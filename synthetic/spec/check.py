"""What several keys of a spec, or several specs, must tell together: every fault, with its place.

The models of `synthetic.spec.models` have already refused what one key can get wrong alone. Here
names are resolved, expressions typed, circles found and code lists compared, before anything is
built. Columns are looked at in `synthetic.spec.check_columns`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from synthetic.errors import SpecError, SyntheticError
from synthetic.spec.check_columns import check_column, check_members, check_sums
from synthetic.spec.expressions import Node, Type, check, names, parse
from synthetic.spec.margins import Margin, resolve
from synthetic.spec.models import (
    ChildRows,
    ColumnSpec,
    CompareSpec,
    Count,
    MatchingRows,
    Spec,
    TableSpec,
    UnitRows,
)
from synthetic.spec.possible import check_possible
from synthetic.spec.scope import CELL, PLACED, STRUCTURE, Scope, check_known, codes_of

__all__ = ["check_specs", "codes_of"]

log = logging.getLogger(__name__)
Specs = Mapping[str, Spec]
MAX_CHAIN = 100  # columns of a table, each computed from the one before


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
            self._check_chains()
        if len(self.faults.found) > told:
            return  # what follows goes down every chain
        with self.faults.at(*place, "rows"):
            self._check_rows()
        for key in self.table.key:
            with self.faults.at(*place, "key"):
                self._check_written(key)
        with self.faults.at(*place, "area"):
            self._check_area(self.table.area)
        for name, column in self.table.columns.items():
            with self.faults.at(*place, "columns", name):
                check_column(self.scope, column)
        with self.faults.at(*place, "columns"):
            self._check_circles()
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
        if rows.children is not None:
            self._check_children(rows.children)
        if rows.cells is not None:
            self._check_axes(self.scope.margin(rows.cells.of), rows.cells.spread, CELL)
            if not self.scope.axes():
                raise SpecError(f"margin {rows.cells.of!r} has no axis")
        for name, column in self.table.columns.items():
            if column.link is not None and name in STRUCTURE:
                raise SpecError(f"a link cannot be named {name!r}; choose another name")

    def _check_axes(self, margin: Margin, spread: str | None, taken: Mapping[str, Type]) -> Margin:
        """Refuse axes that hide a field, and areas given twice or not; return the margin of areas."""
        for axis in margin.axes:
            if axis in taken and axis != "area":
                raise SpecError(f"margin {margin.name!r}: an axis cannot be named {axis!r}")
        check_sums(margin)
        if spread is None:
            return margin
        areas = self.scope.margin(spread)
        if "area" in margin.axes or areas.axes != ("area",):
            raise SpecError(
                f"spread = {spread!r} must have the axis 'area' alone, and {margin.name!r} none"
            )
        check_sums(areas)
        return areas

    def _check_units(self, rows: UnitRows) -> None:
        per, places = self.scope.margin(rows.per), self.scope.margin(rows.places)
        areas = self._check_axes(per, rows.spread, PLACED)
        if "area" not in areas.axes:
            raise SpecError(f"margin {per.name!r} has no axis 'area'; share it by 'spread'")
        if places.axes[:2] != ("area", "place") or not set(places.axes[2:]) <= set(per.axes):
            raise SpecError(
                f"margin {places.name!r} must have the axes ['area', 'place'], in this order, and "
                f"none but those of {per.name!r} beside; it has {list(places.axes)}"
            )
        _check_same(
            areas.categories["area"],
            f"margin {areas.name!r}",
            places.categories["area"],
            f"margin {places.name!r}",
        )
        axes = ("area", *places.axes[2:]) if rows.spread is None else ("area",)
        shares = places.over(*axes).cells
        for cell, value in areas.over(*axes).cells.items():
            if value and not shares.get(cell):
                raise SpecError(f"margin {places.name!r} adds up to zero for {' x '.join(cell)}")

    def _check_children(self, rows: ChildRows) -> None:
        parent = self.scope.earlier(rows.of)
        if rows.where is not None:
            check(rows.where, parent.types(), Type.BOOLEAN)
        if isinstance(rows.count, str):
            check(rows.count, parent.types(), Type.INTEGER)
        if not isinstance(rows.count, Count):
            return
        # The count is drawn as a column of the parent would be, from margins of this dataset.
        margins = {**parent.margins, parent.dataset: self.scope.margins[self.scope.dataset]}
        column = rows.count.column(rows.because)
        check_column(replace(parent, margins=margins), column)
        codes: object = rows.count.assume.shares if rows.count.assume is not None else None
        if rows.count.follows is not None:
            codes = self.scope.margin(rows.count.follows).categories.get("count")
            if codes is None:
                raise SpecError(f"margin {rows.count.follows!r} has no axis 'count'")
        odd = [code for code in count_codes(codes) if not re.fullmatch("[0-9]{1,4}", code)]
        if odd:
            raise SpecError(f"a count must be a whole number of at most 4 digits; found {odd[:3]}")

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
        return column.needs() | self._led_to(column)

    def _led_to(self, column: ColumnSpec) -> set[str]:
        """What a link needs of this table, and a column that is taken from behind one."""
        found: set[str] = set()
        if column.link is not None:
            found |= set(column.link.match.values()) | {column.link.within or ""}
            texts = [column.link.area]
            if self.scope.linked(column.link) is self.scope:
                texts.append(column.link.where)
                found.add(str(column.references).rpartition(".")[2])
            found |= {path[0] for text in texts if text for path in names(parse(text))}
        head, _, behind = (column.take or "").partition(".")
        key = self.table.columns.get(head) if behind else None
        if key is not None and key.link is not None:
            found |= {head, behind} if self.scope.linked(key.link) is self.scope else {head}
        return found

    def _check_chains(self) -> None:
        """Refuse columns that hang on one another in too long a chain."""
        left: dict[str, set[str]] = {}
        for name, column in self.table.columns.items():
            with suppress(SpecError):  # told at the column
                left[name] = column.needs() & set(self.table.columns)
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


def count_codes(codes: object) -> Iterable[str]:
    """The codes of shares, of shares by code, or of an axis: what a drawn count may be."""
    for code in codes if isinstance(codes, tuple | dict) else ():
        below = codes[code] if isinstance(codes, dict) else None
        yield from below if isinstance(below, dict) else (str(code),)
