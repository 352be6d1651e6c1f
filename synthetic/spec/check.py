"""What several keys of a spec, or several specs, must tell together: every fault, with its place.

The models of `synthetic.spec.models` have already refused what one key can get wrong alone. Here
names are resolved, expressions typed, circles found and code lists compared, before anything is
built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from synthetic import statistics
from synthetic.errors import SpecError, SyntheticError, nearest
from synthetic.spec.expressions import Type, check, names, parse, type_of
from synthetic.spec.margins import Margin, resolve
from synthetic.spec.models import CodesFrom, ColumnSpec, Spec, TableSpec

Specs = Mapping[str, Spec]

_PLACED = {
    "number": Type.INTEGER,
    "rank": Type.INTEGER,
    "area": Type.TEXT,
    "place": Type.TEXT,
}
_GROUP = _PLACED | {"residence": Type.TEXT, "size": Type.INTEGER}
_MEMBER = _GROUP | {
    "position": Type.INTEGER,
    "age": Type.INTEGER,
    "sex": Type.TEXT,
    "relation": Type.TEXT,
    "marital": Type.TEXT,
    "line": Type.INTEGER,
}
_SIMULATED = {"size", "relation", "marital"}  # fields that no table gives


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
    margins: dict[str, dict[str, Margin]] = {}
    found: list[str] = []
    for dataset, spec in specs.items():
        margins[dataset] = resolve(spec)
        found += _check_one(spec, specs, margins[dataset])
    if found:
        more = f"\n… and {len(found) - 20} more" if len(found) > 20 else ""
        raise SpecError("\n".join(found[:20]) + more)
    return margins


def _check_one(spec: Spec, specs: Specs, margins: Mapping[str, Margin]) -> list[str]:
    faults = _Faults(f"{spec.dataset}.toml")
    for name, pool in spec.pools.items():
        for role, margin in pool.model_dump(exclude={"kind", "templates", "because"}).items():
            with faults.at("pools", name, role):
                _known(margin, margins, "margin")
    for name, table in spec.tables.items():
        _Table(spec, specs, margins, name, table, faults).check()
    return faults.found


def _known(name: str, among: Mapping[str, object], what: str) -> None:
    if name not in among:
        raise SpecError(f"unknown {what} {name!r}; {nearest(name, among)}")


def codes_of(column: ColumnSpec) -> tuple[str, ...] | None:
    """The codes that a column may hold, in their published order; None where it is no code."""
    if column.codes is not None:
        return tuple(column.codes)
    return None if column.codes_from is None else _published_codes(column.codes_from)


def _published_codes(source: CodesFrom) -> tuple[str, ...]:
    header = statistics.header(source.table)
    for column in (source.code, source.vi, source.en, *source.where):
        if column is not None and column not in header:
            raise SpecError(f"{source.table} has no column {column!r}; {nearest(column, header)}")
    return tuple(
        row[source.code]
        for row in statistics.rows(source.table)
        if all(row[k] == v for k, v in source.where.items())
    )


def find_column(specs: Specs, path: str) -> ColumnSpec:
    """The column that `dataset.table.column` names."""
    dataset, table, column = path.split(".")
    _known(dataset, specs, "dataset")
    _known(table, specs[dataset].tables, "table")
    _known(column, specs[dataset].tables[table].columns, "column")
    return specs[dataset].tables[table].columns[column]


@dataclass
class _Table:
    """One table under examination."""

    spec: Spec
    specs: Specs
    margins: Mapping[str, Margin]
    name: str
    table: TableSpec
    faults: _Faults

    def check(self) -> None:
        place = ("tables", self.name)
        with self.faults.at(*place, "rows"):
            self._check_rows()
        for key in (*self.table.key, self.table.area):
            with self.faults.at(*place, "key"):
                _known(key, self.table.columns, "column")
                if self.table.columns[key].hidden:
                    raise SpecError(f"column {key!r} is hidden; a key or area must be written")
        for name, column in self.table.columns.items():
            with self.faults.at(*place, "columns", name):
                self._check_column(name, column)
        with self.faults.at(*place, "columns"):
            self._check_circles()
        for i, rule in enumerate(self.table.rules):
            with self.faults.at(*place, "rules", str(i)):
                check(rule.holds, self._types_with_references(), Type.BOOLEAN)
        for i, entry in enumerate(self.table.compare):
            with self.faults.at(*place, "compare", str(i)):
                _known(entry.margin, self.margins, "margin")
                margin = self.margins[entry.margin]
                if set(entry.by) != set(margin.axes):
                    raise SpecError(f"'by' must name the axes {', '.join(margin.axes)}")
                for expression in entry.by.values():
                    check(expression, self._types(hidden=False), Type.TEXT)
                    if len({path[0] for path in names(parse(expression))}) != 1:
                        raise SpecError(f"{expression!r} must speak of exactly one column")

    # ------------------------------------------------------------ rows

    def _check_rows(self) -> None:
        rows = self.table.rows
        pool = rows.groups_of or rows.members_of
        if pool is not None:
            _known(pool, self.spec.pools, "pool")
        if rows.units is not None:
            for margin, axes in (
                (rows.units.per, {"area"}),
                (rows.units.places, {"area", "place"}),
            ):
                _known(margin, self.margins, "margin")
                if set(self.margins[margin].axes) != axes:
                    raise SpecError(f"margin {margin!r} must have the axes {sorted(axes)}")
        if rows.matching is not None:
            self._check_members(rows.matching.members, rows.matching.where)
            units = self._other(rows.matching.units)
            if units.rows.units is None:
                raise SpecError(f"{rows.matching.units!r} must have rows = {{ units = … }}")
            _known(rows.matching.capacity, units.columns, "column")

    def _check_members(self, table: str, where: str) -> None:
        members = self._other(table)
        if members.rows.members_of is None:
            raise SpecError(f"{table!r} must have rows = {{ members_of = … }}")
        check(where, {n: c.expression_type for n, c in members.columns.items()}, Type.BOOLEAN)

    def _other(self, path: str) -> TableSpec:
        """An earlier table of this dataset, or a table of one that it uses."""
        dataset, _, table = path.partition(".")
        if dataset != self.spec.dataset and dataset not in self.spec.uses:
            raise SpecError(f"dataset {dataset!r} is not in uses = {list(self.spec.uses)}; add it")
        _known(table, self.specs[dataset].tables, "table")
        order = list(self.spec.tables)
        if dataset == self.spec.dataset and order.index(table) >= order.index(self.name):
            raise SpecError(f"table {table!r} must stand before {self.name!r}")
        return self.specs[dataset].tables[table]

    # ------------------------------------------------------------ columns

    def _types(self, *, hidden: bool = True) -> dict[str, Type]:
        return {
            name: column.expression_type
            for name, column in self.table.columns.items()
            if hidden or not column.hidden
        }

    def _types_with_references(self) -> dict[str, Type]:
        """What a rule may speak of: written columns, and those behind a key."""
        found = self._types(hidden=False)
        for name, column in self.table.columns.items():
            if column.references is None or column.hidden:
                continue
            dataset, table, _ = column.references.split(".")
            for other, behind in self.specs[dataset].tables[table].columns.items():
                if not behind.hidden:
                    found[f"{name}.{other}"] = behind.expression_type
        return found

    def _check_column(self, name: str, column: ColumnSpec) -> None:
        codes = codes_of(column)
        if column.references is not None:
            if column.references.count(".") != 2:
                raise SpecError(f"references = {column.references!r} must be dataset.table.column")
            target = find_column(self.specs, column.references)
            if target.type != column.type:
                raise SpecError(f"type {column.type!r} refers to a column of type {target.type!r}")
        for key in column.given.values():
            _known(key, self.table.columns, "column")
        if column.only_if is not None:
            check(column.only_if, self._types(), Type.BOOLEAN)
        if column.per is not None:
            _known(column.per, _MEMBER if self.table.rows.members_of else _PLACED, "field")
        for source, examine in self._examiners().items():
            if getattr(column, source) is not None:
                examine(column, codes)

    def _examiners(self) -> dict[str, Callable[[ColumnSpec, tuple[str, ...] | None], None]]:
        return {
            "take": self._check_take,
            "follows": self._check_follows,
            "derive": self._check_derive,
            "assume": self._check_assume,
            "identifier": self._check_identifier,
            "link": self._check_link,
        }

    def _fields(self) -> dict[str, Type]:
        """What `take` may name: fields of the structure and columns of parents."""
        rows = self.table.rows
        if rows.groups_of is not None:
            return dict(_GROUP)
        if rows.members_of is not None:
            groups = next(
                (t for t in self.spec.tables.values() if t.rows.groups_of == rows.members_of), None
            )
            return _MEMBER | self._parent("group", groups)
        if rows.matching is not None:
            members = self._parent("member", self._other(rows.matching.members))
            return members | self._parent("unit", self._other(rows.matching.units))
        links = {n: c.link for n, c in self.table.columns.items() if c.link is not None}
        found = dict(_PLACED)
        for name, link in links.items():
            found |= self._parent(name, self._other(link.members))
        return found

    @staticmethod
    def _parent(name: str, table: TableSpec | None) -> dict[str, Type]:
        columns = {} if table is None else table.columns
        return {f"{name}.{column}": spec.expression_type for column, spec in columns.items()}

    def _check_take(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        del codes
        fields = self._fields()
        _known(str(column.take), fields, "field")
        if fields[str(column.take)] is not column.expression_type:
            raise SpecError(f"field {column.take!r} is {fields[str(column.take)].value}")
        if column.take in _SIMULATED and column.because is None:
            raise SpecError(f"no published table gives {column.take!r}; say why in 'because'")

    def _check_follows(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        _known(str(column.follows), self.margins, "margin")
        margin = self.margins[str(column.follows)]
        free = [axis for axis in margin.axes if axis not in column.given]
        strange = [axis for axis in column.given if axis not in margin.axes]
        if len(free) != 1 or strange:
            raise SpecError(
                f"margin {margin.name!r} has the axes {', '.join(margin.axes)}; 'given' must name "
                "all of them but this column's own"
            )
        if codes is not None and not set(margin.categories[free[0]]) <= set(codes):
            odd = sorted(set(margin.categories[free[0]]) - set(codes))
            raise SpecError(f"margin {margin.name!r} has categories that are no codes: {odd[:3]}")
        if column.expression_type is not Type.TEXT:
            raise SpecError("a column that follows a margin is of type 'code' or 'text'")

    def _check_derive(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        del codes
        check(str(column.derive), self._types(), column.expression_type)

    def _check_assume(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        assume = column.assume
        assert assume is not None
        wanted = {"shares": Type.TEXT, "words": Type.TEXT, "quantiles": Type.INTEGER}
        for kind, needed in wanted.items():
            if getattr(assume, kind) is not None and column.expression_type is not needed:
                raise SpecError(f"assume.{kind} gives {needed.value}; the type is {column.type!r}")
        if assume.shares is not None and codes is not None and not set(assume.shares) <= set(codes):
            odd = sorted(set(assume.shares) - set(codes))
            raise SpecError(f"assume.shares names what is no code: {odd[:3]}; codes: {list(codes)}")
        if assume.date_in_year is not None:
            if column.type != "date":
                raise SpecError(f"assume.date_in_year gives a date; the type is {column.type!r}")
            check(assume.date_in_year, self._types(), Type.INTEGER)
        if isinstance(assume.quantiles, dict):
            self._check_quantiles(column, assume.quantiles)

    def _check_quantiles(self, column: ColumnSpec, quantiles: Mapping[str, object]) -> None:
        if len(column.given) != 1:
            raise SpecError("quantiles by code need one column in 'given'")
        (given,) = column.given.values()
        known = codes_of(self.table.columns[given])
        if known is None or set(quantiles) != set(known):
            raise SpecError(f"quantiles must give every code of {given!r}: {list(known or ())}")

    def _check_identifier(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        del codes
        assert column.identifier is not None
        if column.type != "text":
            raise SpecError("an identifier is of type 'text'")
        column_type = partial(_column_type, types=self._types())
        for text in column.identifier.parts.values():
            type_of(parse(text), column_type, text)

    def _check_link(self, column: ColumnSpec, codes: tuple[str, ...] | None) -> None:
        del codes
        assert column.link is not None
        if column.references is None or column.because is None:
            raise SpecError("a link needs 'references' and, as no table tells who, 'because'")
        if self.table.rows.units is None:
            raise SpecError("only a table of units can have a link")
        self._check_members(column.link.members, column.link.where)

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


def _column_type(path: tuple[str, ...], types: Mapping[str, Type]) -> Type:
    _known(".".join(path), types, "column")
    return types[".".join(path)]
