"""Replicas in a bucket of S3, through fsspec: each shard is an object, the manifest comes last.

S3 renames nothing, so shards go to their final place at once; what has no manifest is no replica
and no reader sees it. Shards that an interrupted build finished are taken over by the next build of
the same version. While a replica is built its shards also stay on this machine, where they are
measured. Address and credentials of the store come from the environment (AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from synthetic.errors import StorageError, SyntheticError
from synthetic.tables import manifest as manifests
from synthetic.tables.files import json_bytes, storage_error
from synthetic.tables.manifest import Manifest, sha256
from synthetic.tables.parquet import Written
from synthetic.tables.staging import DONE, noted, understood

SCHEME = "s3://"
_CONNECT_S, _TRIES = 5, 3
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDIES = {
    FileNotFoundError: "there is no such bucket; make it first, or correct the address",
    PermissionError: "the store refuses; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, what they "
    "allow, and this machine's clock",
}


@cache
def _files() -> Any:
    """The store, as this process sees it."""
    try:
        import fsspec
        import s3fs  # noqa: F401 - fsspec would look for it only later
    except ImportError:
        raise StorageError(
            "s3:// needs the extra 'cluster'; install it: "
            "pip install 'vietnam-data-sandbox[cluster]'"
        ) from None
    return fsspec.filesystem(
        "s3",
        use_listings_cache=False,
        config_kwargs={
            "connect_timeout": _CONNECT_S,
            "retries": {"mode": "standard", "max_attempts": _TRIES},
        },
    )


@contextmanager
def _told(address: str) -> Iterator[Any]:
    """The store; what it refuses or lacks becomes a message."""
    files = _files()
    from botocore.exceptions import BotoCoreError, NoCredentialsError

    try:
        yield files
    except (OSError, ValueError, BotoCoreError) as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise storage_error("write", Path(tempfile.gettempdir()), error) from error
        kinds = (text for kind, text in _REMEDIES.items() if isinstance(error, kind))
        remedy = next(kinds, f"{error}; is AWS_ENDPOINT_URL right, and does the store run?")
        if isinstance(error, NoCredentialsError):
            remedy = _REMEDIES[PermissionError]
        raise StorageError(f"{address}: {remedy}") from error


@dataclass(frozen=True)
class Bucket:
    """Replicas below an address such as s3://bucket/replicas."""

    address: str
    scratch: Path  # on this machine

    @classmethod
    @contextmanager
    def opened(cls, address: str) -> Iterator[Bucket]:
        """A bucket for one build."""
        with tempfile.TemporaryDirectory(prefix="synthetic-") as scratch:
            yield cls(checked(address), Path(scratch))

    def check(self) -> None:
        name, _, prefix = self.address.removeprefix(SCHEME).partition("/")
        with _told(self.address) as files:
            files.call_s3("list_objects_v2", Bucket=name, Prefix=prefix, MaxKeys=1)

    @contextmanager
    def models(self) -> Iterator[Path]:
        folder, there = self.scratch / ".models", f"{self.address}/.models"
        folder.mkdir()
        with _told(there) as files:
            for path in files.find(there):
                files.get_file(path, folder / PurePosixPath(path).name)
        before = set(folder.iterdir())
        yield folder
        with _told(there) as files:
            for path in sorted(set(folder.iterdir()) - before):
                files.put_file(path, f"{there}/{path.name}")

    def holds(self, dataset: str, version: str) -> bool:
        place = self._place(dataset, version)
        with _told(place) as files:
            return bool(files.exists(f"{place}/{manifests.NAME}"))

    def whole(self, dataset: str, version: str) -> Manifest:
        place = self._place(dataset, version)
        with _told(place) as files:
            told = files.cat_file(f"{place}/{manifests.NAME}")
            sizes = {p: about["size"] for p, about in files.find(place, detail=True).items()}
        data = manifests.parse(told, f"{place}/{manifests.NAME}")
        for file in (file for table in data["tables"] for file in table["files"]):
            path = f"{place}/{file['path']}"
            if sizes.get(path.removeprefix(SCHEME)) != file["bytes"]:
                raise StorageError(
                    f"{place}: the replica there is damaged ({path} is not the file that was "
                    "built); delete all below this address and build again"
                )
        return Manifest(Path(dataset) / version, data, place)

    def remove_abandoned(self, wanted: Mapping[str, str]) -> None:
        """Nothing: a store has no locks, so what looks abandoned may be under way elsewhere."""

    @contextmanager
    def staging(self, dataset: str, version: str) -> Iterator[BucketStaging]:
        scratch = self.scratch / dataset / version
        try:
            scratch.mkdir(parents=True)
            yield BucketStaging(self._place(dataset, version), scratch)
        except OSError as error:
            raise storage_error("write", scratch, error) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _place(self, dataset: str, version: str) -> str:
        return f"{self.address}/{dataset}/{version}"


