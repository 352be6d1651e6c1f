"""A dirty copy of a replica: every file spoiled in turn, its key beside it, published by one rename.

The copy is a replica of its own version in the same folder of its dataset. It depends on the dirty
copies of what the clean one depends on, spoiled alike. One file is in memory for each worker.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from synthetic.dirt import answers
from synthetic.dirt.defects import KINDS
from synthetic.dirt.rows import Plan, kinds_without, make_plan, spoil_table
from synthetic.errors import BuildError, StorageError
from synthetic.tables import manifest as manifests
from synthetic.tables.content import Content
from synthetic.tables.files import make_folder, storage_error, write_json
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written, hashed, write
from synthetic.tables.reading import rows
from synthetic.tables.staging import publish, staging, tidy

log = logging.getLogger(__name__)

DIRT = 1  # raised when the same replica, rate and seed would give other defects
MOST = Fraction(1, 2)  # of the rows
_RATE = re.compile(r"(?:0?\.[0-9]{1,9}|0)", re.ASCII)
_PARTS = ".answers"
NOTE = {
    "vi": "Bản sao có lỗi được cố ý đưa vào để tập làm sạch dữ liệu; đáp án nằm riêng. Các số đo độ "
    "trung thực là của bản sạch. Mọi số định danh vẫn mang dấu không thể cấp cho người thật.",
    "en": "A copy with defects planted on purpose, for practice in cleaning; the answer key lies "
    "apart. Figures of fidelity are those of the clean replica. Every identifier still carries its "
    "mark that no real person can be given.",
}
_TITLE = {"vi": " (có lỗi cố ý)", "en": " (with planted defects)"}


@dataclass(frozen=True)
class Dirt:
    """How much is spoiled, and which draw."""

    rate: Fraction  # of the rows
    text: str  # the rate as a decimal, in one way
    seed: int

    @property
    def threshold(self) -> int:
        """Of 2**32 words, how many choose a row."""
        return int(self.rate * 2**32)


def make_dirt(rate: str, seed: int = 1) -> Dirt:
    """Check what a person typed and make a dirt of it."""
    value = Fraction(rate) if _RATE.fullmatch(rate) else None
    if value is None or not 0 < value <= MOST:
        raise BuildError(
            f"dirt {rate[:40]!r} must be the share of rows to spoil: a decimal above 0 and at most "
            "0.5, such as 0.02"
        )
    if not 0 <= seed < 2**63:
        raise BuildError(f"dirt seed {seed} must be from 0 to {2**63 - 1}")
    decimals = f"{int(value * 10**9):09d}".rstrip("0")
    return Dirt(value, f"0.{decimals}", seed)


def dirty_inputs(clean: str, rate: str, seed: int, generation: object = DIRT) -> str:
    """A hash of all that a dirty copy's content depends on."""
    return manifests.inputs_hash(clean=clean, dirt=rate, dirt_seed=seed, dirt_generation=generation)


def _recipe_and_version(clean: Manifest, dirt: Dirt) -> tuple[dict[str, Any], str, str]:
    recipe = {**clean.recipe, "dirt": dirt.text, "dirt_seed": dirt.seed}
    inputs = dirty_inputs(clean.data["hashes"]["inputs"], dirt.text, dirt.seed)
    return recipe, inputs, manifests.version(recipe, inputs)


