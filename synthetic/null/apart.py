"""A null draw without rules: every column of some tables is dealt to the rows by itself.

What the spec binds in every row is broken as well, so nothing that is computed from two columns
survives, a rule as little as a formula. Three things stay: every column's values; keys, references,
identifiers and the place of a row; and which rows miss a value in one of the columns that are looked
at, since a column is dealt among rows that miss the same. Without the last a table of pupils would
hold infants with marks, and whoever counts the marks of pupils would meet rows without any.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.generation.draws import stream
from synthetic.generation.permutation import permute
from synthetic.null.blocks import blocks
from synthetic.spec.models import Spec
from synthetic.tables import manifest as manifests
from synthetic.tables.arrow import numbers
from synthetic.tables.content import Content
from synthetic.tables.files import make_folder
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import hashed, write

log = logging.getLogger(__name__)

APART = 1  # raised when the same replica would be dealt in another way
Ints = npt.NDArray[np.int64]


def deal_apart(
    original: Manifest,
    spec: Spec,
    looked_at: Mapping[str, Sequence[str]],
    out: Path,
    *,
    seed: int,
) -> Manifest:
    """Deal every column of the tables that a manifest names, and write them below `out`.

    `looked_at` names columns of each table, `seed` which way they are dealt. One process at a time may write at
    `<out>/<dataset>/<version>`. The manifest that comes back is in memory alone.
    """
    started = time.monotonic()
    told = {name: sorted(columns) for name, columns in sorted(looked_at.items())}
    inputs = manifests.inputs_hash(
        null_of=original.data["hashes"]["inputs"], apart=told, seed=seed, generation=APART
    )
    recipe = {**original.recipe, "null": True}
    folder = out / original.dataset / manifests.version(recipe, inputs)
    tables = [
        _dealt(original, entry, spec, told[entry["name"]], folder, seed)
        for entry in original.tables
    ]
    log.info("%s: columns dealt in %.1f s", original.dataset, time.monotonic() - started)
    data = {
        **original.data,
        "version": folder.name,
        "recipe": recipe,
        "hashes": {**original.data["hashes"], "inputs": inputs},
        "depends": {},
        "tables": tables,
        "pairs": [],  # of columns that no longer go together
        "null": {"of": original.version, "generation": f"{APART}, each column apart"},
    }
    return Manifest(folder, data)


def stays(spec: Spec, table: str, columns: Sequence[str]) -> list[str]:
    """Name those of these columns that no row gives away."""
    moved = {name for block in blocks(spec.tables[table], bound=False) for name in block}
    return [name for name in columns if name not in moved]


def _dealt(
    original: Manifest,
    entry: Mapping[str, Any],
    spec: Spec,
    looked_at: Sequence[str],
    folder: Path,
    seed: int,
) -> dict[str, Any]:
    """Write a table's files, each column from other rows, and describe the table."""
    files = original.files(entry["name"])
    whole = pa.concat_tables(map(pq.read_table, files), promote_options="none")
    whole = whole.unify_dictionaries()
    # A column that is worked out when it is read lies in no file.
    alike = _alike(whole, [name for name in looked_at if name in whole.column_names])
    for (column,) in blocks(spec.tables[entry["name"]], bound=False):
        if column in whole.column_names:
            names = ("null", "apart", original.dataset, entry["name"], column)
            rows = _rows(alike, whole.num_rows, seed, names)
            at = whole.schema.get_field_index(column)
            field = whole.schema.field(column)
            whole = whole.set_column(at, field, whole.column(column).take(numbers(rows)))
    return {**entry, **_written(whole, entry, spec.tables[entry["name"]].area, folder)}


def _alike(whole: pa.Table, looked_at: Sequence[str]) -> list[Ints]:
    """Part the rows by which of these columns have no value in them."""
    code = np.zeros(whole.num_rows, dtype=np.int64)
    for name in looked_at:
        if whole.column(name).null_count:
            missing = pc.is_null(whole.column(name)).to_numpy(zero_copy_only=False)
            _, code = np.unique(2 * code + missing, return_inverse=True)
    return [np.flatnonzero(code == one) for one in np.unique(code)]


def _rows(alike: Sequence[Ints], n: int, seed: int, names: Sequence[str]) -> Ints:
    """Give the row from which each row has its new value: one that misses the same."""
    source = np.arange(n)
    for place, rows in enumerate(alike):
        key = stream(seed, *names, str(place))
        source[rows] = rows[permute(key, 0, np.arange(len(rows)), len(rows))]
    return source


def _written(
    whole: pa.Table, entry: Mapping[str, Any], area: str | None, folder: Path
) -> dict[str, Any]:
    """Write rows as files of the sizes that they had."""
    for unfinished in make_folder(folder / entry["name"]).glob(".*"):
        unfinished.unlink()
    written, start = [], 0
    pruned = () if area is None else (area,)
    for file in entry["files"]:
        part = hashed(whole.slice(start, file["rows"]))
        written.append(write([part], folder, file["path"], pruned_by=pruned))
        start += file["rows"]
    return {
        "content_hash": sum((one.content for one in written), Content()).hexdigest(),
        "files": [
            {"path": w.path, "rows": w.rows, "bytes": w.size_bytes, "sha256": w.sha256}
            for w in written
        ],
    }