@dataclass(frozen=True)
class BucketStaging:
    """Shards at their final place in a bucket, where nobody sees them without a manifest."""

    place: str
    scratch: Path  # on the machine of the build, below a folder whose name is its own

    @contextmanager
    def writing(self) -> Iterator[Path]:
        if self.scratch.is_dir():
            yield self.scratch
        else:
            with tempfile.TemporaryDirectory(prefix="synthetic-") as folder:
                yield Path(folder)

    def keep(self, folder: Path, written: Written, rows: tuple[int, int]) -> None:
        place = f"{self.place}/{written.path}"
        with _told(place) as files:
            files.put_file(folder / written.path, place)
            note = noted(written, rows)
            files.pipe_file(self._note(written.path), note + b"\n" + _tag(files, place))

    def finished(self, path: str, rows: tuple[int, int]) -> Written | None:
        place = f"{self.place}/{path}"
        with suppress(StorageError), _told(place) as files:
            note, _, tag = files.cat_file(self._note(path)).partition(b"\n")
            return understood(note, path, rows) if _tag(files, place) == tag else None
        return None

    def gathered(self, written: Sequence[Written]) -> Path:
        for one in written:
            path = self.scratch / one.path
            if not path.is_file():  # written by another machine, or an interrupted build
                _fetch(f"{self.place}/{one.path}", path)
                if sha256(path) != one.sha256:
                    raise StorageError(f"{self.place}/{one.path} is not what was put there")
        return self.scratch

    def publish(self, data: Mapping[str, Any]) -> Manifest:
        wanted = {file["path"] for table in data["tables"] for file in table["files"]}
        with _told(self.place) as files:
            found = {p.removeprefix(f"{self._key}/"): p for p in files.find(self.place)}
            notes = [path for name, path in found.items() if name.startswith(f"{DONE}/")]
            strays = [found[name] for name in found.keys() - wanted if found[name] not in notes]
            _remove(files, strays)
            files.pipe_file(f"{self.place}/{manifests.NAME}", json_bytes(data))
            _remove(files, notes)
        dataset, version = self._key.split("/")[-2:]
        return Manifest(Path(dataset) / version, data, self.place)

    @property
    def _key(self) -> str:
        return self.place.removeprefix(SCHEME)

    def _note(self, path: str) -> str:
        return f"{self.place}/{DONE}/{path}.json"


def checked(address: str) -> str:
    """An address without a slash at its end, or an error if it names no bucket."""
    bucket = address.removeprefix(SCHEME).partition("/")[0]
    if not address.startswith(SCHEME) or not bucket:
        raise StorageError(f"{address}: not an address such as s3://bucket/replicas")
    return address.rstrip("/")


@contextmanager
def copied(address: str) -> Iterator[tuple[Path, Callable[[str], str]]]:
    """A copy on this machine, for a while, of the replicas at or below an address.

    Those that they use lie beside them. Errors name the address, not the copy; so does a text that
    is given to what comes with the folder.
    """
    address = checked(address)
    with tempfile.TemporaryDirectory(prefix="synthetic-") as folder:

        def named(text: str) -> str:
            return text.replace(f"{folder}/", SCHEME)

        try:
            for replica in _replicas(address):
                with _told(replica) as files:
                    for path in files.find(replica):
                        _fetch(f"{SCHEME}{path}", Path(folder) / path)
            yield Path(folder) / address.removeprefix(SCHEME), named
        except SyntheticError as error:
            raise type(error)(named(str(error))) from error


def _replicas(address: str) -> list[str]:
    """The addresses of replicas at or below this one, and of those that they use."""
    with _told(address) as files:
        found = [p for p in files.find(address) if PurePosixPath(p).name == manifests.NAME]
    wanted = [f"{SCHEME}{PurePosixPath(path).parent}" for path in found]
    for replica in wanted:  # grows on the way
        root = replica.rsplit("/", 2)[0]
        with suppress(StorageError), _told(replica) as files:
            told = files.cat_file(f"{replica}/{manifests.NAME}")
            uses = manifests.parse(told, replica)["depends"]
            wanted += sorted({f"{root}/{d}/{v}" for d, v in uses.items()} - set(wanted))
    return wanted


def _fetch(address: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("write", path, error) from error
    with _told(address) as files:
        files.get_file(address, path)


def _tag(files: Any, place: str) -> bytes:
    """What the store itself says of an object's content."""
    return str(files.info(place)["ETag"]).encode()


def _remove(files: Any, paths: Sequence[str]) -> None:
    if paths:
        files.rm(list(paths))
