"""Is a dirty copy what its answer key says: every planted defect found, and nothing else changed?

With SQL over the files alone: nothing here draws again. Each defect of the key is looked up in the
rows and held against the law of its kind; then all are undone, and what is left must have the
content hash of the clean replica.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.dirt import answers
from synthetic.dirt.copies import dirty_inputs
from synthetic.dirt.defects import DUPLICATE, is_of_kind
from synthetic.errors import StorageError
from synthetic.evaluation.checks import Check, one
from synthetic.evaluation.sql import connect, text, view
from synthetic.tables import content
from synthetic.tables.forms import quote, selected
from synthetic.tables.manifest import Manifest, read, sha256, version

_BATCH = 100_000
_SAMPLES = 3


def check_dirt(manifest: Manifest) -> Iterator[Check]:
    """Count each kind of defect against the key, and compare all else with the clean replica."""
    yield _check_version(manifest)
    path = answers.path(manifest.folder)
    told = manifest.data["dirt"]["answers"]
    if not path.is_file():
        detail = f"{path} is missing; delete {manifest.folder} and build it again to have its key"
        yield Check("", "answer key", False, detail)
        return
    same = sha256(path) == told["sha256"]
    yield Check("", "answer key", same, "" if same else f"{path} is not the key that was published")
    if pq.read_schema(path).names != list(answers.COLUMNS):
        yield Check("", "columns of the answer key", False, f"they must be {answers.COLUMNS}")
        return
    clean, problem = _clean(manifest)
    yield problem
    with connect({manifest.dataset: manifest}) as connection:
        connection.execute(
            f"CREATE TEMP VIEW answers AS SELECT * FROM read_parquet({text(str(path))})"
        )
        names = {table["name"] for table in manifest.tables}
        listed = ", ".join(text(name) for name in sorted(names))
        strange = one(
            connection,
            f'SELECT count(*) FROM answers WHERE coalesce("table" NOT IN ({listed}), true)',
        )
        detail = f"{strange} rows name no table of the replica" if strange else ""
        yield Check("", "tables of the answer key", not strange, detail)
        for table in manifest.tables:
            yield from _check_table(connection, manifest, clean, table)


def _check_version(manifest: Manifest) -> Check:
    """The version must follow from the clean replica, the rate and the seed."""
    told, hashes, recipe = manifest.data["dirt"], manifest.data["hashes"], manifest.recipe
    inputs = dirty_inputs(
        told["of_inputs"], recipe["dirt"], recipe["dirt_seed"], told["generation"]
    )
    clean = {key: value for key, value in recipe.items() if not key.startswith("dirt")}
    right = (
        inputs == hashes["inputs"]
        and manifest.version == manifest.folder.name == version(recipe, inputs)
        and told["of"] == version(clean, told["of_inputs"])
    )
    return Check("", "recipe and inputs", right, "" if right else "recipe or hashes were changed")


def _clean(manifest: Manifest) -> tuple[Manifest | None, Check]:
    """The clean replica beside the copy: what the copy says of it must be so."""
    told = manifest.data["dirt"]
    what = "clean replica"
    try:
        clean = read(manifest.folder.parent / told["of"])
    except StorageError:
        detail = f"{told['of']} is not here; compared with its content hashes in the manifest"
        return None, Check("", what, True, detail)
    hashes = {table["name"]: (table["rows"], table["content_hash"]) for table in clean.tables}
    stated = {name: (t["rows"], t["content_hash"]) for name, t in told["tables"].items()}
    right = hashes == stated and clean.data["hashes"]["inputs"] == told["of_inputs"]
    detail = "" if right else f"{told['of']} is another than the one that was copied"
    return clean if right else None, Check("", what, right, detail)


def _check_table(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    clean: Manifest | None,
    entry: Mapping[str, Any],
) -> Iterator[Check]:
    name = entry["name"]
    told = manifest.data["dirt"]["tables"][name]
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW told AS "
        f'SELECT * EXCLUDE ("table") FROM answers WHERE "table" = {text(name)}'
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW held AS "
        f'SELECT *, {_key(entry["key"])} AS "the key" FROM {view(manifest.dataset, name)}'
    )
    listed = dict(connection.execute("SELECT kind, count(*) FROM told GROUP BY 1").fetchall())
    types = _types(connection)
    found = _found(connection, entry, types)
    for kind in sorted({*listed, *told["planted"]}, key=[*told["planted"], *listed].index):
        planted = told["planted"].get(kind, 0)
        detail = f"{found[kind]} found of {planted} planted"
        if listed.get(kind, 0) != planted:
            detail += f"; the key tells {listed.get(kind, 0)}"
        right = found[kind] == planted == listed.get(kind, 0)
        yield Check(name, f"{kind} defects", right, detail, "defects")
    wrong = _lawless(connection, manifest, name)
    yield Check(
        name, "each defect is of its kind", not wrong, "; ".join(wrong[:_SAMPLES]), "defects"
    )
    yield _check_rest(connection, clean, entry, told, types)


def _key(columns: list[str], prefix: str = "") -> str:
    """The key of a row as the answer key writes it."""
    parts = (f"CAST({prefix}{quote(column)} AS VARCHAR)" for column in columns)
    return f"concat_ws('|', {', '.join(parts)})"


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The columns of the table with their types in SQL."""
    rows = connection.execute("DESCRIBE held").fetchall()
    return {row[0]: row[1] for row in rows if row[0] != "the key"}


