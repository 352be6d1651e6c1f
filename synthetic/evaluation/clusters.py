"""What a sample of a table would draw whole: a household with its members, a person's encounters.

Rows of one household are alike, so that a sample of households strays further from the published
shares than as many rows drawn one by one would. Clusters are found in the files of the table's own
dataset: another one may lie elsewhere, and what a manifest states should not hang on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthetic.evaluation.sql import view
from synthetic.spec.models import Spec, TableSpec
from synthetic.spec.scope import Scope
from synthetic.tables.forms import quote

Columns = Mapping[str, str]  # column of a table -> how SQL reaches it


@dataclass(frozen=True)
class Cluster:
    """How a row finds its cluster in SQL, where the table's rows are called `t0`."""

    key: str  # an expression
    joins: str  # of the tables on the way
    what: str  # dataset.table whose rows are the clusters
    numbered: bool  # whether the key is a whole number


def cluster(specs: Mapping[str, Spec], dataset: str, table: str) -> Cluster | None:
    """The largest cluster that a row's own dataset tells; None where every row is by itself."""
    here = Scope(specs, {name: {} for name in specs}, dataset, table)
    known, joins = _written(here.table, "t0"), ""
    found: Cluster | None = None
    while (above := _above(here)) is not None:
        role, column, parent = above
        if column not in known and found is not None and here.dataset == dataset:
            alias = f"t{joins.count('JOIN') + 1}"
            joins += f" JOIN {view(dataset, here.name)} {alias} ON {found.key} = "
            joins += f"{alias}.{quote(here.table.key[0])}"
            known = _written(here.table, alias)
        if column not in known:
            break
        numbered = here.table.columns[column].type == "integer"
        found = Cluster(known[column], joins, f"{parent.dataset}.{parent.name}", numbered)
        known = _carried(here.table, role, known)
        here = parent
    alone = [f"t0.{quote(name)}" for name in specs[dataset].tables[table].key]
    return None if found is None or alone == [found.key] else found


def _written(table: TableSpec, alias: str) -> Columns:
    return {n: f"{alias}.{quote(n)}" for n, column in table.columns.items() if not column.hidden}


def _carried(table: TableSpec, role: str, known: Columns) -> Columns:
    """Columns of the row above that a table's own columns repeat."""
    taken = {name: column.take or "" for name, column in table.columns.items() if name in known}
    return {
        take.removeprefix(f"{role}."): known[name]
        for name, take in taken.items()
        if take.startswith(f"{role}.")
    }


def _above(scope: Scope) -> tuple[str, str, Scope] | None:
    """The table that this one's rows belong to, as what, and the column that names its row."""
    parents = scope.parents()
    role = next((role for role in ("group", "parent", "member") if role in parents), None)
    if role is None or len(parents[role].table.key) != 1:
        return None
    parent = parents[role]
    column = _naming(scope.table, f"{parent.dataset}.{parent.name}.{parent.table.key[0]}")
    return None if column is None else (role, column, parent)


def _naming(table: TableSpec, aim: str) -> str | None:
    """The column that takes the parent's key as its own structure gives it, not by a link."""
    for name, column in table.columns.items():
        head = (column.take or "").partition(".")[0]
        its_own = bool(head) and head not in table.columns
        if column.references == aim and not column.hidden and its_own:
            return name
    return None
