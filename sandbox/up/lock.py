"""One `up` for a home: a lock that ends with its process, and where its doors are."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sandbox.errors import ServerError
from sandbox.language import _
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, storage_error


def folder(settings: Settings) -> Path:
    """Give the folder of what is running, for its owner's eyes only."""
    made = make_folder(settings.home / "up")
    made.chmod(0o700)
    return made


@contextmanager
def alone(settings: Settings) -> Iterator[Path]:
    """Hold the home's lock, and give the file that tells the doors to a second caller.

    Raises
    ------
    ServerError
        If another process holds it; the message names the doors that are open.
    """
    place = folder(settings)
    doors = place / "doors.json"
    try:
        handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_error("lock", place / "lock", error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(_running(doors)) from None
        with suppress(OSError):
            doors.unlink()
        yield doors
    finally:
        with suppress(OSError):
            if _holds(handle):
                doors.unlink(missing_ok=True)
        os.close(handle)


def tell(doors: Path, facts: Mapping[str, Any]) -> None:
    """Write down where the doors are, readable by their owner only: tokens are among them."""
    fresh = doors.with_suffix(".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"pid": os.getpid(), **facts}, file)
        fresh.replace(doors)
    except OSError as error:
        raise storage_error("write", doors, error) from error


def _holds(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _running(doors: Path) -> str:
    try:
        told = json.loads(doors.read_text())
        open_now = [told[name] for name in ("workspace", "pages") if told.get(name)]
        return _(
            "the sandbox of this home is already running (process {pid}): open {addresses}; "
            "Ctrl-C in its terminal stops it"
        ).format(pid=told["pid"], addresses=_(" and ").join(open_now))
    except (OSError, ValueError, KeyError, TypeError):
        return _(
            "the sandbox of this home is being started or stopped by another process; wait a "
            "moment and try again, or choose another home with SANDBOX_HOME"
        )
