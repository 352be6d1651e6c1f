"""Data as a kernel gets them: in folders whose names say nothing of the draw.

A process can read from where its mounts come, and a replica's folder names its seed. So the
files are mounted from a folder of the execution, where they are second names (hard links) of the
replica's own files: no copy is made.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sandbox.kernels import Mount
from sandbox.kernels.policy import DATA

if TYPE_CHECKING:
    from sandbox.catalog import Inputs

log = logging.getLogger(__name__)


def mounted(folder: Path, inputs: Inputs) -> tuple[Mount, ...]:
    """Stage the declared tables, each mounted where a notebook's catalogue says that it is."""
    binds = inputs.binds(Path(DATA))
    return stage(folder, [Mount(source=one, target=PurePosixPath(to)) for one, to in binds])


def stage(folder: Path, mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """Give mounts of the same files from below `folder`; the given ones where links cannot be."""
    clear(folder)
    staged = []
    for place, mount in enumerate(mounts):
        second = folder / str(place)
        try:
            for path in sorted(mount.source.rglob("*")):
                if path.is_file():
                    name = second / path.relative_to(mount.source)
                    name.parent.mkdir(parents=True, exist_ok=True)
                    if os.geteuid() == 0 and not path.stat().st_mode & 0o004:
                        # Built under a strict umask: root's kernels have another uid.
                        shutil.copyfile(path, name)
                        name.chmod(0o444)
                    else:
                        name.hardlink_to(path)
            for path in (second, *second.rglob("*")):
                if path.is_dir():
                    path.chmod(0o755)
        except OSError as error:
            # Replicas on another file system, or one without hard links.
            log.warning("the data are mounted from the replicas' own folders: %s", error)
            clear(folder)
            return tuple(mounts)
        staged.append(Mount(source=second, target=mount.target))
    return tuple(staged)


def clear(folder: Path) -> None:
    """Take the second names away; the files stay in their replicas."""
    shutil.rmtree(folder, ignore_errors=True)
