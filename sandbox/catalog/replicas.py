"""The replicas that are built on this machine, read from their manifests.

A replica is an immutable folder `<dataset>/<version>` with a `manifest.json`; nothing is written
here. A folder without a manifest is a build that did not finish, and is passed over.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.catalog.building import build
from sandbox.errors import CatalogError
from sandbox.language import _, nearest
from sandbox.settings import Settings

log = logging.getLogger(__name__)

FORMAT = 1  # of manifest.json

# What reading a manifest may raise that is not one, or is one no longer.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What was asked of a build. Replicas of one recipe belong to one country."""

    scale: str  # share of the country's persons, as a decimal number
    area: str | None  # a province's code, or the whole country
    seed: int
    margins: str  # "exact" or "sampled"
    dirt: str | None = None  # share of rows with a planted defect; none is a clean replica
    dirt_seed: int | None = None

    @classmethod
    def read(cls, recipe: Mapping[str, Any]) -> Recipe:
        """Take the recipe out of a manifest or a run's record."""
        return cls(
            scale=str(recipe["scale"]),
            area=None if recipe["area"] is None else str(recipe["area"]),
            seed=int(recipe["seed"]),
            margins=str(recipe["margins"]),
            dirt=None if recipe.get("dirt") is None else str(recipe["dirt"]),
            dirt_seed=None if recipe.get("dirt_seed") is None else int(recipe["dirt_seed"]),
        )

    def options(self) -> str:
        """Write the options of `synthetic build` that ask for this recipe."""
        # Quoted: a manifest may be anybody's, and what this gives is pasted into a shell.
        scale, margins = shlex.quote(self.scale), shlex.quote(self.margins)
        area = "" if self.area is None else f" --area {shlex.quote(self.area)}"
        dirt = "" if self.dirt is None else f" --dirt {shlex.quote(self.dirt)}"
        planted = "" if self.dirt_seed is None else f" --dirt-seed {self.dirt_seed}"
        return f"--scale {scale}{area} --seed {self.seed} --margins {margins}{dirt}{planted}"

    def __str__(self) -> str:
        area = "whole country" if self.area is None else f"area {self.area}"
        dirt = "" if self.dirt is None else f", defects in {self.dirt} of the rows"
        return f"scale {self.scale}, {area}, seed {self.seed}, {self.margins} margins{dirt}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Replica:
    """One built replica: its folder and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]
    manifest_sha256: str
    published_at: int  # nanoseconds since 1970, when the folder was put in place

    @property
    def dataset(self) -> str:
        """The dataset that it replicates."""
        return str(self.manifest["dataset"])

    @property
    def version(self) -> str:
        """The name of its content."""
        return str(self.manifest["version"])

    @property
    def recipe(self) -> Recipe:
        """What was asked of the build."""
        return Recipe.read(self.manifest["recipe"])

    @property
    def depends(self) -> dict[str, str]:
        """The versions of other datasets that its keys lead to."""
        return {str(name): str(version) for name, version in self.manifest["depends"].items()}

    @property
    def tables(self) -> dict[str, Mapping[str, Any]]:
        """The tables by name, as the manifest describes them."""
        return {table["name"]: table for table in self.manifest["tables"]}

    def table(self, name: str) -> Mapping[str, Any]:
        """Give one table's description."""
        if name not in self.tables:
            raise CatalogError(
                _("dataset {dataset!r} has no table {name!r}; {hint}").format(
                    dataset=self.dataset, name=name, hint=nearest(name, self.tables)
                )
            )
        return self.tables[name]

    def columns(self, table: str) -> tuple[str, ...]:
        """Name the columns of a table."""
        return tuple(column["name"] for column in self.table(table)["columns"])


def replicas(settings: Settings) -> tuple[Replica, ...]:
    """Give every built replica, the newest first; null draws are controls, and nobody's data."""
    if settings.replicas.is_dir():
        # A folder that cannot be listed would else read as one that is empty.
        os.scandir(settings.replicas).close()
    found = [
        replica
        for manifest in settings.replicas.glob("*/*/manifest.json")
        if not manifest.parent.name.startswith(".")
        and (replica := _usable(manifest)) is not None
        and not replica.manifest.get("null")
    ]
    return tuple(sorted(found, key=lambda r: (-r.published_at, r.dataset, r.version)))


def preference(replica: Replica) -> tuple[bool, bool, int]:
    """Order replicas by what a run takes first: clean, the whole country, then the newest."""
    recipe = replica.recipe
    return (recipe.dirt is not None, recipe.area is not None, -replica.published_at)


def preferred(settings: Settings, dataset: str) -> Replica:
    """Give the replica of a dataset that a run takes by default, if it reads this one alone."""
    built = replicas(settings)
    same = [replica for replica in built if replica.dataset == dataset]
    if same:
        return min(same, key=preference)
    raise not_built(dataset, {replica.dataset for replica in built})


def not_built(dataset: str, built: set[str]) -> CatalogError:
    """Say that a dataset is not built and how to build it, or that there is none of this name."""
    # Specs are read with pydantic, which a notebook's import need not wait for.
    from synthetic.spec.load import packaged

    known = built | set(packaged())
    if dataset in known:
        return CatalogError(
            _("dataset {dataset!r} is not built on this machine; build it with: {command}").format(
                dataset=dataset, command=build(dataset, options="--scale 0.01")
            )
        )
    return CatalogError(
        _("there is no dataset {dataset!r}; {hint}").format(
            dataset=dataset, hint=nearest(dataset, known)
        )
    )


def _usable(path: Path) -> Replica | None:
    """Read one manifest, or pass over what no reader of this version can use, with a warning."""
    try:
        return read(path)
    except UNREADABLE as error:
        log.warning("passed over %s: not a manifest that can be read (%s)", path, error)
        return None


def read(path: Path) -> Replica:
    """Read one manifest, or raise one of `UNREADABLE`."""
    content = path.read_bytes()
    replica = Replica(
        folder=path.parent,
        manifest=json.loads(content),
        manifest_sha256=hashlib.sha256(content).hexdigest(),
        published_at=path.stat().st_mtime_ns,
    )
    _check(replica)
    return replica


def _check(replica: Replica) -> None:
    """Touch what every reader relies on, so that a broken manifest is met here alone."""
    if replica.manifest["format"] != FORMAT:
        raise ValueError(f"format {replica.manifest['format']!r}, this version reads {FORMAT}")
    if (replica.dataset, replica.version) != replica.folder.parts[-2:]:
        raise ValueError(f"it names {replica.dataset}/{replica.version}")
    if not replica.recipe.scale or replica.depends.keys() & {replica.dataset}:
        raise ValueError("its recipe or its dependencies cannot be")
    for name in replica.tables:
        replica.columns(name)
        for file in replica.table(name)["files"]:
            if Path(file["path"]).parent != Path(name):
                raise ValueError(f"file {file['path']!r} lies outside its table's folder")
