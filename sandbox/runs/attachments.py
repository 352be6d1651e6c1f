"""A founder's own files that travel with a submission: taken within limits, hashed, never edited.

Each is copied once, and what is checked, frozen and mounted is that copy.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sandbox.errors import AttachmentError, RunError
from sandbox.kernels import Mount
from sandbox.kernels.policy import ATTACHED, MIB
from sandbox.lab import attached, files
from sandbox.language import _
from sandbox.retold import retold
from sandbox.settings import Settings
from synthetic.tables.files import make_folder

FOLDER = attached.FOLDER  # below the submission's, and in every kernel
PIECE = MIB
# Without waiting, should it be a pipe; what a link leads to is taken where the link was asked for.
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One file that travels."""

    path: Path  # of the copy
    size_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """What the notebook calls it."""
        return self.path.name


def take(settings: Settings, given: Sequence[Path], folder: Path) -> tuple[Attachment, ...]:
    """Copy files into a folder, within the limits of this installation.

    Raises
    ------
    AttachmentError
        If a name is not that of a file which can travel, two have one name, it cannot be read, is
        a link or no file, or they are too many or too large.
    """
    _check_names(settings, given)
    taken: list[Attachment] = []
    left = settings.attachments_mib * MIB
    for path in given:
        make_folder(folder)
        with opened(path) as (handle, size):
            _check_size(settings, path.name, size, left)
            taken.append(_copied(settings, handle, folder / files.same(path.name)))
        left -= taken[-1].size_bytes
    return tuple(taken)


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file to be taken; gives its size too."""
    try:
        handle = os.open(path, FLAGS)
    except OSError as error:
        raise AttachmentError(_unreadable(path, error)) from error
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        told = _("{name!r} is a folder or a device, not a file; give a file")
        raise AttachmentError(told.format(name=path.name))
    with os.fdopen(handle, "rb") as file:
        yield file, facts.st_size


def facts(submission: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what is known of a submission's attachments; those before there were any have none."""
    return list(submission.get("attachments", []))


def folder_of(submission_file: Path) -> Path:
    """Give the folder of the frozen files."""
    return submission_file.parent / FOLDER


def mounts(submission_file: Path, submission: Mapping[str, Any]) -> tuple[Mount, ...]:
    """Give the place of the frozen files in every execution; nothing where there are none."""
    if not facts(submission):
        return ()
    return (Mount(source=folder_of(submission_file).resolve(), target=ATTACHED),)


def check_frozen(submission_file: Path, submission: Mapping[str, Any]) -> None:
    """Read the frozen files: what a submission names is what its executions get."""
    for one in facts(submission):
        path = folder_of(submission_file) / one["name"]
        try:
            with path.open("rb") as file:
                is_same = hashlib.file_digest(file, "sha256").hexdigest() == one["sha256"]
        except OSError:
            is_same = False
        if not is_same:
            told = _("the attached file {name!r} is not the one that was submitted; submit again")
            raise RunError(told.format(name=one["name"]))


def _check_names(settings: Settings, given: Sequence[Path]) -> None:
    if len(given) > settings.attachments:
        told = _("{n} files are attached, more than {limit}; put some of them together")
        raise AttachmentError(told.format(n=len(given), limit=settings.attachments))
    seen: dict[str, str] = {}
    for path in given:
        files.check_name(path.name)
        table = attached.fold(attached.table_of(path.name))
        if table in seen:
            told = _(
                "the files {name!r} and {other!r} would both be {table} in SQL; rename one of them"
            )
            told = told.format(
                name=seen[table], other=path.name, table=f"{attached.SCHEMA}.{table}"
            )
            raise AttachmentError(told)
        seen[table] = path.name


def _check_size(settings: Settings, name: str, size: int, left: int) -> None:
    if not size:
        raise AttachmentError(_("the file {name!r} is empty").format(name=name))
    if size > settings.attachment_mib * MIB:
        told = _(
            "the file {name!r} has {n} MiB, more than {limit} MiB; leave out rows and columns that "
            "the notebook does not need, or save it as Parquet"
        )
        n = -(-size // MIB)
        raise AttachmentError(told.format(name=name, n=n, limit=settings.attachment_mib))
    if size > left:
        told = _("all attached files together have more than {limit} MiB; leave some of them out")
        raise AttachmentError(told.format(limit=settings.attachments_mib))


def _copied(settings: Settings, file: IO[bytes], place: Path) -> Attachment:
    most = settings.attachment_mib * MIB
    digest, size = hashlib.sha256(), 0
    try:
        with place.open("xb") as copy:
            while piece := file.read(PIECE):
                size += len(piece)
                if size > most:  # it grew while it was read
                    _check_size(settings, place.name, size, most)
                digest.update(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        place.chmod(0o444)
    except OSError as error:
        raise AttachmentError(_unreadable(place, error)) from error
    return Attachment(path=place, size_bytes=size, sha256=digest.hexdigest())


def _unreadable(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        told = _("{name!r} is a link; give the file itself with --attach")
        return told.format(name=path.name)
    told = _("cannot attach the file {name!r}: {problem}")
    return told.format(name=path.name, problem=retold(error.strerror or str(error)))