def spoil(
    clean: Manifest,
    dirt: Dirt,
    *,
    workers: int | None = None,
    progress: Callable[[str], None] = log.info,
) -> Manifest:
    """Make and publish the dirty copy of a replica, or give the one that is there.

    Raises
    ------
    BuildError
        If the replica is a dirty copy itself.
    StorageError
        If the copy is there and it or its answer key is not as it was published.
    """
    if clean.data.get("dirt"):
        raise BuildError(
            f"{clean.folder}: a dirty copy is not spoiled again; give its clean replica, "
            f"{clean.data['dirt']['of']}"
        )
    recipe, inputs, version = _recipe_and_version(clean, dirt)
    target = clean.folder.parent / version
    if target.exists():
        progress(f"{clean.dataset}: dirty copy already built ({version})")
        return _whole(target)
    started = time.monotonic()
    with staging(clean.folder.parent.parent, f"{clean.dataset}-{version}") as folder:
        tables, counts = [], {}
        for entry in clean.tables:
            plan = make_plan(clean, entry["name"], dirt.threshold, dirt.seed)
            table, counted = _spoil_files(clean, plan, entry, folder, workers)
            tables.append(table)
            counts[entry["name"]] = {
                "content_hash": entry["content_hash"],  # of the clean table
                "forms": {c["name"]: c["form"] for c in entry["columns"] if c.get("form")},
                "rows": entry["rows"],
                "planted": {kind: counted[kind] for kind in KINDS if kind in plan.kinds},
                "impossible": kinds_without(plan),
            }
        key = _publish_key(clean, tables, folder, answers.path(target))
        data = {
            **clean.data,
            "version": version,
            "title": {lang: text + _TITLE[lang] for lang, text in clean.data["title"].items()},
            "recipe": recipe,
            "hashes": {**clean.data["hashes"], "inputs": inputs},
            "depends": _dirty_depends(clean, dirt),
            "tables": tables,
            "dirt": {
                "of": clean.version,
                "of_inputs": clean.data["hashes"]["inputs"],
                "generation": DIRT,
                "answers": key,
                "tables": counts,
                "note": NOTE,
            },
        }
        tidy(folder, [Written(f["path"], 0, 0, "", Content()) for t in tables for f in t["files"]])
        write_json(folder / manifests.NAME, data)
        publish(folder, target)
    seconds = time.monotonic() - started
    progress(f"{clean.dataset}: {key['rows']:,} defects planted in {seconds:.1f} s ({version})")
    return manifests.read(target)


def _dirty_depends(clean: Manifest, dirt: Dirt) -> dict[str, str]:
    """The dirty copies, spoiled alike, of what a replica depends on."""
    root = clean.folder.parent.parent
    return {
        other: _recipe_and_version(manifests.read(root / other / version), dirt)[2]
        for other, version in clean.data["depends"].items()
    }


def _spoil_files(
    clean: Manifest, plan: Plan, entry: Mapping[str, Any], folder: Path, workers: int | None
) -> tuple[dict[str, Any], Counter[str]]:
    paths = [file["path"] for file in entry["files"]]
    n_workers = workers or min(os.cpu_count() or 1, 4)
    with ThreadPoolExecutor(n_workers) as executor:
        try:
            done = list(executor.map(partial(_spoil_file, clean.folder, plan, folder), paths))
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    written = [one for one, _ in done]
    table = {
        **entry,
        # A spoiled text may be no number, and a spoiled part need not spoil the whole.
        "columns": [{k: v for k, v in c.items() if k != "form"} for c in entry["columns"]],
        "rows": sum(one.rows for one in written),
        "content_hash": sum((one.content for one in written), Content()).hexdigest(),
        "files": [
            {"path": w.path, "rows": w.rows, "bytes": w.size_bytes, "sha256": w.sha256}
            for w in written
        ],
    }
    return table, sum((counted for _, counted in done), Counter[str]())


def _spoil_file(source: Path, plan: Plan, folder: Path, path: str) -> tuple[Written, Counter[str]]:
    table, found = spoil_table(plan, rows(source / path, plan.shown))
    part = folder / _PARTS / path
    make_folder(part.parent)
    try:
        pq.write_table(answers.to_table(found), part)
    except OSError as error:
        raise storage_error("write", part, error) from error
    return write([hashed(table)], folder, path), Counter(answer.kind for answer in found)


def _publish_key(
    clean: Manifest, tables: list[dict[str, Any]], folder: Path, target: Path
) -> dict[str, Any]:
    """Put the answer key in its place: before the replica, so that none is ever without its key."""
    parts = (folder / _PARTS / file["path"] for table in tables for file in table["files"])
    make_folder(target.parent)
    unfinished = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        rows = answers.gather(parts, unfinished)
        unfinished.chmod(0o644)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise storage_error("write", target, error) from error
    place = target.relative_to(clean.folder.parent.parent)
    return {"path": place.as_posix(), "rows": rows, "sha256": manifests.sha256(target)}


def _whole(folder: Path) -> Manifest:
    """A dirty copy that is there already, or an error if it or its key is not as published."""
    found = manifests.read(folder)
    held = {folder / f["path"]: f["sha256"] for table in found.tables for f in table["files"]}
    held[answers.path(folder)] = found.data["dirt"]["answers"]["sha256"]
    for path, digest in held.items():
        if not path.is_file() or manifests.sha256(path) != digest:
            raise StorageError(
                f"{path}: missing or not the file that was made; delete {folder} and build again"
            )
    return found
