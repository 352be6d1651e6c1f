"""Everything the catalogue can say about one dataset, one table or one published table."""

from __future__ import annotations

from typing import Any

from sandbox.catalog.inputs import PUBLISHED
from sandbox.catalog.published import published
from sandbox.catalog.replicas import Replica, preference, preferred, replicas
from sandbox.errors import CatalogError
from sandbox.language import _
from sandbox.settings import Settings
from synthetic import statistics


def listing(settings: Settings) -> dict[str, Any]:
    """List each dataset with its replicas, the one a run takes by default, and published tables.

    A run takes the whole country before one area, then the newest.
    """
    built = sorted(replicas(settings), key=preference)
    first = {replica.dataset: replica for replica in reversed(built)}  # the preferred one stays
    return {
        "home": str(settings.home),
        "datasets": [
            {
                **_replica(first[dataset]),
                "title": first[dataset].manifest["title"],
                "n_replicas": sum(replica.dataset == dataset for replica in built),
                "versions": [
                    {**_replica(replica), "default": replica is first[dataset]}
                    for replica in built
                    if replica.dataset == dataset
                ],
                "tables": [
                    {"name": name, "title": table["title"], "rows": table["rows"]}
                    for name, table in first[dataset].tables.items()
                ],
            }
            for dataset in sorted(first)
        ],
        "published": [
            {
                "name": f"{PUBLISHED}.{table.name}",
                "title": _both(table.title),
                "rows": len(statistics.rows(table.name)),
            }
            for table in published()
        ],
    }


def describe(settings: Settings, name: str) -> dict[str, Any]:
    """Describe `dataset`, `dataset.table` or `published.table`."""
    dataset, _dot, table = name.partition(".")
    if dataset == PUBLISHED:
        return _published(table)
    replica = preferred(settings, dataset)
    return _table(replica, table) if table else _dataset(replica)


def _dataset(replica: Replica) -> dict[str, Any]:
    manifest = replica.manifest
    return {
        "kind": "dataset",
        "name": replica.dataset,
        **_replica(replica),
        **{key: manifest[key] for key in ("title", "description", "privacy", "licence")},
        "depends": replica.depends,
        "tables": [
            {key: table[key] for key in ("name", "title", "description", "rows")}
            for table in manifest["tables"]
        ],
        "sources": manifest["sources"],
    }


def _table(replica: Replica, name: str) -> dict[str, Any]:
    table = replica.table(name)
    against = {
        published
        for column in (*table["columns"], *replica.manifest["pairs"])
        if column.get("table", name) == name
        for published in (column["fidelity"]["against"] or "").split(
            ", "
        )  # a raked one has several
    }
    return {
        "kind": "table",
        "name": f"{replica.dataset}.{name}",
        **_replica(replica),
        **{key: table[key] for key in ("title", "description", "rows", "key", "content_hash")},
        "columns": table["columns"],
        "questions": list(table.get("questions", ())),
        "pairs": [pair for pair in replica.manifest["pairs"] if pair["table"] == name],
        "sources": [source for source in replica.manifest["sources"] if source["table"] in against],
        "privacy": replica.manifest["privacy"],
        "licence": replica.manifest["licence"],
        "files": [str(replica.folder / file["path"]) for file in table["files"]],
    }


def _published(name: str) -> dict[str, Any]:
    if not name:
        raise CatalogError(
            _(
                "{name!r} holds many tables; name one, as in {example!r} (`sandbox data list` shows "
                "them)"
            ).format(name=PUBLISHED, example=f"{PUBLISHED}.population_province_34")
        )
    (table,) = published(name)
    source = statistics.source(name)
    return {
        "kind": PUBLISHED,
        "name": f"{PUBLISHED}.{name}",
        "title": _both(table.title),
        "description": _both(table.description),
        "rows": len(statistics.rows(name)),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "unit": column.unit,
                "unit_vi": column.unit_vi,
                "description": _both(column.description),
            }
            for column in table.columns
        ],
        "source": {
            key: getattr(source, key)
            for key in ("title", "publisher", "year", "quality", "note", "terms", "found_at")
        },
        "sha256": statistics.sha256(name),
    }


def _replica(replica: Replica) -> dict[str, Any]:
    return {
        "dataset": replica.dataset,
        "version": replica.version,
        "recipe": replica.manifest["recipe"],
        "as_of": replica.manifest["as_of"],
    }


def _both(text: statistics.Text) -> dict[str, str]:
    return {"vi": text.vi, "en": text.en}
