"""Frozen fits: whole numbers in a file that is named after what they were fitted to.

A fit's key is a hash of its settings and of the published numbers, never of the names in a spec. A
packaged file serves every spec that asks for the same fit; another fit is made once and kept beside
the replicas. `synthetic freeze` remakes the packaged files.
"""

from __future__ import annotations

import hashlib
import io
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from synthetic.errors import StorageError
from synthetic.tables.files import write_atomically

log = logging.getLogger(__name__)
Arrays = Mapping[str, npt.NDArray[np.integer]]


def key(kind: str, parts: Sequence[str]) -> str:
    """Name a fit by its kind, its settings and the digests of its margins."""
    return hashlib.sha256("\n".join((kind, *parts)).encode()).hexdigest()[:24]


def packaged_folder() -> Path:
    """The folder of the fits that travel with the package."""
    return Path(__file__).parent.parent / "models"


def fitted(key: str, folder: Path, fit: Callable[[], Arrays]) -> Arrays:
    """Return the packaged fit, else the one kept in `folder`, else make it and keep it there."""
    for place in (packaged_folder(), folder):
        path = place / f"{key}.npz"
        if path.is_file():
            return read(path)
    log.info("fitting %s: no packaged model fits these settings and margins", key)
    arrays = fit()
    save(folder / f"{key}.npz", arrays)
    return read(folder / f"{key}.npz")


def read(path: Path) -> Arrays:
    """Read a fit; its arrays are whole numbers, never pickled objects."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return {name: file[name] for name in sorted(file.files)}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error) as error:
        raise StorageError(f"{path}: damaged model file; delete it and build again") from error


def save(path: Path, arrays: Arrays) -> None:
    """Write a fit to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, written(arrays))


def written(arrays: Arrays) -> bytes:
    """A fit as the bytes of a file, compressed."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def digest(arrays: Arrays) -> str:
    """A hash of the numbers themselves: names, shapes and values."""
    hashed = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name]).astype("<i8")
        hashed.update(f"{name}{array.shape}".encode())
        hashed.update(array.tobytes())
    return hashed.hexdigest()
