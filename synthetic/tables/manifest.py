"""The manifest of a replica: what its folder holds, read and written in one place.

A replica is one immutable folder of Parquet files with `manifest.json`. `Manifest` gives the facts
that code here needs; the whole document stays available as `data`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from synthetic.errors import StorageError

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Manifest:
    """A replica's folder and what its manifest says."""

    folder: Path
    data: Mapping[str, Any]
    bucket: str | None = None  # where it lies, if not in a folder of this machine

    @property
    def address(self) -> str:
        """Where it lies, as a person types it."""
        return str(self.folder) if self.bucket is None else self.bucket

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return str(self.data["dataset"])

    @property
    def version(self) -> str:
        """The replica's version: recipe and hash of all inputs."""
        return str(self.data["version"])

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Scale, area, seed and margins."""
        recipe: Mapping[str, Any] = self.data["recipe"]
        return recipe

    @property
    def tables(self) -> list[Mapping[str, Any]]:
        """The tables with their files and columns."""
        return list(self.data["tables"])

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table, in order."""
        entry = next(t for t in self.tables if t["name"] == table)
        return [self.folder / file["path"] for file in entry["files"]]


def read(folder: Path) -> Manifest:
    """Read the manifest of a replica's folder."""
    path = folder / NAME
    try:
        told = path.read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{folder}: no {NAME}; this folder is not a replica") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error}; build the replica again") from error
    return Manifest(folder, parse(told, str(path)))


def parse(told: bytes, path: str) -> Mapping[str, Any]:
    """What a manifest says that was read from this place, or an error if it is none."""
    try:
        data = json.loads(told)
    except ValueError as error:
        raise StorageError(f"{path}: cannot be read: {error}; build the replica again") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise StorageError(f"{path}: not a manifest of format {FORMAT}")
    try:
        _check_shape(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(
            f"{path}: damaged manifest ({type(error).__name__}: {error}); delete this folder and "
            "build again"
        ) from error
    return data


def _check_shape(data: Mapping[str, Any]) -> None:
    """Touch all that code here relies on, so that a damaged manifest is told at once."""
    recipe = data["recipe"]
    Fraction(recipe["scale"])
    int(recipe["seed"])
    {"exact": 0, "sampled": 1}[recipe["margins"]]
    str(recipe["area"])
    for name in ("spec", "statistics", "model", "inputs"):
        len(data["hashes"][name])
    len(data["dataset"] + data["version"])
    if data.get("dirt"):
        _check_dirt(data["dirt"], recipe)
    data["depends"].items()
    for table in data["tables"]:
        len(table["name"] + table["content_hash"])
        for file in table["files"]:
            inside = PurePosixPath(file["path"])
            if inside.is_absolute() or ".." in inside.parts:
                raise ValueError(f"a file outside the folder: {inside}")
            len(file["sha256"])
            int(file["rows"]) + int(file["bytes"])
        for column in table["columns"]:
            len(column["name"])


def _check_dirt(dirt: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    len(recipe["dirt"] + dirt["of"] + dirt["of_inputs"] + dirt["answers"]["sha256"])
    int(recipe["dirt_seed"]) + int(dirt["generation"]) + int(dirt["answers"]["rows"])
    for table in dirt["tables"].values():
        len(table["content_hash"])
        int(table["rows"]) + sum(table["planted"].values())


def inputs_hash(**parts: Any) -> str:
    """A hash of all that a replica's content depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def version(recipe: Mapping[str, Any], inputs: str) -> str:
    """A replica's version: its recipe for people, and its inputs for certainty."""
    area, seed = recipe["area"] or "all", recipe["seed"]
    dirt = f"-dirt{recipe['dirt']}-seed{recipe['dirt_seed']}" if recipe.get("dirt") else ""
    null = "-null" if recipe.get("null") else ""
    return f"s{recipe['scale']}-{area}-seed{seed}-{recipe['margins']}{dirt}{null}-{inputs[:12]}"


def find(root: Path) -> Iterator[Manifest]:
    """Every replica at or below a folder, staging left out, in order of dataset and version."""
    for folder in folders(root):
        yield read(folder)


def folders(root: Path) -> list[Path]:
    """The folders at or below this one that have a manifest, whatever it says."""
    found = [root / NAME] if (root / NAME).is_file() else []
    for depth in ("*", "*/*", "*/*/*"):
        found += root.glob(f"{depth}/{NAME}")
    shown = (
        path.parent
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    return sorted(shown)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
