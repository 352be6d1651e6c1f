"""The files below one folder, reached step by step through open handles; no link is followed.

A kernel can make links in the folder that it may write to, and exchange a folder for a link at any
moment. So a path is never handed to the system whole: each part is opened within the one before,
and a part that is a link is refused at that very step. There is no gap between a check and the
use of what was checked.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without waiting: a pipe that a kernel put here would otherwise hold the server for ever.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LONGEST = 255  # bytes of a name


class OutsideError(OSError):
    """A path leads out of the folder, through a link, or to something hidden."""


class Tree:
    """The files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._handle = os.open(root, FOLDER & ~os.O_NOFOLLOW)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._handle)

    def facts(self, path: str) -> os.stat_result:
        """Give size, times and kind of what lies at a path; a link is refused."""
        with self._parent(path) as (folder, name):
            found = os.stat(name or ".", dir_fd=folder, follow_symlinks=False)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise OutsideError(errno.ELOOP, "is a link or a device, which is not opened", path)
        return found

    def is_folder(self, path: str) -> bool:
        """Whether a folder lies at a path."""
        with suppress(OSError):
            return stat.S_ISDIR(self.facts(path).st_mode)
        return False

    def is_file(self, path: str) -> bool:
        """Whether a file lies at a path."""
        with suppress(OSError):
            return stat.S_ISREG(self.facts(path).st_mode)
        return False

    def names(self, path: str) -> list[str]:
        """Name the files and folders in a folder; links, devices and hidden things are left out."""
        with self._folder(parts(path)) as folder, os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
                and _is_text(entry.name)
            )

    @contextmanager
    def opened(self, path: str) -> Iterator[int]:
        """Open a file to read; gives its handle."""
        with self._parent(path) as (folder, name):
            handle = os.open(name, FILE, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise IsADirectoryError(errno.EISDIR, "is not a file", path)
            yield handle
        finally:
            os.close(handle)

    def read(self, path: str, *, most: int) -> bytes:
        """Read a file of up to so many bytes."""
        with self.opened(path) as handle:
            if os.fstat(handle).st_size > most:
                raise OSError(errno.EFBIG, f"is larger than {most:,} bytes", path)
            with os.fdopen(os.dup(handle), "rb") as file:
                return file.read(most + 1)[:most]

    def link(self, path: str, target: Path) -> None:
        """Give a file a second name elsewhere."""
        with self._parent(path) as (folder, name):
            os.link(name, target, src_dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(target.lstat().st_mode):
            target.unlink()  # it was exchanged for a link or a device
            raise OutsideError(errno.ELOOP, "is a link or a device, which is not opened", path)

    def write(self, path: str, data: bytes) -> None:
        """Put a file in place whole, in exchange for the one that was there."""
        with self._parent(path) as (folder, name):
            with suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISREG(found.st_mode):
                    raise OutsideError(errno.ELOOP, "is not a file", path)
            with self._fresh(folder, data) as fresh:
                os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)

    def create(self, path: str, data: bytes) -> None:
        """Put a new file in place whole; raises FileExistsError where something is already."""
        with self._parent(path) as (folder, name), self._fresh(folder, data) as fresh:
            os.link(fresh, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)

    def append(self, path: str, data: bytes) -> None:
        """Add to the end of a file that is there."""
        with self._parent(path) as (folder, name):
            flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            handle = os.open(name, flags, dir_fd=folder)
            with os.fdopen(handle, "wb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OutsideError(errno.ELOOP, "is not a file", path)
                file.write(data)

    def make_folder(self, path: str) -> None:
        """Make a folder; one that is there stays."""
        with self._parent(path) as (folder, name):
            try:
                os.mkdir(name, dir_fd=folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise

    def rename(self, old: str, new: str) -> None:
        """Move a file or a folder to a free place."""
        with self._parent(old) as (here, name), self._parent(new) as (there, wanted):
            found = os.stat(name, dir_fd=here, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                # In two steps, since a plain rename would replace what is there.
                os.link(name, wanted, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
                os.unlink(name, dir_fd=here)
            elif stat.S_ISDIR(found.st_mode):
                os.mkdir(wanted, dir_fd=there)  # refuses a taken place; exchanged when empty
                os.rename(name, wanted, src_dir_fd=here, dst_dir_fd=there)
            else:
                raise OutsideError(errno.ELOOP, "is a link or a device", old)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; a link goes itself."""
        with self._parent(path) as (folder, name):
            if not name:
                raise OutsideError(errno.EBUSY, "the work folder itself stays", path)
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    @contextmanager
    def _folder(self, way: Sequence[str]) -> Iterator[int]:
        # Opened anew: two that list one open folder at once would each see a part of it.
        handle = os.open(".", FOLDER, dir_fd=self._handle)
        try:
            for part in way:
                try:
                    inner = os.open(part, FOLDER, dir_fd=handle)
                except OSError as error:
                    if error.errno in (errno.ELOOP, errno.ENOTDIR):
                        raise OutsideError(errno.ELOOP, "is no folder", "/".join(way)) from error
                    raise
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        way = parts(path)
        with self._folder(way[:-1]) as handle:
            yield handle, way[-1] if way else ""

    @contextmanager
    def _fresh(self, folder: int, data: bytes) -> Iterator[str]:
        """Write data under a name of its own; removed at the end unless it was renamed."""
        name = f".~{secrets.token_hex(8)}"
        handle = os.open(name, NEW, 0o644, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                if os.geteuid() == 0:  # a kernel of root has another uid, as its folder has
                    owner = os.fstat(folder)
                    os.fchown(handle, owner.st_uid, owner.st_gid)
                file.write(data)
                file.flush()
                os.fsync(handle)
            yield name
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)


def parts(path: str) -> list[str]:
    """Split a path of the interface; refuses what leads up, is hidden, or cannot be a name."""
    way = [part for part in path.split("/") if part]
    for part in way:
        if part.startswith(".") or "\0" in part:
            raise OutsideError(errno.ENOENT, "is hidden or leads out of the work folder", path)
        if not _is_text(part) or len(os.fsencode(part)) > LONGEST:
            raise OutsideError(errno.ENAMETOOLONG, "cannot be a name", path[:LONGEST])
    return way


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
