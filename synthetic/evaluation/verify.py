"""Is a replica what its manifest says, and what its spec promises?

Read from the files alone, with SQL: nothing here asks the generator. Files and content are hashed
again, keys and references looked up, every rule tried on every row, every identifier's mark looked
for, quotas and published shares counted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.errors import StorageError, SyntheticError
from synthetic.evaluation.fidelity import (
    Comparison,
    columns_of,
    comparisons,
    count,
    measure,
    restricted,
)
from synthetic.evaluation.sql import connect, quote, render
from synthetic.generation.identifiers import kind
from synthetic.spec.check import check_specs
from synthetic.spec.expressions import names, parse
from synthetic.spec.load import digest
from synthetic.spec.margins import Margin
from synthetic.spec.models import Spec
from synthetic.tables import content
from synthetic.tables.manifest import Manifest, read, sha256

# A calibrated table may lie this many times as far from its margin as a simple random sample would.
# Members of one household are alike, which widens a sample's error by at most the square root of
# the mean household size (3.6), 1.9; the rest is room for chance.
TOLERANCE = 2.5
_SAMPLES = 3  # examples named in a message


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    table: str
    what: str
    ok: bool
    detail: str = ""


def verify(manifest: Manifest, specs: Mapping[str, Spec]) -> list[Check]:
    """Look at everything that a replica promises.

    Parameters
    ----------
    manifest : Manifest
        The replica.
    specs : mapping
        Its spec and those of the datasets that it uses.
    """
    checks = list(_check_files(manifest))
    if not all(check.ok for check in checks):
        return checks  # what follows would read damaged files
    spec = specs[manifest.dataset]
    if digest(spec) != manifest.data["hashes"]["spec"]:
        return [
            *checks,
            Check("", "spec", False, "the replica was built from another version of the spec"),
        ]
    margins = check_specs(specs)[manifest.dataset]
    replicas, problems = _with_used(manifest)
    with connect(replicas) as connection:
        for table in spec.tables:
            checks += _check_keys(connection, spec, table)
            checks += _check_references(connection, spec, table, replicas)
            checks += _check_rules(connection, specs, spec, table, replicas)
            checks += _check_identifiers(connection, spec, table)
            checks += _check_published(connection, manifest, spec, table, margins)
    return checks + problems


def _with_used(manifest: Manifest) -> tuple[dict[str, Manifest], list[Check]]:
    """The replica and those that its keys lead to, which lie beside it."""
    replicas, problems = {manifest.dataset: manifest}, []
    root = manifest.folder.parent.parent
    for dataset, version in manifest.data["depends"].items():
        try:
            used = read(root / dataset / version)
            missing = [p for t in used.tables for p in used.files(t["name"]) if not p.is_file()]
            if missing:
                raise StorageError(f"{missing[0]} is missing")
            replicas[dataset] = used
        except StorageError as error:
            problems.append(Check("", f"uses {dataset}", False, str(error)))
    return replicas, problems


def _check_files(manifest: Manifest) -> Iterator[Check]:
    expected = {"manifest.json"}
    for table in manifest.tables:
        name = table["name"]
        wrong = []
        for file in table["files"]:
            expected.add(file["path"])
            path = manifest.folder / file["path"]
            if not path.is_file():
                wrong.append(f"{file['path']} is missing")
            elif sha256(path) != file["sha256"]:
                wrong.append(f"{file['path']} is not the file that was published (SHA-256)")
        yield Check(name, "files", not wrong, "; ".join(wrong[:_SAMPLES]))
        if wrong:
            continue
        yield _check_content(manifest, name, table["content_hash"], table["columns"])
    found = {
        path.relative_to(manifest.folder).as_posix()
        for path in manifest.folder.rglob("*")
        if path.is_file()
    }
    extra = sorted(found - expected)
    yield Check("", "no other files", not extra, ", ".join(extra[:_SAMPLES]))


def _check_content(
    manifest: Manifest, name: str, published: str, columns: list[Mapping[str, object]]
) -> Check:
    try:
        files = manifest.files(name)
        for path in files:
            if pq.read_schema(path).names != [column["name"] for column in columns]:
                return Check(name, "content", False, f"{path.name} has other columns")
        found = content.of_files(files).hexdigest()
    except (pa.ArrowException, OSError) as error:
        return Check(name, "content", False, f"cannot be read: {error}")
    return Check(name, "content", found == published, "" if found == published else "other rows")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    # All rows are fetched: a result that is half read blocks the connection.
    ((value,),) = connection.execute(query).fetchall()
    return int(value)


def _view(dataset: str, table: str) -> str:
    return f"{quote(dataset)}.{quote(table)}"


def _check_keys(connection: duckdb.DuckDBPyConnection, spec: Spec, table: str) -> Iterator[Check]:
    key = ", ".join(quote(column) for column in spec.tables[table].key)
    view = _view(spec.dataset, table)
    null = " OR ".join(f"{quote(c)} IS NULL" for c in spec.tables[table].key)
    n = _one(connection, f"SELECT count(*) FROM {view} WHERE {null}")
    twice = _one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {view} GROUP BY {key} HAVING count(*) > 1)",
    )
    yield Check(table, "key", not n + twice, f"{n} missing, {twice} repeated" if n + twice else "")


def _check_references(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    for name, column in spec.tables[table].columns.items():
        if column.references is None or column.hidden:
            continue
        dataset, other, target = column.references.split(".")
        if dataset not in replicas:
            continue
        orphans = _one(
            connection,
            f"SELECT count(*) FROM {_view(spec.dataset, table)} c ANTI JOIN "
            f"{_view(dataset, other)} p ON c.{quote(name)} = p.{quote(target)} "
            f"WHERE c.{quote(name)} IS NOT NULL",
        )
        detail = f"{orphans} rows lead nowhere" if orphans else ""
        yield Check(table, f"{name} -> {column.references}", not orphans, detail)


def _check_rules(
    connection: duckdb.DuckDBPyConnection,
    specs: Mapping[str, Spec],
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    for rule in spec.tables[table].rules:
        tree = parse(rule.holds)
        keys = {path[0] for path in names(tree) if len(path) == 2}
        joins, missing = "", False
        for key in sorted(keys):
            dataset, other, target = str(spec.tables[table].columns[key].references).split(".")
            missing |= dataset not in replicas
            joins += (
                f" LEFT JOIN {_view(dataset, other)} AS {quote('via ' + key)}"
                f" ON {quote('via ' + key)}.{quote(target)} = self.{quote(key)}"
            )
        if missing:
            continue  # told as "uses …"
        condition = render(tree, _rule_column, spec.as_of)
        broken = _one(
            connection,
            f"SELECT count(*) FROM {_view(spec.dataset, table)} AS self{joins} "
            f"WHERE NOT ({condition})",
        )
        yield Check(table, rule.title.en, not broken, f"broken in {broken} rows" if broken else "")


def _rule_column(path: tuple[str, ...]) -> str:
    if len(path) == 1:
        return f"self.{quote(path[0])}"
    return f"{quote('via ' + path[0])}.{quote(path[1])}"


def _check_identifiers(
    connection: duckdb.DuckDBPyConnection, spec: Spec, table: str
) -> Iterator[Check]:
    for name, column in spec.tables[table].columns.items():
        if column.identifier is None or column.hidden:
            continue
        reader = connection.sql(
            f"SELECT {quote(name)} AS v FROM {_view(spec.dataset, table)} "
            f"WHERE {quote(name)} IS NOT NULL"
        ).to_arrow_reader(100_000)
        unmarked = 0
        for batch in reader:
            texts = batch.column(0).cast(pa.string())
            unmarked += int((~kind(column.identifier.kind).is_marked(texts)).sum())
        detail = f"{unmarked} could be real" if unmarked else ""
        yield Check(table, f"{name} cannot be real", not unmarked, detail)


def _check_published(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    spec: Spec,
    table: str,
    margins: Mapping[str, Margin],
) -> Iterator[Check]:
    recipe = manifest.recipe
    areas = None if recipe["area"] is None else {str(recipe["area"])}
    entries = comparisons(spec.tables[table], margins)
    gaps = _contradictions([entry.margin for entry in entries if entry.quota])
    for entry in entries:
        margin = entry.margin.over(*entry.by)
        counts = count(connection, spec, table, entry.by)
        what = " x ".join(columns_of(entry)) + f" against {margin.table}"
        try:
            if entry.quota and recipe["margins"] == "exact":
                yield _check_quota(table, what, entry, counts, margin, recipe["scale"], areas, gaps)
            found = measure(counts, margin, columns_of(entry), areas)
        except SyntheticError as error:
            yield Check(table, what, False, str(error))
            continue
        yield Check(
            table,
            what,
            found.distance <= TOLERANCE * found.sampling + 1e-12,
            f"total variation {found.distance:.2g}; sampling alone {found.sampling:.2g}",
        )


def _contradictions(margins: list[Margin]) -> dict[str, Fraction]:
    """By how much published tables disagree on an area's total."""
    totals: dict[str, list[Fraction]] = {}
    for margin in margins:
        for (area,), value in margin.over("area").cells.items():
            totals.setdefault(area, []).append(value)
    return {area: max(values) - min(values) for area, values in totals.items()}


def _check_quota(
    table: str,
    what: str,
    entry: Comparison,
    counts: Mapping[tuple[str, ...], int],
    margin: Margin,
    scale: str,
    areas: set[str] | None,
    gaps: Mapping[str, Fraction],
) -> Check:
    """Every cell is its published figure x scale, rounded down or up.

    Where published tables contradict each other on an area's total, by that gap more.
    """
    at = list(entry.by).index("area")
    wrong = [
        f"{' x '.join(cell)} is {counts.get(cell, 0)}, published {float(value * Fraction(scale)):g}"
        for cell, value in restricted(margin, areas).items()
        if abs(counts.get(cell, 0) - value * Fraction(scale))
        >= 1 + gaps.get(cell[at], Fraction(0)) * Fraction(scale)
    ]
    return Check(table, f"quota: {what}", not wrong, "; ".join(wrong[:_SAMPLES]))
