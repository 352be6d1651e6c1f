"""Is a null draw what it says: the same values in every column, and every row still a row?

With SQL over the files alone. The columns that moved together must hold the combinations that they
held, those that stayed must stand where they stood, and rules within a row must hold. What keys
lead to may be anything: that association was to be broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from synthetic.errors import StorageError
from synthetic.evaluation.checks import SAMPLES, Check, one
from synthetic.evaluation.identity import check_marks
from synthetic.evaluation.relations import check_keys, check_references, check_rules
from synthetic.evaluation.sql import connect, view
from synthetic.null.blocks import blocks
from synthetic.null.copies import null_inputs
from synthetic.spec.expressions import names, parse
from synthetic.spec.models import Spec
from synthetic.tables.forms import quote
from synthetic.tables.manifest import Manifest, read, version

_ORIGINAL = "the original"  # a schema that no dataset can be named


def check_null(
    manifest: Manifest, specs: Mapping[str, Spec], replicas: Mapping[str, Manifest]
) -> Iterator[Check]:
    """Look at everything that a null draw promises, beside those that its keys lead to."""
    yield _check_version(manifest)
    spec = specs[manifest.dataset]
    try:
        original = read(manifest.folder.parent / manifest.data["null"]["of"])
        beside = {**replicas, _ORIGINAL: original}
    except StorageError as error:
        yield Check("", "original replica", False, f"{error}; build it again beside")
        beside = dict(replicas)
    with connect(beside) as connection:
        for name, table in spec.tables.items():
            within = table.model_copy(
                update={"rules": tuple(r for r in table.rules if _is_within(r.holds))}
            )
            own = spec.model_copy(update={"tables": {**spec.tables, name: within}})
            yield from check_keys(connection, spec, name)
            yield from check_references(connection, manifest, spec, name, replicas)
            yield from check_rules(connection, specs, own, name, replicas)
            yield from check_marks(connection, spec, name)
            if _ORIGINAL in beside:
                yield from _check_values(connection, spec, name)


def _is_within(rule: str) -> bool:
    return all(len(path) == 1 for path in names(parse(rule)))


def _check_version(manifest: Manifest) -> Check:
    told, hashes = manifest.data["null"], manifest.data["hashes"]
    inputs = null_inputs(told["of_inputs"], told["generation"])
    recipe = {key: value for key, value in manifest.recipe.items() if key != "null"}
    right = (
        inputs == hashes["inputs"]
        and manifest.version == manifest.folder.name == version(manifest.recipe, inputs)
        and told["of"] == version(recipe, told["of_inputs"])
    )
    return Check("", "recipe and inputs", right, "" if right else "recipe or hashes were changed")


def _check_values(connection: duckdb.DuckDBPyConnection, spec: Spec, name: str) -> Iterator[Check]:
    """Each block of columns holds the combinations of the original, and the others their places."""
    table = spec.tables[name]
    moved = blocks(table)
    stayed = [
        column
        for column, told in table.columns.items()
        if not told.hidden and not any(column in block for block in moved)
    ]
    wrong = []
    for block in (tuple(stayed), *moved):
        listed = ", ".join(quote(column) for column in block)
        here, there = view(spec.dataset, name), view(_ORIGINAL, name)
        odd = one(
            connection,
            f"SELECT count(*) FROM (SELECT {listed} FROM {here} EXCEPT ALL "
            f"SELECT {listed} FROM {there})",
        )
        if odd:
            wrong.append(f"{', '.join(block)}: {odd} rows")
    yield Check(name, "values of the original", not wrong, "; ".join(wrong[:SAMPLES]), "fidelity")
