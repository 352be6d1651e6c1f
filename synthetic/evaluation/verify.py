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

from synthetic.errors import StorageError, SyntheticError
from synthetic.evaluation.checks import Check, check_columns, check_published, check_rows, one
from synthetic.evaluation.describe import table_fidelity
from synthetic.evaluation.inputs import statistics_digest
from synthetic.evaluation.sql import connect, quote, render, view
from synthetic.generation.identifiers import kind
from synthetic.spec.check import check_specs
from synthetic.spec.expressions import names, parse
from synthetic.spec.load import digest, load_all
from synthetic.spec.margins import Margin
from synthetic.spec.models import Spec
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
    margins = check_specs(specs)[manifest.dataset]
    replicas, problems = _with_used(manifest, spec)
    checks += _check_inputs(manifest, spec, replicas)
    with connect(replicas) as connection:
        for table in spec.tables:
            checks += _check_keys(connection, spec, table)
            checks += _check_references(connection, spec, table, replicas)
            checks += _check_rules(connection, specs, spec, table, replicas)
            checks += _check_identifiers(connection, spec, table)
            checks += check_columns(connection, spec, table)
            checks += check_rows(connection, specs, manifest.dataset, table, replicas)
            checks += check_published(connection, manifest, spec, table, margins)
        checks += _check_stated(connection, manifest, specs, margins)
    return checks + problems


def verify_folder(folder: Path, spec_folders: Iterable[Path] = ()) -> list[Check]:
    """Verify the replica of a folder; one that cannot even be read has failed."""
    try:
        manifest = read(folder)
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
            problems.append(Check("", f"uses {dataset}", False, str(error)))
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
        orphans = one(
            connection,
            f"SELECT count(*) FROM {view(spec.dataset, table)} c ANTI JOIN "
            f"{view(dataset, other)} p ON c.{quote(name)} = p.{quote(target)} "
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
                f" LEFT JOIN {view(dataset, other)} AS {quote('via ' + key)}"
                f" ON {quote('via ' + key)}.{quote(target)} = self.{quote(key)}"
            )
        if missing:
            continue  # told as "uses …"
        condition = render(tree, _rule_column, spec.as_of)
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
            f"SELECT {quote(name)} AS v FROM {view(spec.dataset, table)} "
            f"WHERE {quote(name)} IS NOT NULL"
        ).to_arrow_reader(100_000)
        unmarked = 0
        for batch in reader:
            texts = batch.column(0).cast(pa.string())
            unmarked += int((~kind(column.identifier.kind).is_marked(texts)).sum())
        detail = f"{unmarked} could be real" if unmarked else ""
        yield Check(table, f"{name} cannot be real", not unmarked, detail)
