"""Is a replica what its manifest says, and what its spec promises?

Read from the files alone, with SQL: nothing here asks the generator. Files and content are hashed
again, keys and references looked up, every rule tried on every row, every identifier's mark looked
for, quotas and published shares counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.errors import SpecError, StorageError, SyntheticError
from synthetic.evaluation.checks import Check, check_columns, check_published, check_rows, one
from synthetic.evaluation.describe import table_fidelity
from synthetic.evaluation.dirt import check_dirt
from synthetic.evaluation.inputs import statistics_digest
from synthetic.evaluation.sql import connect, quote, render, seen, view
from synthetic.generation.identifiers import kind
from synthetic.spec.check import check_specs
from synthetic.spec.expressions import Node, names, parse
from synthetic.spec.load import digest, known, load_all
from synthetic.spec.margins import Margin
from synthetic.spec.models import ColumnSpec, Spec
from synthetic.spec.scope import Scope
from synthetic.tables import content
from synthetic.tables.manifest import Manifest, inputs_hash, read, sha256, version

_SAMPLES = 3  # examples named in a message


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
    if manifest.data.get("dirt"):
        return checks + _check_dirty_copy(manifest, spec)
    every_margin = check_specs(specs)
    margins = every_margin[manifest.dataset]
    replicas, problems = _with_used(manifest, spec)
    checks += _check_inputs(manifest, spec, replicas)
    with connect(replicas) as connection:
        for table in spec.tables:
            checks += _check_keys(connection, spec, table)
            checks += _check_references(connection, manifest, spec, table, replicas)
            checks += _check_rules(connection, specs, spec, table, replicas)
            checks += _check_identifiers(connection, spec, table)
            checks += check_columns(connection, Scope(specs, every_margin, manifest.dataset, table))
            checks += check_rows(connection, specs, manifest.dataset, table, replicas)
            checks += check_published(connection, manifest, spec, table, margins)
        checks += _check_stated(connection, manifest, specs, margins)
    return checks + problems


def _check_dirty_copy(manifest: Manifest, spec: Spec) -> list[Check]:
    """Rules and totals may be broken there; identifiers must be marked all the same."""
    _, problems = _with_used(manifest, spec)
    checks = list(check_dirt(manifest))
    with connect({manifest.dataset: manifest}) as connection:
        for table in spec.tables:
            checks += _check_keys(connection, spec, table)
            checks += _check_identifiers(connection, spec, table)
    return checks + problems


def verify_folder(folder: Path, spec_folders: Iterable[Path] = ()) -> list[Check]:
    """Verify the replica of a folder; one that cannot even be read has failed."""
    try:
        manifest = read(folder)
        if manifest.dataset not in known(spec_folders):
            raise SpecError(
                f"no spec of {manifest.dataset!r} is known; give its folder: --specs DIR"
            )
        return verify(manifest, load_all([manifest.dataset], spec_folders))
    except SyntheticError as error:
        return [Check("", "manifest and spec", False, str(error))]


def _with_used(manifest: Manifest, spec: Spec) -> tuple[dict[str, Manifest], list[Check]]:
    """The replica and those that its keys lead to, which lie beside it."""
    replicas, problems = {manifest.dataset: manifest}, []
    if set(manifest.data["depends"]) != set(spec.uses):
        told = f"the manifest names {sorted(manifest.data['depends'])}, the spec {list(spec.uses)}"
        problems.append(Check("", "uses", False, told))
    root = manifest.folder.parent.parent
    for dataset, built in manifest.data["depends"].items():
        try:
            used = read(root / dataset / built)
            damaged = [c.detail for c in _check_files(used) if not c.ok]
            if damaged:
                raise StorageError(f"{used.folder}: {damaged[0]}")
            replicas[dataset] = used
        except StorageError as error:
            told = f"{error}; {dataset} {built} is needed beside: build {manifest.dataset} again"
            problems.append(Check("", f"uses {dataset}", False, told))
    return replicas, problems


def _check_inputs(
    manifest: Manifest, spec: Spec, replicas: Mapping[str, Manifest]
) -> Iterator[Check]:
    """The version must follow from recipe, spec, published tables and model."""
    hashes = manifest.data["hashes"]
    wrong = []
    if hashes["statistics"] != statistics_digest(spec):
        wrong.append("built from other published tables")
    found = inputs_hash(
        generation=hashes.get("generation"),
        recipe=dict(manifest.recipe),
        spec=hashes["spec"],
        statistics=hashes["statistics"],
        model=hashes["model"],
        uses={
            name: replicas[name].data["hashes"]["inputs"] for name in spec.uses if name in replicas
        },
    )
    if found != hashes["inputs"]:
        wrong.append("recipe or hashes were changed")
    if not manifest.version == manifest.folder.name == version(manifest.recipe, hashes["inputs"]):
        wrong.append("version, folder and recipe do not agree")
    yield Check("", "recipe and inputs", not wrong, "; ".join(wrong))


def _check_stated(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    specs: Mapping[str, Spec],
    margins: Mapping[str, Margin],
) -> Iterator[Check]:
    """The fidelity that the manifest states is the one that the rows have."""
    area = manifest.recipe["area"]
    pairs: list[object] = []
    for table in manifest.tables:
        name = str(table["name"])
        try:
            columns, found = table_fidelity(
                connection, specs, manifest.dataset, name, margins, area
            )
        except SyntheticError:
            continue  # told by the comparison itself
        pairs += found
        stated = {column["name"]: column.get("fidelity") for column in table["columns"]}
        wrong = sorted(column for column in columns if stated.get(column) != columns[column])
        yield Check(name, "stated fidelity", not wrong, ", ".join(wrong[:_SAMPLES]))
    ok = manifest.data.get("pairs") == pairs
    yield Check("", "stated fidelity of pairs", ok, "" if ok else "other figures")


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
            elif sha256(path) != file["sha256"] or path.stat().st_size != file["bytes"]:
                wrong.append(f"{file['path']} is not the file that was published (SHA-256)")
        if sum(file["rows"] for file in table["files"]) != table["rows"]:
            wrong.append("the rows of the files do not add up to the table's")
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


def _check_keys(connection: duckdb.DuckDBPyConnection, spec: Spec, table: str) -> Iterator[Check]:
    key = ", ".join(quote(column) for column in spec.tables[table].key)
    rows = view(spec.dataset, table)
    null = " OR ".join(f"{quote(c)} IS NULL" for c in spec.tables[table].key)
    n = one(connection, f"SELECT count(*) FROM {rows} WHERE {null}")
    twice = one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {rows} GROUP BY {key} HAVING count(*) > 1)",
    )
    yield Check(table, "key", not n + twice, f"{n} missing, {twice} repeated" if n + twice else "")


def _check_references(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    spec: Spec,
    table: str,
    replicas: Mapping[str, Manifest],
) -> Iterator[Check]:
    """No key leads nowhere; one that may leave the area of a replica is counted apart."""
    for name, column in spec.tables[table].columns.items():
        if column.references is None or column.hidden:
            continue
        dataset, other, _ = column.references.split(".")
        if dataset not in replicas:
            continue
        orphans = one(
            connection,
            f"SELECT count(*) FROM {view(spec.dataset, table)} c ANTI JOIN "
            f"{view(dataset, other)} p ON {joined(column, name, 'p', 'c')} "
            f"WHERE c.{quote(name)} IS NOT NULL",
        )
        detail = f"{orphans} rows lead nowhere" if orphans else ""
        if orphans and column.leaves_area and manifest.recipe["area"] is not None:
            detail = f"{orphans} rows lead to other areas, as the spec says they may"
            orphans = 0
        yield Check(table, f"{name} -> {column.references}", not orphans, detail)


def joined(column: ColumnSpec, name: str, there: str, here: str) -> str:
    """The condition that joins a key to the row that it leads to, over all columns of the key."""
    parts = {str(column.references).rpartition(".")[2]: name} | dict(column.references_with)
    return " AND ".join(
        f"{there}.{quote(theirs)} = {here}.{quote(ours)}" for theirs, ours in parts.items()
    )


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
            column, via = spec.tables[table].columns[key], quote("via " + key)
            dataset, other, _ = str(column.references).split(".")
            missing |= dataset not in replicas
            on = joined(column, key, via, "self")
            joins += f" LEFT JOIN {view(dataset, other)} AS {via} ON {on}"
        if missing:
            continue  # told as "uses …"
        condition = _rule(specs, spec, table, tree)
        try:
            broken = one(
                connection,
                f"SELECT count(*) FROM {view(spec.dataset, table)} AS self{joins} "
                f"WHERE NOT ({condition})",
            )
        except duckdb.Error as error:  # a number too large, a date that is none
            yield Check(table, rule.title.en, False, str(error).partition("\n")[0])
            continue
        yield Check(table, rule.title.en, not broken, f"broken in {broken} rows" if broken else "")


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


def _check_identifiers(
    connection: duckdb.DuckDBPyConnection, spec: Spec, table: str
) -> Iterator[Check]:
    for name, column in spec.tables[table].columns.items():
        if column.identifier is None or column.hidden:
            continue
        reader = connection.sql(
            f"SELECT {quote(name)} AS v FROM {view(spec.dataset, table)} "
            f"WHERE {quote(name)} IS NOT NULL"
        ).to_arrow_reader(100_000)
        unmarked = 0
        for batch in reader:
            texts = batch.column(0).cast(pa.string())
            unmarked += int((~kind(column.identifier.kind).is_marked(texts)).sum())
        detail = f"{unmarked} could be real" if unmarked else ""
        yield Check(table, f"{name} cannot be real", not unmarked, detail)