def _found(
    connection: duckdb.DuckDBPyConnection, entry: Mapping[str, Any], types: Mapping[str, str]
) -> Counter[str]:
    """By kind: the defects of the key that are in the rows as it tells."""
    found: Counter[str] = Counter()
    named = connection.execute('SELECT DISTINCT "column" FROM told').fetchall()
    for (column,) in named:
        if column is not None and column in types:
            is_dirty = f"CAST(h.{quote(column)} AS VARCHAR) IS NOT DISTINCT FROM t.dirty"
            rows = connection.execute(
                'SELECT t.kind, count(*) FROM told t JOIN held h ON h."the key" = t.key '
                f"WHERE t.kind <> '{DUPLICATE}' AND t.\"column\" = {text(column)} AND {is_dirty} "
                "GROUP BY 1"
            ).fetchall()
            found.update(dict(rows))
    same = [
        f'CASE WHEN t."column" IS NOT DISTINCT FROM {text(name)} '
        f"THEN CAST(n.{quote(name)} AS VARCHAR) IS NOT DISTINCT FROM t.dirty "
        f"AND CAST(o.{quote(name)} AS VARCHAR) IS NOT DISTINCT FROM t.clean "
        f"ELSE n.{quote(name)} IS NOT DISTINCT FROM o.{quote(name)} END"
        for name in types
        if name not in entry["key"]
    ]
    found[DUPLICATE] = one(
        connection,
        'SELECT count(*) FROM told t JOIN held n ON n."the key" = t.new_key '
        f"JOIN held o ON o.\"the key\" = t.key WHERE t.kind = '{DUPLICATE}' "
        f"AND {' AND '.join(same) or 'true'}",
    )
    return found


def _lawless(connection: duckdb.DuckDBPyConnection, manifest: Manifest, table: str) -> list[str]:
    """Defects that are none of the kind that the key says, or that no column can have."""
    columns = answers.columns(manifest, table)
    reader = connection.sql(
        'SELECT key, new_key, "column", kind, clean, dirty FROM told'
    ).to_arrow_reader(_BATCH)
    wrong = []
    for batch in reader:
        for row in batch.to_pylist():
            told = f"{row['kind']} of {row['column']} in {row['key']}"
            if (row["new_key"] is not None) != (row["kind"] == DUPLICATE):
                wrong.append(told)
            elif row["column"] is None and row["kind"] == DUPLICATE:
                continue
            elif row["column"] not in columns or not _is_of_kind(row, columns[row["column"]]):
                wrong.append(told)
    return wrong


def _is_of_kind(row: Mapping[str, Any], column: Any) -> bool:
    try:
        return is_of_kind(row["kind"], column, row["clean"], row["dirty"])
    except (ValueError, ArithmeticError):  # no date, or no number
        return False


def _check_rest(
    connection: duckdb.DuckDBPyConnection,
    clean: Manifest | None,
    entry: Mapping[str, Any],
    told: Mapping[str, Any],
    types: Mapping[str, str],
) -> Check:
    """With every defect undone the table is the clean one."""
    what = "everything else is as in the clean replica"
    restored = ", ".join(
        f'CASE WHEN t."column" IS NOT DISTINCT FROM {text(name)} '
        f"THEN TRY_CAST(t.clean AS {held}) ELSE h.{quote(name)} END AS {quote(name)}"
        for name, held in types.items()
    )
    as_stored = ", ".join(
        f"TRY_CAST({quote(name)} AS BIGINT) AS {quote(name)}"
        if "digits" in told["forms"].get(name, ())
        else quote(name)
        for name in types
        if "sql" not in told["forms"].get(name, ())
    )
    query = (
        f"SELECT {restored} FROM held h LEFT JOIN told t "
        f"ON h.\"the key\" = t.key AND t.kind <> '{DUPLICATE}' "
        'WHERE h."the key" NOT IN (SELECT new_key FROM told WHERE new_key IS NOT NULL)'
    )
    total = content.Content()
    for batch in connection.sql(f"SELECT {as_stored} FROM ({query})").to_arrow_reader(_BATCH):
        total += content.of_table(pa.Table.from_batches([batch]))
    if total.hexdigest() == told["content_hash"]:
        return Check(entry["name"], what, True, f"{total.rows} rows", "defects")
    if clean is None:
        return Check(
            entry["name"], what, False, "other rows, and no clean replica to look at", "defects"
        )
    files = ", ".join(text(str(path)) for path in clean.files(entry["name"]))
    whole_entry = next(t for t in clean.tables if t["name"] == entry["name"])
    whole = f"SELECT {selected(whole_entry['columns'])} FROM read_parquet([{files}])"
    strange = connection.execute(
        f"SELECT {_key(entry['key'])} FROM (({query}) EXCEPT ALL ({whole})) LIMIT {_SAMPLES}"
    ).fetchall()
    missing = one(connection, f"SELECT count(*) FROM (({whole}) EXCEPT ALL ({query}))")
    detail = f"{missing} clean rows are not there"
    if strange:
        detail += f"; not told by the key: rows {', '.join(str(key) for (key,) in strange)}"
    return Check(entry["name"], what, False, detail, "defects")
