"""A null draw: a replica's copy whose columns keep their values, and no longer depend on each other.

Each block of columns is dealt to the rows anew by a keyed permutation of the whole table, so that
every column holds exactly the values that it held. Keys and references stay. The copy depends on
the null draws of what its original depends on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic.errors import BuildError
from synthetic.generation.draws import stream
from synthetic.generation.permutation import permute
from synthetic.null.blocks import blocks
from synthetic.spec.models import Spec, TableSpec
from synthetic.tables import manifest as manifests
from synthetic.tables.arrow import numbers
from synthetic.tables.content import Content
from synthetic.tables.files import write_json
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written, hashed, write
from synthetic.tables.staging import publish, staging, tidy

log = logging.getLogger(__name__)

NULL = 1  # raised when the same replica would be dealt in another way
_TITLE = {"vi": " (lần gieo đối chứng)", "en": " (null draw)"}
NOTE = {
    "vi": "Bản đối chứng: mỗi cột giữ nguyên các giá trị của nó, nhưng mối liên hệ giữa các cột đã bị "
    "phá. Kết luận nào vẫn đúng ở đây thì không dựa vào cách các cột liên hệ với nhau.",
    "en": "A control: every column keeps its values, but what ties columns together is broken. A "
    "conclusion that still holds here does not depend on how columns relate.",
}


def null_inputs(original: str, generation: object = NULL) -> str:
    """A hash of all that a null draw's content depends on."""
    return manifests.inputs_hash(null_of=original, null_generation=generation)


def recipe_and_version(original: Manifest) -> tuple[dict[str, Any], str, str]:
    """The null draw's recipe, the hash of its inputs, and its version."""
    recipe = {**original.recipe, "null": True}
    inputs = null_inputs(original.data["hashes"]["inputs"])
    return recipe, inputs, manifests.version(recipe, inputs)


def break_associations(
    original: Manifest, spec: Spec, progress: Callable[[str], None] = log.info
) -> Manifest:
    """Make and publish the null draw of a replica, or give the one that is there.

    Raises BuildError if the replica is a copy itself.
    """
    if original.data.get("dirt") or original.data.get("null"):
        raise BuildError(
            f"{original.folder}: a null draw is made of a replica as it was built, not of a copy"
        )
    recipe, inputs, version = recipe_and_version(original)
    target = original.folder.parent / version
    if target.exists():
        progress(f"{original.dataset}: null draw already built ({version})")
        return manifests.read(target)
    started = time.monotonic()
    root = original.folder.parent.parent
    with staging(root, f"{original.dataset}-{version}") as folder:
        tables = [
            _deal(original, entry, spec.tables[entry["name"]], folder) for entry in original.tables
        ]
        data = {
            **original.data,
            "version": version,
            "title": {lang: text + _TITLE[lang] for lang, text in original.data["title"].items()},
            "recipe": recipe,
            "hashes": {**original.data["hashes"], "inputs": inputs},
            "depends": {
                other: recipe_and_version(manifests.read(root / other / built))[2]
                for other, built in original.data["depends"].items()
            },
            "tables": tables,
            "pairs": [],  # of columns that no longer go together
            "null": {
                "of": original.version,
                "of_inputs": original.data["hashes"]["inputs"],
                "generation": NULL,
                "moved": {n: [list(b) for b in blocks(t)] for n, t in spec.tables.items()},
                "note": NOTE,
            },
        }
        tidy(folder, [Written(f["path"], 0, 0, "", Content()) for t in tables for f in t["files"]])
        write_json(folder / manifests.NAME, data)
        publish(folder, target)
    progress(f"{original.dataset}: null draw in {time.monotonic() - started:.1f} s ({version})")
    return manifests.read(target)


def _deal(
    original: Manifest, entry: Mapping[str, Any], table: TableSpec, folder: Path
) -> dict[str, Any]:
    """Write a table's files, each block of columns from other rows."""
    whole = pa.concat_tables(
        [pq.read_table(path) for path in original.files(entry["name"])], promote_options="none"
    ).unify_dictionaries()
    seed = int(original.recipe["seed"])
    held = set(whole.column_names)
    moved = tuple(tuple(name for name in block if name in held) for block in blocks(table))
    deal = partial(_dealt, whole, moved, seed, (original.dataset, entry["name"]))
    written, start = [], 0
    for file in entry["files"]:
        rows = np.arange(start, start + file["rows"])
        start += file["rows"]
        pruned = () if table.area is None else (table.area,)
        written.append(write([hashed(deal(rows))], folder, file["path"], pruned_by=pruned))
    return {
        **entry,
        "content_hash": sum((one.content for one in written), Content()).hexdigest(),
        "files": [
            {"path": w.path, "rows": w.rows, "bytes": w.size_bytes, "sha256": w.sha256}
            for w in written
        ],
    }


def _dealt(
    whole: pa.Table,
    moved: tuple[tuple[str, ...], ...],
    seed: int,
    names: tuple[str, str],
    rows: Any,
) -> pa.Table:
    dealt = whole.slice(int(rows[0]) if len(rows) else 0, len(rows))
    for block in moved:
        key = stream(seed, "null", *names, block[0])
        taken = whole.select(list(block)).take(numbers(permute(key, 0, rows, whole.num_rows)))
        for column in block:
            at = dealt.schema.get_field_index(column)
            dealt = dealt.set_column(at, whole.schema.field(column), taken.column(column))
    return dealt
