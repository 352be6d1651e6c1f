"""Where replicas are built and kept: a folder of this machine, or a bucket of S3.

A build asks its store for a staging, hands it to workers, and publishes through it. A folder is
published by one rename, a bucket by its manifest, which is written last.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from synthetic.errors import StorageError
from synthetic.tables import manifest as manifests
from synthetic.tables import staging as stagings
from synthetic.tables.buckets import Bucket, copied
from synthetic.tables.files import storage_error, write_json
from synthetic.tables.manifest import Manifest
from synthetic.tables.parquet import Written

Rows = tuple[int, int]  # groups or units from, and up to


class Staging(Protocol):
    """The shards of one replica until it is published; it can be sent to other machines."""

    def writing(self) -> AbstractContextManager[Path]:
        """A folder of the machine that asks, to write shards in."""

    def keep(self, folder: Path, written: Written, rows: Rows) -> None:
        """Keep a shard that was written in that folder, and tell that it is finished."""

    def finished(self, path: str, rows: Rows) -> Written | None:
        """A shard that an interrupted build has finished."""

    def gathered(self, written: Sequence[Written]) -> Path:
        """A folder of this machine with all these shards."""

    def publish(self, data: Mapping[str, Any]) -> Manifest:
        """Show the replica, with this manifest, to those who read."""


class Store(Protocol):
    """A place for replicas."""

    def check(self) -> None:
        """Raise StorageError if nothing can be written there."""

    def models(self) -> AbstractContextManager[Path]:
        """The folder of fits that are kept beside the replicas."""

    def holds(self, dataset: str, version: str) -> bool:
        """Whether a replica is there."""

    def whole(self, dataset: str, version: str) -> Manifest:
        """The replica that is there, or an error if a part of it is not as it was published."""

    def remove_abandoned(self, wanted: Mapping[str, str]) -> None:
        """Remove what interrupted builds left behind, save these datasets and versions."""

    def staging(self, dataset: str, version: str) -> AbstractContextManager[Staging]:
        """A new staging, or one that an interrupted build left."""


@contextmanager
def opened(out: Path | str) -> Iterator[Store]:
    """The store of this folder, or of this address such as s3://bucket/replicas."""
    if isinstance(out, Path):
        yield Folder(out)
    else:
        with Bucket.opened(out) as bucket:
            yield bucket


@contextmanager
def readable(place: Path | str) -> Iterator[tuple[Path, Callable[[str], str]]]:
    """A folder of this machine with these replicas, and what names their place in a text."""
    if isinstance(place, Path):
        yield place, str
    else:
        with copied(place) as found:
            yield found


@dataclass(frozen=True)
class Folder:
    """Replicas in a folder of this machine, or one that machines share."""

    root: Path

    def check(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("write", self.root, error) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise StorageError(
                f"{self.root}: no permission to write there; choose a folder that is yours"
            )

    @contextmanager
    def models(self) -> Iterator[Path]:
        yield self.root / ".models"

    def holds(self, dataset: str, version: str) -> bool:
        return (self.root / dataset / version).exists()

    def whole(self, dataset: str, version: str) -> Manifest:
        folder = self.root / dataset / version
        try:
            manifest = manifests.read(folder)
            check_hashes(manifest)
        except (StorageError, OSError) as error:
            raise StorageError(
                f"{folder}: the replica there is damaged ({error}); delete this folder and build "
                "again"
            ) from error
        return manifest

    def remove_abandoned(self, wanted: Mapping[str, str]) -> None:
        stagings.remove_abandoned(self.root, [f"{d}-{version}" for d, version in wanted.items()])

    @contextmanager
    def staging(self, dataset: str, version: str) -> Iterator[Staging]:
        with stagings.staging(self.root, f"{dataset}-{version}") as folder:
            yield FolderStaging(folder, self.root / dataset / version)


@dataclass(frozen=True)
class FolderStaging:
    """Shards in a folder that no list shows; its name is its own, so that none is like it."""

    folder: Path
    target: Path

    @contextmanager
    def writing(self) -> Iterator[Path]:
        if not self.folder.is_dir():  # else a worker would fill a folder that nobody reads
            raise StorageError(
                f"{self.folder} is not to be seen from here; --out must be a folder that all "
                "machines share, or an address such as s3://bucket/replicas"
            )
        yield self.folder

    def keep(self, folder: Path, written: Written, rows: Rows) -> None:
        stagings.note(folder, written, rows)

    def finished(self, path: str, rows: Rows) -> Written | None:
        return stagings.finished(self.folder, path, rows)

    def gathered(self, written: Sequence[Written]) -> Path:
        stagings.tidy(self.folder, written)
        return self.folder

    def publish(self, data: Mapping[str, Any]) -> Manifest:
        write_json(self.folder / manifests.NAME, data)
        stagings.publish(self.folder, self.target)
        return manifests.read(self.target)


def check_hashes(manifest: Manifest) -> None:
    """Raise StorageError if a file is not the one that was built."""
    for table in manifest.tables:
        for file in table["files"]:
            path = manifest.folder / file["path"]
            if manifests.sha256(path) != file["sha256"]:
                raise StorageError(f"{path} is not the file that was built")
