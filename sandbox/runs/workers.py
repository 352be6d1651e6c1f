"""The workers of a home that live: each has a folder with a lock that ends with its process.

They are no part of the queue, which is the runs' own folders; who submits only needs to know
whether somebody is there to take a run.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.runs.folder import now, read
from sandbox.settings import Settings
from synthetic.errors import SyntheticError
from synthetic.tables.files import make_folder, storage_error, write_json

log = logging.getLogger(__name__)

FRESH = ".new-"  # of a folder whose lock is not held yet


@dataclass(frozen=True, kw_only=True)
class Living:
    """One worker that lives."""

    pid: int
    slots: tuple[int, ...]  # the processes that execute, one run each
    started_at: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A worker's own folder, while it holds its lock."""

    path: Path
    handle: int
    started_at: str

    def tell(self, slots: Sequence[int]) -> None:
        """Write down which processes execute."""
        facts = {"pid": os.getpid(), "slots": list(slots), "started_at": self.started_at}
        write_json(self.path / "worker.json", facts)

    def let_go(self) -> None:
        """Hold the lock no longer in this process, which was forked off the worker."""
        os.close(self.handle)


def folder(settings: Settings) -> Path:
    """Give the folder of the workers."""
    return settings.home / "workers"


@contextmanager
def registered(settings: Settings, slots: Sequence[int] = ()) -> Iterator[Place]:
    """Be known as a worker as long as this lasts."""
    base = make_folder(folder(settings))
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    fresh = make_folder(base / f"{FRESH}{name}")
    try:
        handle = os.open(fresh / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error("lock", fresh / "lock", error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        place = Place(path=fresh, handle=handle, started_at=now())
        place.tell(slots)
        place = replace(place, path=fresh.rename(base / name))
        yield place
    finally:
        os.close(handle)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(base / name, ignore_errors=True)


def living(settings: Settings) -> list[Living]:
    """List the workers that live, and forget those that do not."""
    found = []
    for path in sorted(folder(settings).glob("[0-9]*")):
        if not _is_held(path / "lock"):
            shutil.rmtree(path, ignore_errors=True)
            continue
        with suppress(SandboxError, SyntheticError, KeyError, TypeError, ValueError):
            told = read(path / "worker.json")
            found.append(
                Living(
                    pid=int(told["pid"]),
                    slots=tuple(map(int, told["slots"])),
                    started_at=str(told["started_at"]),
                )
            )
    return found


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
