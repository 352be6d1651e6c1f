"""Write a file whole or not at all.

Every file that others read goes to a temporary name beside its place and is then renamed, after
its bytes are on the disk. A fault of the disk becomes a message that a person can act on.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from synthetic.errors import StorageError

REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "the disk quota is used up; free some space and try again",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "no permission to write there; choose a folder that is yours",
    errno.EPERM: "no permission to write there; choose a folder that is yours",
    errno.ENOENT: "its folder is not there; make the folder first",
    errno.EEXIST: "a file has that name; choose a folder, or a name that is free",
    errno.EFBIG: "files may not grow so large here; raise the limit (ulimit -f) and try again",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another place",
}


def write_atomically(path: Path, data: bytes) -> None:
    """Put these bytes at this path, so that a reader sees the old file or the new one.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written; the old file then stays.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            Path(temporary).chmod(0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error("write", path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def write_json(path: Path, value: Any) -> None:
    """Put this value at this path as readable JSON, whole or not at all."""
    write_atomically(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """This value as readable JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    # Half of a pair of surrogates cannot be written, but its escape is JSON all the same.
    return (text + "\n").encode("utf-8", "backslashreplace")


def make_folder(path: Path) -> Path:
    """Make a folder and its parents, or say why that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("make the folder", path, error) from error
    return path


def storage_error(verb: str, path: Path, error: OSError) -> StorageError:
    """Tell a fault of the disk with its remedy."""
    remedy = REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return StorageError(f"cannot {verb} {str(path)!r}: {remedy}")


def _sync_folder(folder: Path) -> None:
    # A rename is durable only when the folder itself is on the disk; not every system can do it.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
