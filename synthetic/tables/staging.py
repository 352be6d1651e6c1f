"""Staging: where a build writes until it publishes, and where finished shards wait for the next.

A staging folder belongs to the process that holds a lock on it, and the lock ends with the process.
What a killed or interrupted build leaves is taken over by the next build of the same version, which
keeps the shards that were finished, or removed by a build of another.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from synthetic.errors import BuildError
from synthetic.tables.content import Content
from synthetic.tables.files import storage_error
from synthetic.tables.manifest import NAME, sha256
from synthetic.tables.parquet import Written

if sys.platform != "win32":  # there nothing is taken over, and abandoned folders stay
    import fcntl

_TRIES = 3  # new folders that other builds may take away in the same instant
DONE = ".done"  # one small file for each finished shard


class WorkerKilledError(BuildError):
    """A worker process is gone; the shards that are finished wait for the next build."""


def _lock(folder: Path) -> int | None:
    """Hold a folder for this process, or None if another holds it or it is gone."""
    handle = _locked(folder, shared=False)
    if handle is not None and not folder.is_dir():  # published or removed meanwhile
        os.close(handle)
        return None
    return handle


def is_held(folder: Path) -> bool:
    """Whether a build is at work in this staging folder now."""
    handle = _locked(folder, shared=True)
    if handle is not None:
        os.close(handle)
    return handle is None and sys.platform != "win32" and folder.is_dir()


def _locked(folder: Path, *, shared: bool) -> int | None:
    """A handle with a lock on a folder, or None if another has it or the folder is gone."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _claim(parent: Path, name: str) -> tuple[Path, int | None]:
    """A folder for this build: one that waits for it, or a new one."""
    for folder in sorted(parent.glob(f"{name}-*")):
        handle = _lock(folder) if folder.name.rpartition("-")[0] == name else None
        if handle is not None:
            return folder, handle
    for _ in range(_TRIES):
        folder = parent / f"{name}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # whatever the umask: isolated kernels read as another user
        handle = _lock(folder)
        if handle is not None:  # else another build was quicker to take it
            break
    return folder, handle  # without a lock where the file system has none


@contextmanager
def staging(out: Path, name: str) -> Iterator[Path]:
    """A folder that no list shows, gone afterwards unless the build was interrupted."""
    parent, handle = out / ".staging", None
    try:
        folder, handle = _claim(parent, name)
    except OSError as error:
        raise storage_error("write", parent, error) from error
    keep = False
    try:
        yield folder
    except (KeyboardInterrupt, WorkerKilledError):
        keep = True
        raise
    except OSError as error:
        raise storage_error("write", folder, error) from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def remove_abandoned(out: Path, wanted: Collection[str]) -> None:
    """Remove what interrupted builds of other versions than these left behind."""
    parent = out / ".staging"
    for folder in parent.glob("*") if parent.is_dir() else ():
        if folder.name.rpartition("-")[0] in wanted:
            continue
        handle = _lock(folder)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def note(folder: Path, written: Written, rows: tuple[int, int]) -> None:
    """Tell that a shard of these groups or units is finished."""
    place = folder / DONE / f"{written.path}.json"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Torn by a crash it cannot be read, or its hash is not the shard's: then it tells nothing.
        place.write_bytes(noted(written, rows))
    except OSError as error:
        raise storage_error("write", place, error) from error


def finished(folder: Path, path: str, rows: tuple[int, int]) -> Written | None:
    """A shard of these groups or units that an interrupted build has finished."""
    try:
        found = understood((folder / DONE / f"{path}.json").read_bytes(), path, rows)
        return found if found and sha256(folder / path) == found.sha256 else None
    except OSError:
        return None


def noted(written: Written, rows: tuple[int, int]) -> bytes:
    """The words of a note."""
    return json.dumps(asdict(written) | {"range": list(rows)}).encode()


def understood(note: bytes, path: str, rows: tuple[int, int]) -> Written | None:
    """What a note tells of a shard, if it is one of this path and these groups or units."""
    try:
        told = json.loads(note)
        if tuple(told.pop("range")) != rows or told["path"] != path:
            return None
        content = told.pop("content")
        first, second = content["lanes"]
        return Written(**told, content=Content(content["rows"], (first, second)))
    except (ValueError, KeyError, TypeError):
        return None


def tidy(folder: Path, written: Iterable[Written]) -> None:
    """Leave nothing in a folder but the shards that were written."""
    shutil.rmtree(folder / DONE, ignore_errors=True)
    wanted = {folder / one.path for one in written}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()


def publish(staging: Path, target: Path) -> None:
    """Put a whole replica in its place by one rename; one that is there already is the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        staging.rename(target)
    except OSError:
        if not (target / NAME).is_file():  # else another process published the same first
            raise
