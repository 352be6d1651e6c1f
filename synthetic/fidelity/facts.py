"""What `synthetic fidelity` tells of a replica, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from synthetic.errors import StorageError
from synthetic.evaluation.beside import Beside
from synthetic.evaluation.inputs import published_tables
from synthetic.evaluation.measured import Distance, association
from synthetic.evaluation.reasons import reason
from synthetic.evaluation.sql import connect
from synthetic.fidelity.contradictions import Contradiction, contradictions
from synthetic.spec.check import check_specs
from synthetic.spec.load import digest, load_all
from synthetic.spec.margins import Margin
from synthetic.spec.models import Spec
from synthetic.tables.manifest import Manifest, folders, read

Margins = Mapping[str, Mapping[str, Margin]]  # dataset -> margin


@dataclass(frozen=True, eq=False)
class Measured:
    """A replica, held against every published table behind it."""

    manifest: Manifest
    spec: Spec
    distances: list[tuple[str, Distance]]  # with the replica's table
    contradictions: list[Contradiction]


def measure(manifest: Manifest, specs: Mapping[str, Spec], margins: Margins) -> Measured:
    """Hold a replica against every published table that it follows.

    `specs` and `margins` are those of the replica's dataset and of what it uses, or of more.
    Raises StorageError if the replica was built from another version of its spec, since nobody
    could say what its columns should follow.
    """
    spec = specs[manifest.dataset]
    if digest(spec) != manifest.data["hashes"]["spec"]:
        raise StorageError(
            f"{manifest.folder}: built from another version of the spec {manifest.dataset!r}; "
            "build the replica again"
        )
    area = manifest.recipe["area"]
    areas = None if area is None else {area}
    found: list[tuple[str, Distance]] = []
    with connect({manifest.dataset: manifest}) as connection:
        for table in spec.tables:
            beside = Beside(
                connection, specs, spec.dataset, table, margins[spec.dataset], manifest.recipe
            )
            measured = map(beside.distance, beside.entries)
            found += [(table, far) for far in measured if far is not None]
    return Measured(manifest, spec, found, list(contradictions(spec, found, areas)))


def measure_folder(folder: Path, spec_folders: Iterable[Path] = ()) -> list[Measured]:
    """Measure every replica at or below a folder; dirty copies and null draws are left out."""
    found = [read(path) for path in folders(folder)]
    if not found:
        raise StorageError(f"{folder}: no replica here; build one with: synthetic build")
    specs = load_all({manifest.dataset for manifest in found}, spec_folders)
    margins = check_specs(specs)
    return [
        measure(manifest, specs, margins)
        for manifest in found
        if not manifest.data.get("dirt") and not manifest.data.get("null")
    ]


def facts(measured: Measured) -> dict[str, Any]:
    """The same as JSON: see each part."""
    manifest = measured.manifest
    return {
        "dataset": manifest.dataset,
        "version": manifest.version,
        "recipe": dict(manifest.recipe),
        "published": [_distance(table, far) for table, far in measured.distances],
        "unmeasured": _unmeasured(measured),
        "contradictions": [_contradiction(c) for c in measured.contradictions],
        "columns": list(_columns(manifest)),
        "assumptions": manifest.data["assumptions"],
        "privacy": manifest.data["privacy"],
    }


def _distance(table: str, far: Distance) -> dict[str, Any]:
    cell, off = far.largest
    expected, because = far.sampling.expected, reason(far)
    return {
        "table": table,
        "columns": list(far.columns),
        "against": far.margin.table,
        "quota": far.comparison.quota,
        "exact": far.exact,
        "rows": far.rows,
        "cells": len(far.published),
        "total_variation": far.total_variation,
        "largest": {"cell": dict(zip(far.margin.axes, cell, strict=True)), "difference": off},
        "sampling": expected,
        "sampling_99": far.sampling.limit,
        "design_effect": far.sampling.effect,
        "sampled": far.cluster,
        "ratio": far.total_variation / expected if expected else None,
        "holds": far.holds,
        "because": None if because is None else because.model_dump(),
        "associations": list(_associations(far)),
    }


def _contradiction(odd: Contradiction) -> dict[str, Any]:
    because = None if odd.because is None else odd.because.model_dump()
    return vars(odd) | {"axes": list(odd.axes), "because": because}


def _associations(far: Distance) -> Iterator[dict[str, Any]]:
    axes = far.margin.axes
    for first, second in combinations(range(len(axes)), 2):
        yield {
            "axes": [axes[first], axes[second]],
            "published": association(far.published, first, second),
            "replica": association(far.found, first, second),
        }


def _unmeasured(measured: Measured) -> list[str]:
    """Published tables that the spec reads otherwise: code lists, totals, levels, assumptions."""
    held = {name for _, far in measured.distances for name in far.margin.table.split(", ")}
    return [name for name in published_tables(measured.spec) if name not in held]


def _columns(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for table in manifest.tables:
        for column in table["columns"]:
            fidelity = column["fidelity"]
            yield {
                "table": table["name"],
                "column": column["name"],
                "title": column["title"],
                "status": fidelity["status"],
                "against": fidelity["against"],
                "distance": fidelity["distance"],
                "sampling": fidelity["sampling"],
                "because": fidelity["because"],
            }
