"""What the keys of one table may speak of: its columns, fields, parents, areas and codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from synthetic import statistics
from synthetic.errors import SpecError, nearest
from synthetic.spec.expressions import Type, names, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import CodesFrom, ColumnSpec, Spec, TableSpec

PLACED = {
    "number": Type.INTEGER,
    "rank": Type.INTEGER,
    "area": Type.TEXT,
    "place": Type.TEXT,
}
GROUP = PLACED | {"residence": Type.TEXT, "size": Type.INTEGER}
MEMBER = GROUP | {
    "position": Type.INTEGER,
    "age": Type.INTEGER,
    "sex": Type.TEXT,
    "relation": Type.TEXT,
    "marital": Type.TEXT,
    "line": Type.INTEGER,
}


def check_known(name: str, among: Mapping[str, object], what: str) -> None:
    """Refuse a name that is not there, with the nearest that is."""
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
    codes = Counter(
        row[source.code]
        for row in statistics.rows(source.table)
        if all(row[k] == v for k, v in source.where.items())
    )
    if not codes:
        raise SpecError(f"no row of {source.table} fits where = {dict(source.where)}")
    code, n = codes.most_common(1)[0]
    if n > 1:
        raise SpecError(
            f"{n} rows of {source.table} have {source.code} = {code!r}; a code list has one row "
            "per code: narrow 'where' or name another column"
        )
    return tuple(codes)


@dataclass(frozen=True, eq=False)
class Scope:
    """One table among its specs."""

    specs: Mapping[str, Spec]
    margins: Mapping[str, Mapping[str, Margin]]  # dataset -> margin
    dataset: str
    name: str

    @property
    def spec(self) -> Spec:
        """The dataset's spec."""
        return self.specs[self.dataset]

    @property
    def table(self) -> TableSpec:
        """The table's spec."""
        return self.spec.tables[self.name]

    def margin(self, name: str) -> Margin:
        """A margin of the dataset."""
        check_known(name, self.margins[self.dataset], "margin")
        return self.margins[self.dataset][name]

    def of(self, path: str) -> Scope:
        """Another table, `dataset.table`, of this dataset or of one that it uses."""
        dataset, _, table = path.partition(".")
        if dataset != self.dataset and dataset not in self.spec.uses:
            raise SpecError(f"dataset {dataset!r} is not in uses = {list(self.spec.uses)}; add it")
        check_known(dataset, self.specs, "dataset")
        check_known(table, self.specs[dataset].tables, "table")
        return Scope(self.specs, self.margins, dataset, table)

    def earlier(self, path: str) -> Scope:
        """Another table that is made before this one."""
        other = self.of(path)
        order = list(self.spec.tables)
        if other.dataset == self.dataset and order.index(other.name) >= order.index(self.name):
            raise SpecError(f"table {other.name!r} must stand before {self.name!r}")
        return other

    def types(self, *, hidden: bool = True) -> dict[str, Type]:
        """The types of the table's columns, with or without those that are not written."""
        return {
            name: column.expression_type
            for name, column in self.table.columns.items()
            if hidden or not column.hidden
        }

    def types_with_references(self) -> dict[str, Type]:
        """What a rule may speak of: written columns, and those behind a key."""
        found = self.types(hidden=False)
        for name, column in self.table.columns.items():
            if column.references is None or column.hidden:
                continue
            try:
                behind = self.of(column.references.rpartition(".")[0]).types(hidden=False)
            except SpecError:  # told at the column
                continue
            found |= {f"{name}.{other}": found_type for other, found_type in behind.items()}
        return found

    def parents(self) -> dict[str, Scope]:
        """The tables whose columns `take` may name, by the name that it gives them."""
        rows = self.table.rows
        if rows.matching is not None:
            members, units = rows.matching.members, rows.matching.units
            return {"member": self.earlier(members), "unit": self.earlier(units)}
        if rows.units is not None:
            links = {name: column.link for name, column in self.table.columns.items()}
            return {name: self.earlier(link.members) for name, link in links.items() if link}
        for name, table in self.spec.tables.items():
            if name == self.name:
                break
            if rows.members_of is not None and table.rows.groups_of == rows.members_of:
                return {"group": Scope(self.specs, self.margins, self.dataset, name)}
        linked = {n: c.link for n, c in self.table.columns.items() if c.link is not None}
        return {name: self.earlier(link.members) for name, link in linked.items()}

    def fields(self) -> dict[str, Type]:
        """What `take` may name: fields of the structure and columns of parents."""
        rows = self.table.rows
        own = MEMBER if rows.members_of else GROUP if rows.groups_of else PLACED
        found = {} if rows.matching is not None else dict(own)
        for parent, scope in self.parents().items():
            found |= {f"{parent}.{column}": t for column, t in scope.types().items()}
        return found

    def areas(self) -> tuple[str, ...] | None:
        """The areas that the rows lie in; None where a fault elsewhere keeps them unknown."""
        rows, margins = self.table.rows, self.margins[self.dataset]
        if rows.matching is not None:
            return self.earlier(rows.matching.members).areas()
        pool = self.spec.pools.get(rows.groups_of or rows.members_of or "")
        wanted = rows.units.per if rows.units is not None else None if pool is None else pool.strata
        margin = None if wanted is None else margins.get(wanted)
        return None if margin is None else margin.categories.get("area")

    def may_be_missing(self, name: str, above: tuple[str, ...] = ()) -> bool:
        """Tell whether a column may have no value in some row."""
        column = self.table.columns.get(name)
        if column is None or name in above:  # told elsewhere
            return False
        if column.only_if is not None:
            return True
        if column.derive is not None:
            paths = names(parse(column.derive))
            return any(self.may_be_missing(path[0], (*above, name)) for path in paths)
        head, _, behind = (column.take or "").partition(".")
        parent = self.parents().get(head) if behind else None
        return parent is not None and parent.may_be_missing(behind)

    def check_there(self, name: str, why: str) -> None:
        """Refuse a column that may be missing where a value is needed in every row."""
        if self.may_be_missing(name):
            raise SpecError(f"column {name!r} may be missing (only_if); {why}")

    def check_all_there(self, expression: str, why: str) -> None:
        """Refuse an expression that speaks of a column that may be missing."""
        for path in names(parse(expression)):
            self.check_there(path[0], why)
