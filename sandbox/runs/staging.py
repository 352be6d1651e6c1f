"""Data as a kernel gets them: in folders whose names say nothing of the draw.

A process can read from where its mounts come, and a replica's folder names its seed. So the
files are mounted from a folder of the execution, where they are second names (hard links) of the
replica's own files: no copy is made if the file system can do it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sandbox.kernels import Mount
from sandbox.kernels.policy import DATA
from synthetic.errors import StorageError
from synthetic.tables.files import storage_error

if TYPE_CHECKING:
    from sandbox.catalog import Inputs

# Of every file: when it was written would tell a replica that lies here for long from a fresh draw.
MOMENT = datetime(2025, 1, 1, tzinfo=UTC).timestamp()

log = logging.getLogger(__name__)


def mounted(folder: Path, inputs: Inputs) -> tuple[Mount, ...]:
    """Stage the tables of a person's own session, who may know which draw it is.

    Where links cannot be, they are mounted from where they lie.
    """
    binds = inputs.binds(Path(DATA))
    mounts = [Mount(source=one, target=PurePosixPath(to)) for one, to in binds]
    try:
        return stage(folder, mounts, may_copy=False)
    except StorageError as error:
        log.warning("the data are mounted from the replicas' own folders: %s", error)
        clear(folder)
        return tuple(mounts)


def stage(folder: Path, mounts: Sequence[Mount], *, may_copy: bool = True) -> tuple[Mount, ...]:
    """Give mounts of the same files from below `folder`, copied where links cannot be."""
    clear(folder)
    staged = []
    for place, mount in enumerate(mounts):
        second = folder / str(place)
        try:
            for path in sorted(mount.source.rglob("*")):
                if path.is_file():
                    _name(path, second / path.relative_to(mount.source), may_copy=may_copy)
            for path in (second, *second.rglob("*")):
                if path.is_dir():
                    path.chmod(0o755)
        except OSError as error:
            raise storage_error("stage the data in", second, error) from error
        staged.append(Mount(source=second, target=mount.target))
    return tuple(staged)


def _name(path: Path, name: Path, *, may_copy: bool) -> None:
    """Give a file a second name; a copy on another file system, or on one without links."""
    name.parent.mkdir(parents=True, exist_ok=True)
    # Built under a strict umask: root's kernels have another uid.
    is_closed = os.geteuid() == 0 and not path.stat().st_mode & 0o004
    try:
        if not is_closed:
            name.hardlink_to(path)
    except OSError:
        if not may_copy:
            raise
    if not name.exists():
        shutil.copyfile(path, name)
        name.chmod(0o444)
    with suppress(PermissionError):  # of a file that is another user's
        os.utime(name, (MOMENT, MOMENT))


def clear(folder: Path) -> None:
    """Take the second names away; the files stay in their replicas."""
    shutil.rmtree(folder, ignore_errors=True)
