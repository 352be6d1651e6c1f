"""What a replica's manifest says of it: tables, columns, fidelity, sources, privacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from synthetic import __version__, statistics
from synthetic.build.order import GENERATION, recipe_json
from synthetic.build.privacy import privacy
from synthetic.evaluation import describe, sql
from synthetic.evaluation.forms import form
from synthetic.evaluation.inputs import published_tables, statistics_digest
from synthetic.generation.world import World
from synthetic.spec.load import digest
from synthetic.spec.models import Bilingual, ColumnSpec, Spec
from synthetic.tables import manifest as manifests
from synthetic.tables.content import Content
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written

EMBEDDED_CODES = 100  # a longer code list stays in its published table


def described(
    world: World,
    dataset: str,
    version: str,
    inputs: str,
    done: Mapping[str, Manifest],
    written: Mapping[str, Sequence[Written]],
    staging: Path,
) -> dict[str, Any]:
    """The manifest of a dataset whose shards are written; fidelity is measured on the files."""
    spec, recipe = world.specs[dataset], world.recipe
    tables: list[dict[str, Any]] = [
        {
            "name": name,
            "title": table.title.model_dump(),
            "description": table.description.model_dump(),
            "rows": sum(w.rows for w in written[name]),
            "content_hash": sum((w.content for w in written[name]), Content()).hexdigest(),
            "key": list(table.key),
            "questions": [question.model_dump() for question in table.questions],
            "files": [
                {"path": w.path, "rows": w.rows, "bytes": w.size_bytes, "sha256": w.sha256}
                for w in written[name]
            ],
            "columns": [
                {"name": column} | ({} if found is None else {"form": found})
                for column, told in table.columns.items()
                if not told.hidden
                for found in [form(world.specs, dataset, name, column)]
            ],
        }
        | ({"model": dict(model.facts)} if model is not None else {})
        for name, table in spec.tables.items()
        for model in [world.fitted.get(f"{dataset}.{name}")]
    ]
    pairs: list[dict[str, Any]] = []
    with sql.connect({dataset: Manifest(staging, {"tables": tables})}) as connection:
        for entry in tables:
            fidelity, found = describe.table_fidelity(
                connection,
                world.specs,
                dataset,
                entry["name"],
                world.margins[dataset],
                recipe_json(recipe),
                entry.get("model"),
            )
            pairs += found
            columns = spec.tables[entry["name"]].columns
            entry["columns"] = [
                _column(known, columns[known["name"]], fidelity[known["name"]])
                for known in entry["columns"]
            ]
    return {
        "format": manifests.FORMAT,
        "dataset": dataset,
        "version": version,
        "title": spec.title.model_dump(),
        "description": spec.description.model_dump(),
        "recipe": recipe_json(recipe),
        "as_of": spec.as_of.isoformat(),
        "hashes": {
            "spec": digest(spec),
            "statistics": statistics_digest(spec),
            "model": world.models[dataset],
            "inputs": inputs,
            "generation": GENERATION,
        },
        "generator": __version__,
        "depends": {other: done[other].version for other in spec.uses},
        "tables": tables,
        "pairs": pairs,
        "assumptions": [reason.model_dump() for reason in assumptions(spec)],
        "sources": [_source(name) for name in published_tables(spec)],
        "privacy": privacy({e["name"]: e["model"] for e in tables if "model" in e}),
        "licence": spec.licence,
    }


def assumptions(spec: Spec) -> list[Bilingual]:
    """What the rows themselves assume, beside what each column says of itself."""
    found = [pool.because for pool in spec.pools.values()]
    for table in spec.tables.values():
        rows = table.rows
        kinds = (rows.units, rows.matching, rows.children, rows.cells)
        found += [kind.because for kind in kinds if kind is not None]
    return found


def _column(known: Mapping[str, Any], spec: ColumnSpec, fidelity: dict[str, Any]) -> dict[str, Any]:
    codes, table = None, None
    if spec.codes is not None:
        codes = {code: title.model_dump() for code, title in spec.codes.items()}
    elif spec.codes_from is not None:
        table = {k: v for k, v in spec.codes_from.model_dump().items() if v}
        named = spec.codes_from
        codes = _embedded(named.table, named.code, named.vi, named.en, tuple(named.where.items()))
    return {
        **known,
        "type": spec.type,
        **({} if spec.places is None else {"places": spec.places}),
        "unit": spec.unit,
        "title": spec.title.model_dump(),
        "description": None if spec.description is None else spec.description.model_dump(),
        "sensitivity": spec.sensitivity,
        "codes": codes,
        "codes_table": table,
        "references": spec.references,
        **({"references_with": dict(spec.references_with)} if spec.references_with else {}),
        **({"leaves_area": True} if spec.leaves_area else {}),
        **({} if spec.missing is None else {"missing": spec.missing.model_dump()}),
        "identifier": None if spec.identifier is None else spec.identifier.kind,
        "fidelity": fidelity,
    }


@cache  # many columns share a list, and the communes' has 3,321 codes
def _embedded(
    table: str, code: str, vi: str, en: str | None, where: tuple[tuple[str, str], ...]
) -> dict[str, dict[str, str]] | None:
    """The codes of a published table with their titles, or None if they are many."""
    rows = [r for r in statistics.rows(table) if all(r[k] == v for k, v in where)]
    listed = {row[code]: {"vi": row[vi], "en": row[en or vi]} for row in rows}
    return listed if len(listed) <= EMBEDDED_CODES else None


def _source(name: str) -> dict[str, Any]:
    source, title = statistics.source(name), statistics.table(name).title
    return {
        "table": name,
        "name": {"vi": title.vi, "en": title.en},
        "title": source.title,
        "publisher": source.publisher,
        "year": source.year,
        "terms": source.terms,
    }
