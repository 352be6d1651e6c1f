"""How the rows of a replica hang together: keys, references, and the rules of every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from synthetic.evaluation.checks import Check, one
from synthetic.evaluation.sql import render, render_over, seen, text, view
from synthetic.spec.expressions import Node, names, parse
from synthetic.spec.models import ColumnSpec, Spec
from synthetic.tables.forms import quote
from synthetic.tables.manifest import Manifest


def check_keys(connection: duckdb.DuckDBPyConnection, spec: Spec, table: str) -> Iterator[Check]:
    """Every row has a key, and no other row has it."""
    key = ", ".join(quote(column) for column in spec.tables[table].key)
    rows = view(spec.dataset, table)
    null = " OR ".join(f"{quote(c)} IS NULL" for c in spec.tables[table].key)
    n = one(connection, f"SELECT count(*) FROM {rows} WHERE {null}")
    twice = one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {rows} GROUP BY {key} HAVING count(*) > 1)",
    )
    detail = f"{n} missing, {twice} repeated" if n + twice else ""
    yield Check(table, "key", not n + twice, detail, "keys")


def check_references(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """No key leads nowhere; one that may leave the area of a replica is counted apart.

    Where the link says which area it chooses in, a key that leads nowhere though it should have
    stayed is an orphan all the same.
    """
    area = manifest.recipe["area"]
    for name, column in spec.tables[table].columns.items():
        if column.references is None or column.hidden:
            continue
        dataset, other, _ = column.references.split(".")
        if dataset not in replicas:
            continue
        stays = _stays(spec, table, column, area)
        orphans, gone = connection.execute(
            f"SELECT count(*) FILTER ({stays}), count(*) FILTER (NOT ({stays})) "
            f"FROM {view(spec.dataset, table)} c ANTI JOIN "
            f"{view(dataset, other)} p ON {joined(column, name, 'p', 'c')} "
            f"WHERE c.{quote(name)} IS NOT NULL"
        ).fetchall()[0]
        told = [f"{orphans} rows lead nowhere"] if orphans else []
        if gone:
            told.append(f"{gone} rows lead to other areas, as the spec says they may")
        what = f"{name} -> {column.references}"
        yield Check(table, what, not orphans, "; ".join(told), "references")


def _stays(spec: Spec, table: str, column: ColumnSpec, area: str | None) -> str:
    """Which rows' keys lead to a row of this replica, as SQL; the others may leave its area."""
    if not column.leaves_area or area is None:
        return "true"
    columns, link = spec.tables[table].columns, column.link
    if link is None or link.area is None:
        return "false"
    if any(columns[path[0]].hidden for path in names(parse(link.area))):
        return "false"
    return f"coalesce({render_over(link.area, columns, spec.as_of, 'c.')} = {text(area)}, false)"


def check_links(
    connection: duckdb.DuckDBPyConnection,
    specs: Mapping[str, Spec],
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """A link leads to a row for which its `where` holds and whose columns match the row's own."""
    columns = spec.tables[table].columns
    for name, column in columns.items():
        link = column.link
        if link is None or column.references is None or column.hidden:
            continue
        dataset, other, _ = column.references.split(".")
        theirs = specs[dataset].tables[other].columns
        asked = {path[0] for path in names(parse(link.where or "1 == 1"))}
        hidden = any(theirs[c].hidden for c in {*asked, *link.match})
        hidden |= any(columns[c].hidden for c in link.match.values())
        if dataset not in replicas or hidden or not (link.where or link.match):
            continue
        fits = [f"p.{quote(a)} = c.{quote(b)}" for a, b in link.match.items()]
        if link.where is not None:
            fits.append(render_over(link.where, theirs, specs[dataset].as_of, "p."))
        wrong = one(
            connection,
            f"SELECT count(*) FROM {view(spec.dataset, table)} c JOIN {view(dataset, other)} p "
            f"ON {joined(column, name, 'p', 'c')} WHERE NOT ({' AND '.join(fits)})",
        )
        detail = f"not in {wrong} rows" if wrong else ""
        what = f"{name} leads to a row that it may"
        yield Check(table, what, not wrong, detail, "references")


def joined(column: ColumnSpec, name: str, there: str, here: str) -> str:
    """The condition that joins a key to the row that it leads to, over all columns of the key."""
    parts = {str(column.references).rpartition(".")[2]: name} | dict(column.references_with)
    return " AND ".join(
        f"{there}.{quote(theirs)} = {here}.{quote(ours)}" for theirs, ours in parts.items()
    )


def check_rules(
    connection: duckdb.DuckDBPyConnection,
    specs: Mapping[str, Spec],
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """Every rule holds in every row; one row that breaks it fails."""
    for rule in spec.tables[table].rules:
        tree = parse(rule.holds)
        keys = {path[0] for path in names(tree) if len(path) == 2}
        joins, missing = "", False
        for key in sorted(keys):
            column, via = spec.tables[table].columns[key], quote("via " + key)
            dataset, other, _ = str(column.references).split(".")
            missing |= dataset not in replicas
            on = joined(column, key, via, "self")
            joins += f" LEFT JOIN {view(dataset, other)} AS {via} ON {on}"
        if missing:
            continue  # told as "uses …"
        condition = _rule(specs, spec, table, tree)
        title = rule.title.en
        try:
            broken = one(
                connection,
                f"SELECT count(*) FROM {view(spec.dataset, table)} AS self{joins} "
                f"WHERE NOT ({condition})",
            )
        except duckdb.Error as error:  # a number too large, a date that is none
            yield Check(table, title, False, str(error).partition("\n")[0], "rules")
            continue
        detail = f"broken in {broken} rows" if broken else ""
        yield Check(table, title, not broken, detail, "rules")


def _rule(specs: Mapping[str, Spec], spec: Spec, table: str, tree: Node) -> str:
    """A rule as SQL over the table as `self` and, for each key that it follows, `via key`."""
    own = spec.tables[table].columns
    found: dict[tuple[str, ...], ColumnSpec] = {(name,): own[name] for name in own}
    for key, *behind in names(tree):
        if behind:
            dataset, other, _ = str(own[key].references).split(".")
            found[key, behind[0]] = specs[dataset].tables[other].columns[behind[0]]

    def column(path: tuple[str, ...]) -> str:
        at = "self" if len(path) == 1 else quote(f"via {path[0]}")
        return seen(f"{at}.{quote(path[-1])}", found[path])

    types = {".".join(path): held.expression_type for path, held in found.items()}
    return render(tree, column, spec.as_of, types)
