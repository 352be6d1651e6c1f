"""The data files beside a notebook, as its interactive kernel sees them: to be read, and up to date.

The kernel has no sight of the work folder. It has a folder of second names (hard links) of the CSV,
Parquet and Excel files beside its notebook, which follows what is put there, changed and removed.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path, PurePosixPath

from sandbox.kernels.policy import MIB
from sandbox.lab.files import READERS
from sandbox.settings import Settings
from sandbox.workspace.tree import Tree
from synthetic.tables.files import make_folder

log = logging.getLogger(__name__)

READABLE = 0o004  # a kernel of root has another uid
Stamp = tuple[int, int, int]


class Beside:
    """One notebook's neighbours; `place` is where the kernel's folder of them lies."""

    def __init__(self, settings: Settings, tree: Tree, document: str, place: Path) -> None:
        self.place = make_folder(place)
        self.place.chmod(0o755)
        self._tree = tree
        self._parent: str | None = None
        self.follow(document)
        self._most_bytes = settings.attachments_mib * MIB  # of copies, where there can be no links
        self._copied: dict[str, int] = {}
        self._seen: dict[str, Stamp] = {}

    def follow(self, document: str) -> None:
        """Look beside this notebook from now on; JupyterLab tells its path after the start."""
        if document.endswith(".ipynb"):
            self._parent = str(PurePosixPath(document).parent).removeprefix(".")

    def refresh(self) -> None:
        """Bring the kernel's folder up to date; a file that cannot be had is left out."""
        if self._parent is None:
            return
        try:
            there = {
                name: self._stamp(name)
                for name in self._tree.names(self._parent)
                if PurePosixPath(name).suffix.lower() in READERS
            }
        except OSError:
            return  # moved or removed just now
        for name in self._seen.keys() - there.keys():
            self._forget(name)
        for name, stamp in there.items():
            if self._seen.get(name) != stamp:
                self._forget(name)
                try:
                    self._give(name, stamp[1])
                except OSError as error:  # it goes, or comes, just now
                    log.warning("%r cannot be given to the kernel yet: %s", name[:200], error)
                else:
                    self._seen[name] = stamp

    def _stamp(self, name: str) -> Stamp:
        facts = self._tree.facts(self._path(name))
        return facts.st_ino, facts.st_size, facts.st_mtime_ns

    def _path(self, name: str) -> str:
        return f"{self._parent}/{name}"

    def _forget(self, name: str) -> None:
        (self.place / name).unlink(missing_ok=True)
        self._seen.pop(name, None)
        self._copied.pop(name, None)

    def _give(self, name: str, size_bytes: int) -> None:
        is_shut = os.geteuid() == 0 and not self._tree.facts(self._path(name)).st_mode & READABLE
        if not is_shut:
            try:
                self._tree.link(self._path(name), self.place / name)
                return
            except OSError as error:
                log.info("%r is copied for the kernel: %s", name[:200], error)
        self._copy(name, size_bytes)

    def _copy(self, name: str, size_bytes: int) -> None:
        if sum(self._copied.values()) + size_bytes > self._most_bytes:
            log.warning("%r is not given to the kernel: too large to be copied", name[:200])
            return
        fresh = self.place / f".{name}"
        with (
            self._tree.opened(self._path(name)) as handle,
            os.fdopen(os.dup(handle), "rb") as source,
            fresh.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, MIB)
        fresh.chmod(0o644)
        fresh.replace(self.place / name)
        self._copied[name] = size_bytes
