"""The shelf of draws: built once, shared by all runs, removed when they lie there unused.

A set of draws is a folder of replicas under the home, where no catalogue looks. Who uses it shares
its lock; who builds in it holds a second one alone, so of two who want the same, one builds and the
other waits. When all sets together are larger than `MOST_BYTES`, those that were used longest ago
go, save what is in use; they are built again when a run asks for them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from synthetic.tables.files import make_folder, storage_error

log = logging.getLogger(__name__)

MOST_BYTES = 10 * 1024**3  # of all sets; a draw of population and enterprise at 0.01 has 32 MB
LOCK = "lock"  # when it was last changed, the set was last used
BUILDING = "building.lock"

Built = TypeVar("Built")


@contextmanager
def kept(root: Path, name: str, build: Callable[[Path], Built]) -> Iterator[Built]:
    """Give what `build` makes of a set's folder; the set stays as long as this lasts.

    `build` is called by one process at a time, and finds what others have made.
    """
    folder = root / name
    while (used := _locked(make_folder(folder) / LOCK, fcntl.LOCK_SH)) is None:
        pass  # it was removed in this very moment, and is made again
    try:
        os.utime(used)
        building = _locked(folder / BUILDING, fcntl.LOCK_EX)
        assert building is not None
        try:
            made = build(folder)
        finally:
            os.close(building)
        clear(root)
        yield made
    finally:
        os.close(used)


def clear(root: Path, most_bytes: int = MOST_BYTES) -> None:
    """Remove the sets that were used longest ago until the others are small enough together."""
    total = 0
    for lock in sorted(root.glob(f"*/{LOCK}"), key=_used_at, reverse=True):
        total += _size(lock.parent)
        if total > most_bytes and (alone := _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)):
            _remove(lock.parent)
            os.close(alone)


def _remove(folder: Path) -> None:
    """Remove a set; who dies in it leaves no half of one, but another to be removed."""
    gone = folder.with_name(f".{secrets.token_hex(4)}")
    with suppress(OSError):
        folder.rename(gone)
        log.info("removed the draws %s: others were used since", folder.name)
    shutil.rmtree(gone, ignore_errors=True)


def _used_at(lock: Path) -> int:
    try:
        return lock.stat().st_mtime_ns
    except OSError:  # another process has just removed it
        return 0


def _locked(path: Path, how: int) -> int | None:
    """Lock a file; None if another holds it and this is not to wait, or if it was removed."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error("lock", path, error) from error
    is_ours = False
    try:
        fcntl.flock(handle, how)
        is_ours = path.stat().st_ino == os.fstat(handle).st_ino
    except (BlockingIOError, FileNotFoundError):
        pass
    finally:
        if not is_ours:
            os.close(handle)
    return handle if is_ours else None


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # a build takes away what it staged
            total += path.stat().st_size
    return total
