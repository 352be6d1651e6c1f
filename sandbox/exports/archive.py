"""A package's bytes: a zip of one form only, so that the same files give the same bytes everywhere.

Files lie in order of their names, uncompressed (another zlib would compress them otherwise), with
one time and one mode. So a reader can pack what it read once more and compare: no byte of the zip,
not in its headers nor between them, can be other than it was.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.errors import PackageError
from sandbox.language import _
from sandbox.retold import retold

LARGEST_BYTES = 512 * 1024 * 1024
MOST_FILES = 2000
LONGEST_NAME = 255  # characters
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can name
UNIX = 3
MODE = 0o100644 << 16  # a plain file
PART = re.compile(r"[^/\\:\x00-\x1f\x7f]+")
UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    struct.error,
    *(ValueError, OSError, EOFError, NotImplementedError, RuntimeError, OverflowError),
)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Give the one zip that holds these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.create_system = UNIX
            entry.external_attr = MODE
            archive.writestr(entry, files[name])
    return out.getvalue()


def read(path: Path) -> bytes:
    """Read a package's file, if it is one of a size that we make."""
    try:
        if path.is_dir():
            raise PackageError(
                _("{path!r} is a folder; give a package (.zip)").format(path=str(path))
            )
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise PackageError(
            _("cannot read {path!r}: {remedy}").format(path=str(path), remedy=retold(problem))
        ) from error
    check_size(path, len(data))
    return data


def check_size(path: Path, size_bytes: int) -> None:
    """Refuse a package that is larger than any."""
    if size_bytes > LARGEST_BYTES:
        raise PackageError(
            _("{path!r} has more than {limit} MiB, which no package may have").format(
                path=str(path), limit=LARGEST_BYTES // 1024**2
            )
        )


def unpacked(data: bytes) -> dict[str, bytes]:
    """Give the files of a package, by their names.

    Raises
    ------
    PackageError
        If this is not a plain zip of our form: compressed, encrypted, with names that leave the
        folder, with a name twice, with links or folders, or larger inside than outside. The
        message names the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries, len(data))
            return {entry.filename: _content(archive, entry) for entry in entries}
    except UNREADABLE as error:
        raise PackageError(
            _("it is not a zip that can be read: {problem}").format(problem=error)
        ) from error


def is_safe(name: str) -> bool:
    """Whether a name stays inside the folder that it is unpacked in, on every system."""
    parts = name.split("/")
    return len(name) <= LONGEST_NAME and all(
        PART.fullmatch(part) and part not in {".", ".."} for part in parts
    )


def difference(data: bytes, files: Mapping[str, bytes]) -> str | None:
    """Say where a zip is other than the one that we would make of its files; None if nowhere."""
    ours = packed(files)
    if ours == data:
        return None
    at = next(
        (at for at, (one, other) in enumerate(zip(ours, data, strict=False)) if one != other),
        min(len(ours), len(data)),
    )
    with zipfile.ZipFile(io.BytesIO(ours)) as archive:
        before = [entry for entry in archive.infolist() if entry.header_offset <= at]
        inside = before and at < archive.start_dir
    place = before[-1].filename if inside else _("the zip's directory")
    return _(
        "the zip is not as it was packed, first at byte {n} ({place}): something was changed, "
        "added or taken away between the files"
    ).format(n=at, place=place)


def _check(entries: list[zipfile.ZipInfo], size_bytes: int) -> None:
    if len(entries) > MOST_FILES:
        raise PackageError(
            _("it holds {n} files; no package has more than {limit}").format(
                n=len(entries), limit=MOST_FILES
            )
        )
    if sum(entry.file_size for entry in entries) > size_bytes:
        raise PackageError(_("it holds more than its own size: a zip bomb"))
    names = set[str]()
    for entry in entries:
        name = entry.filename
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise PackageError(_("{name!r} is compressed or encrypted").format(name=name))
        if not is_safe(name):
            raise PackageError(_("{name!r} is not the name of a plain file").format(name=name))
        if entry.external_attr != MODE:
            raise PackageError(_("{name!r} is a link, a folder or a program").format(name=name))
        if name.casefold() in names:
            raise PackageError(_("{name!r} is there twice").format(name=name))
        names.add(name.casefold())


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(entry)
    except UNREADABLE as error:
        raise PackageError(
            _("{name!r} is damaged or was changed: {problem}").format(
                name=entry.filename, problem=error
            )
        ) from error
