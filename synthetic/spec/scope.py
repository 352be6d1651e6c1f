"""What the keys of one table may speak of: its columns, fields, parents, areas and codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache

from synthetic import statistics
from synthetic.errors import SpecError, nearest
from synthetic.spec.expressions import Literal, Name, Node, Type, names, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import ColumnSpec, Link, Spec, TableSpec

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
CHILD = PLACED | {"position": Type.INTEGER, "count": Type.INTEGER}
CELL = {"number": Type.INTEGER, "value": Type.INTEGER}
STRUCTURE = ("group", "member", "unit", "parent")  # parents that a table's rows give

Codes = tuple[str, ...] | None  # of a column; none where it holds no codes


def check_known(name: str, among: Mapping[str, object], what: str) -> None:
    """Refuse a name that is not there, with the nearest that is."""
    if name not in among:
        raise SpecError(f"unknown {what} {name!r}; {nearest(name, among)}")


def codes_of(column: ColumnSpec) -> Codes:
    """The codes that a column may hold, in their published order; None where it is no code."""
    if column.codes is not None:
        return tuple(column.codes)
    source = column.codes_from
    if source is None:
        return None
    titles = tuple(title for title in (source.vi, source.en) if title is not None)
    return _published_codes(source.table, source.code, titles, tuple(source.where.items()))


@cache  # thirteen specs ask some hundred times for a few lists, one of 3,321 communes
def _published_codes(
    table: str, code: str, titles: tuple[str, ...], where: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    header = statistics.header(table)
    for column in (code, *titles, *dict(where)):
        if column not in header:
            raise SpecError(f"{table} has no column {column!r}; {nearest(column, header)}")
    codes = Counter(
        row[code] for row in statistics.rows(table) if all(row[k] == v for k, v in where)
    )
    if not codes:
        raise SpecError(f"no row of {table} fits where = {dict(where)}")
    known, n = codes.most_common(1)[0]
    if n > 1:
        raise SpecError(
            f"{n} rows of {table} have {code} = {known!r}; a code list has one row "
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
    known: dict[tuple[str, str, str], bool] = field(default_factory=dict)  # what may be missing

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
        return Scope(self.specs, self.margins, dataset, table, self.known)

    def earlier(self, path: str) -> Scope:
        """Another table that is made before this one."""
        other = self.of(path)
        order = list(self.spec.tables)
        if other.dataset == self.dataset and order.index(other.name) >= order.index(self.name):
            raise SpecError(
                f"table {other.name!r} must stand before {self.name!r}; where each needs the "
                "other, leave one of the keys out"
            )
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
        rows, found = self.table.rows, {}
        if rows.matching is not None:
            found["member"] = self.earlier(rows.matching.members)
            found["unit"] = self.earlier(rows.matching.units)
        if rows.children is not None:
            found["parent"] = self.earlier(rows.children.of)
        groups = self._groups()
        if groups is not None:
            found["group"] = groups
        links = ((name, column.link) for name, column in self.table.columns.items())
        return found | {name: self.linked(link) for name, link in links if link is not None}

    def _groups(self) -> Scope | None:
        """The table of the groups whose members this table holds."""
        pool = self.table.rows.members_of
        for name, table in self.spec.tables.items():
            if name == self.name:
                break
            if pool is not None and table.rows.groups_of == pool:
                return Scope(self.specs, self.margins, self.dataset, name)
        return None

    def linked(self, link: Link) -> Scope:
        """The table that a link leads to; it may be this one where no row can need itself."""
        path = link.members or link.units
        own = path == f"{self.dataset}.{self.name}" and link.within is not None
        return self if path is None or own else self.earlier(path)

    def root(self) -> tuple[str, str]:
        """The pool, or the table of units, that the rows hang on in the end."""
        rows = self.table.rows
        if rows.children is not None:
            return self.earlier(rows.children.of).root()
        if rows.matching is not None:
            return self.earlier(rows.matching.members).root()
        pool = rows.groups_of or rows.members_of
        return self.dataset, f"pool {pool}" if pool is not None else self.name

    def fields(self) -> dict[str, Type]:
        """What `take` may name: fields of the structure and columns of parents."""
        found = self.own_fields()
        for parent, scope in self.parents().items():
            found |= {f"{parent}.{column}": t for column, t in scope.types().items()}
        return found

    def own_fields(self) -> dict[str, Type]:
        """The fields that the structure of the rows gives."""
        rows = self.table.rows
        if rows.matching is not None:
            return {}
        if rows.children is not None:
            placed = self.areas() != ()
            return {n: t for n, t in CHILD.items() if placed or n not in ("area", "place", "rank")}
        if rows.cells is not None:
            axes = dict.fromkeys(self.axes(), Type.TEXT)
            return CELL | ({"rank": Type.INTEGER} if "area" in axes else {}) | axes
        if rows.units is not None:
            return PLACED | dict.fromkeys(self.axes(), Type.TEXT)
        return dict(MEMBER if rows.members_of else GROUP)

    def axes(self) -> dict[str, tuple[str, ...]]:
        """The fields that come from a margin's axes, with their categories."""
        units, cells = self.table.rows.units, self.table.rows.cells
        rows, wanted = units or cells, units.per if units else cells.of if cells else ""
        margin = self.margins[self.dataset].get(wanted)
        if rows is None or margin is None:
            return {}
        spread = self.margins[self.dataset].get(rows.spread or "")
        areas = {} if spread is None else {"area": spread.categories.get("area", ())}
        return areas | margin.categories

    def areas(self) -> tuple[str, ...] | None:
        """The areas that the rows lie in; None where a fault elsewhere keeps them unknown.

        There is none, (), for rows that belong to the country as a whole.
        """
        rows, margins = self.table.rows, self.margins[self.dataset]
        if rows.matching is not None:
            return self.earlier(rows.matching.members).areas()
        if rows.children is not None:
            return self.earlier(rows.children.of).areas()
        if rows.units is not None or rows.cells is not None:
            axes = self.axes()
            return axes.get("area", () if axes and rows.cells is not None else None)
        pool = self.spec.pools.get(rows.groups_of or rows.members_of or "")
        margin = None if pool is None else margins.get(pool.strata)
        return None if margin is None else margin.categories.get("area")

    def may_be_missing(self, name: str, above: tuple[str, ...] = ()) -> bool:
        """Tell whether a column may have no value in some row."""
        column = self.table.columns.get(name)
        if column is None or name in above:  # told elsewhere
            return False
        key = (self.dataset, self.name, name)
        if key not in self.known:
            self.known[key] = self._may_be_missing(name, column, above)
        return self.known[key]

    def _may_be_missing(self, name: str, column: ColumnSpec, above: tuple[str, ...]) -> bool:
        return column.only_if is not None or self.may_lack(name, above)

    def may_lack(self, name: str, above: tuple[str, ...] = ()) -> bool:
        """Tell whether a column may have no value even where its `only_if` holds."""
        column = self.table.columns[name]
        if column.missing is not None or (column.link is not None and column.link.may_be_missing):
            return True
        if column.model is not None:  # only the model's file could tell
            return True
        below = (*above, name)
        if column.derive is not None:
            return self._tree_may_be_missing(parse(column.derive), below)
        if column.assume is not None and column.assume.hour is not None:
            return self.may_be_missing(column.assume.hour.at, below)
        if column.assume is not None and column.assume.day is not None:
            trees = (parse(text) for text in (column.assume.day.from_, column.assume.day.to))
            return any(self._tree_may_be_missing(tree, below) for tree in trees)
        head, _, behind = (column.take or "").partition(".")
        parent = self.parents().get(head) if behind else None
        if parent is None:
            return False
        return self.may_be_missing(head, below) or parent.may_be_missing(behind, above)

    def _tree_may_be_missing(self, tree: Node, above: tuple[str, ...]) -> bool:
        # Columns first, so that a chain of columns does not nest the depths of their trees.
        lacking = {path[0] for path in names(tree) if self.may_be_missing(path[0], above)}
        return _may_be_missing(tree, lacking)

    def check_there(self, name: str, why: str) -> None:
        """Refuse a column that may be missing where a value is needed in every row."""
        if self.may_be_missing(name):
            own = " (only_if)" if self.table.columns[name].only_if is not None else ""
            raise SpecError(f"column {name!r} may be missing{own}; {why}")

    def check_all_there(self, expression: str, why: str) -> None:
        """Refuse an expression that may have no value in some row."""
        tree = parse(expression)
        if not self._tree_may_be_missing(tree, ()):
            return
        for path in names(tree):
            self.check_there(path[0], why)
        raise SpecError(f"{expression!r} may be missing; {why}")


def _may_be_missing(tree: Node, lacking: Set[str]) -> bool:
    """Tell whether a tree may have no value where these columns may have none."""
    if isinstance(tree, Name):
        return tree.path[0] in lacking
    if isinstance(tree, Literal) or tree.op == "is missing":
        return False
    found = (_may_be_missing(arg, lacking) for arg in tree.args)
    if tree.op in ("coalesce", "min", "max"):
        return all(found)
    if tree.op == "div" and not (isinstance(tree.args[1], Literal) and tree.args[1].value):
        return True
    return any(found)
