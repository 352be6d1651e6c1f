"""The manifest of a replica: what its folder holds, read and written in one place.

A replica is one immutable folder of Parquet files with `manifest.json`. `Manifest` gives the facts
that code here needs; the whole document stays available as `data`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthetic.errors import StorageError

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Manifest:
    """A replica's folder and what its manifest says."""

    folder: Path
    data: Mapping[str, Any]

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
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StorageError(f"{folder}: no {NAME}; this folder is not a replica") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path}: cannot be read: {error}; build the replica again") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise StorageError(f"{path}: not a manifest of format {FORMAT}")
    return Manifest(folder, data)


def find(root: Path) -> Iterator[Manifest]:
    """Every replica at or below a folder, staging left out, in order of dataset and version."""
    if (root / NAME).is_file():
        yield read(root)
        return
    for path in sorted(root.glob(f"*/*/{NAME}")):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield read(path.parent)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
