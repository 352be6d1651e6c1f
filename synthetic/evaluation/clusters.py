"""What a sample of a table would draw whole: a household with its members, a person's encounters.

Rows of one household are alike, so that a sample of households strays further from the published
shares than as many rows drawn one by one would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthetic.evaluation.sql import quote, view
from synthetic.spec.models import Spec, TableSpec
from synthetic.spec.scope import Scope


@dataclass(frozen=True)
class Cluster:
    """How a row finds its cluster in SQL, where the table's rows are called `t0`."""

    key: str  # an expression
    joins: str  # of the tables on the way
    what: str  # dataset.table whose rows are the clusters


def cluster(specs: Mapping[str, Spec], dataset: str, table: str) -> Cluster | None:
    """The cluster of a table's rows; None where every row stands for itself."""
    here = Scope(specs, {name: {} for name in specs}, dataset, table)
    joins: list[str] = []
    key, what = "", ""
    while (above := _above(here)) is not None:
        column, parent = above
        key = f"t{len(joins)}.{quote(column)}"
        what = f"{parent.dataset}.{parent.name}"
        if _above(parent) is not None:
            alias = f"t{len(joins) + 1}"
            joins.append(
                f"JOIN {view(parent.dataset, parent.name)} {alias} "
                f"ON {key} = {alias}.{quote(parent.table.key[0])}"
            )
        here = parent
    return Cluster(key, " ".join(joins), what) if key else None


def _above(scope: Scope) -> tuple[str, Scope] | None:
    """The table that this one's rows belong to, and the written column that names its row."""
    parents = scope.parents()
    parent = parents.get("group") or parents.get("parent") or parents.get("member")
    if parent is None or len(parent.table.key) != 1:
        return None
    aim = f"{parent.dataset}.{parent.name}.{parent.table.key[0]}"
    column = _naming(scope.table, aim)
    return None if column is None else (column, parent)


def _naming(table: TableSpec, aim: str) -> str | None:
    """The column that takes the parent's key as its own structure gives it, not by a link."""
    for name, column in table.columns.items():
        head = (column.take or "").partition(".")[0]
        its_own = bool(head) and head not in table.columns
        if column.references == aim and not column.hidden and its_own:
            return name
    return None
