"""Is a replica what its manifest says, and what its spec promises?

Read from the files alone, with SQL: nothing here asks the generator. Files and content are hashed
again, keys and references looked up, every rule tried on every row, every identifier's mark looked
for, formulas reckoned again, quotas, published shares and missing values counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.errors import SpecError, StorageError, SyntheticError
from synthetic.evaluation.checks import SAMPLES, Check
from synthetic.evaluation.describe import table_fidelity
from synthetic.evaluation.dirt import check_dirt
from synthetic.evaluation.fitted import check_fitted
from synthetic.evaluation.forms import form
from synthetic.evaluation.identity import check_identity, check_marks
from synthetic.evaluation.inputs import statistics_digest
from synthetic.evaluation.null import check_null
from synthetic.evaluation.published import check_published
from synthetic.evaluation.relations import (
    check_keys,
    check_links,
    check_references,
    check_rules,
)
from synthetic.evaluation.rows import check_rows
from synthetic.evaluation.sql import connect
from synthetic.evaluation.values import check_columns
from synthetic.spec.check import check_specs
from synthetic.spec.load import digest, known, load_all
from synthetic.spec.margins import Margin
from synthetic.spec.models import Spec
from synthetic.spec.scope import Scope
from synthetic.tables import content
from synthetic.tables.forms import kept
from synthetic.tables.manifest import Manifest, inputs_hash, read, sha256, version


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
    if not manifest.data.get("dirt"):
        checks += _check_forms(manifest, specs)
        if not checks[-1].ok:
            return checks  # rows are read by what the manifest says of them
    if manifest.data.get("dirt"):
        return checks + _check_dirty_copy(manifest, spec)
    if manifest.data.get("null"):
        replicas, problems = _with_used(manifest, spec)
        return [*checks, *check_null(manifest, specs, replicas), *problems]
    every_margin = check_specs(specs)
    margins = every_margin[manifest.dataset]
    replicas, problems = _with_used(manifest, spec)
    checks += _check_inputs(manifest, spec, replicas)
    with connect(replicas) as connection:
        for table in spec.tables:
            checks += check_keys(connection, spec, table)
            checks += check_references(connection, manifest, spec, table, replicas)
            checks += check_links(connection, specs, spec, table, replicas)
            checks += check_rules(connection, specs, spec, table, replicas)
            checks += check_marks(connection, spec, table)
            checks += check_identity(connection, spec, table)
            checks += check_columns(connection, Scope(specs, every_margin, manifest.dataset, table))
            checks += check_rows(connection, specs, manifest.dataset, table, replicas)
            checks += check_published(connection, manifest, specs, table, margins)
        checks += _check_stated(connection, manifest, specs, margins)
    return checks + problems


def _check_forms(manifest: Manifest, specs: Mapping[str, Spec]) -> list[Check]:
    """Files are read as the spec says that they are written."""
    wrong = [
        f"{table['name']}.{column['name']}"
        for table in manifest.tables
        for column in table["columns"]
        if column.get("form") != form(specs, manifest.dataset, table["name"], column["name"])
    ]
    return [Check("", "how columns are read", not wrong, ", ".join(wrong[:SAMPLES]))]


def _check_dirty_copy(manifest: Manifest, spec: Spec) -> list[Check]:
    """Rules and totals may be broken there; identifiers must be marked all the same."""
    _, problems = _with_used(manifest, spec)
    checks = list(check_dirt(manifest))
    with connect({manifest.dataset: manifest}) as connection:
        for table in spec.tables:
            checks += check_keys(connection, spec, table)
            checks += check_marks(connection, spec, table)
    return checks + problems


def verify_folder(folder: Path, spec_folders: Iterable[Path] = ()) -> list[Check]:
    """Verify the replica of a folder; one that cannot even be read has failed."""
    try:
        manifest = read(folder)
        if manifest.dataset not in known(spec_folders):
            raise SpecError(
                f"no spec of {manifest.dataset!r} is known; give its folder: --specs DIR"
            )
        specs = load_all([manifest.dataset], spec_folders)
        return [*verify(manifest, specs), *check_fitted(manifest, specs, spec_folders)]
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
            told = f"{error}; {_remedy(manifest, dataset, built)}"
            problems.append(Check("", f"uses {dataset}", False, told))
    return replicas, problems


def _remedy(manifest: Manifest, dataset: str, built: str) -> str:
    """The command that makes a replica and puts those that it uses beside it."""
    recipe, out = manifest.recipe, manifest.folder.parent.parent
    area = "" if recipe["area"] is None else f" --area {recipe['area']}"
    return (
        f"{manifest.dataset} needs {dataset} {built} beside it; build both again: synthetic build "
        f"{manifest.dataset} --scale {recipe['scale']}{area} --seed {recipe['seed']} "
        f"--margins {recipe['margins']} --out {out}"
    )


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
    if found != hashes["inputs"] and set(spec.uses) <= set(replicas):  # else told as "uses …"
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
    pairs: list[object] = []
    for table in manifest.tables:
        name = str(table["name"])
        try:
            columns, found = table_fidelity(
                connection,
                specs,
                manifest.dataset,
                name,
                margins,
                manifest.recipe,
                table.get("model"),
            )
        except SyntheticError:
            continue  # told by the comparison itself
        pairs += found
        stated = {column["name"]: column.get("fidelity") for column in table["columns"]}
        wrong = sorted(column for column in columns if stated.get(column) != columns[column])
        yield Check(name, "stated fidelity", not wrong, ", ".join(wrong[:SAMPLES]), "fidelity")
    ok = manifest.data.get("pairs") == pairs
    yield Check("", "stated fidelity of pairs", ok, "" if ok else "other figures", "fidelity")


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
        yield Check(name, "files", not wrong, "; ".join(wrong[:SAMPLES]))
        if wrong:
            continue
        yield _check_content(manifest, name, table["content_hash"], table["columns"])
    found = {
        path.relative_to(manifest.folder).as_posix()
        for path in manifest.folder.rglob("*")
        if path.is_file()
    }
    extra = sorted(found - expected)
    yield Check("", "no other files", not extra, ", ".join(extra[:SAMPLES]))


def _check_content(
    manifest: Manifest, name: str, published: str, columns: list[Mapping[str, object]]
) -> Check:
    try:
        files = manifest.files(name)
        for path in files:
            if pq.read_schema(path).names != kept(columns):
                return Check(name, "content", False, f"{path.name} has other columns")
        found = content.of_files(files).hexdigest()
    except (pa.ArrowException, OSError) as error:
        return Check(name, "content", False, f"cannot be read: {error}")
    return Check(name, "content", found == published, "" if found == published else "other rows")
