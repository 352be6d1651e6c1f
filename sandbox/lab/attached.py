"""The founder's own files in a notebook: a path to open, and a table `attached.name` in SQL.

In a run they lie in one folder, read-only, the same for every execution. In the Lab they are the
files beside the notebook. A table is made when a cell names it, from the file as it is then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sandbox.errors import AttachmentError
from sandbox.lab import files, names, spoken
from sandbox.language import _, nearest
from synthetic.tables.forms import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA = "attached"
FOLDER = "attached"  # the entry of a kernel's catalogue that says where they lie
NAMED = re.compile(rf'\b{SCHEMA}\s*\.\s*(?:"((?:[^"]|"")+)"|(\w+))', re.IGNORECASE)
LOADING = "sandbox_attachment_that_is_being_read"

_made: dict[tuple[int, str], tuple[int, int]] = {}  # connection, table -> size and time of its file


@spoken.in_its_language
def attachment(name: str, environ: Mapping[str, str]) -> Path:
    """Give the path of a file by its name, or say what would bring it here."""
    files.check_name(name)
    folder = _folder(environ)
    known = {files.same(one.name): one for one in _there(folder)}
    if files.same(name) in known:
        return known[files.same(name)]
    hint = nearest(name, known)
    if spoken.is_run(environ):
        told = _(
            "no file {name!r} came with this submission ({hint}); a file travels when it lies "
            "beside the notebook and a cell reads it with lab.attachment, or with --attach FILE"
        )
    else:
        told = _("there is no file {name!r} beside the notebook ({hint}); put it there, run again")
    raise AttachmentError(told.format(name=name, hint=hint))


def named(text: str) -> set[str]:
    """Name the tables of this schema that a text speaks of."""
    found = NAMED.findall(text)
    return {(quoted.replace('""', '"') or plain) for quoted, plain in found}


def fold(name: str) -> str:
    """Write a table's name as DuckDB compares it: capitals count only beyond ASCII."""
    return "".join(one.lower() if one.isascii() else one for one in files.same(name))


def table_of(name: str) -> str:
    """Give the name of a file's table, as it stands behind `attached.`."""
    return PurePath(files.same(name)).stem


@spoken.in_its_language
def prepare(
    connect: Callable[[], DuckDBPyConnection], text: str, environ: Mapping[str, str]
) -> None:
    """Make the tables that a text names and that there is a file for."""
    wanted = set(map(fold, named(text)))
    for path in _there(_folder(environ)) if wanted else ():
        table = table_of(path.name)
        if fold(table) in wanted:
            wanted.discard(fold(table))  # of two files with one name the first in order
            _make(connect(), table, path)


def _make(connection: DuckDBPyConnection, table: str, path: Path) -> None:
    facts = path.stat()
    stamp = (facts.st_size, facts.st_mtime_ns)
    with connection.cursor() as door:
        listed = door.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?",
            [SCHEMA, table],
        ).fetchall()
        if listed == [(1,)] and _made.get((id(connection), table)) == stamp:
            return
        door.register(LOADING, files.table(path))
        door.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        door.execute(f"CREATE OR REPLACE TABLE {SCHEMA}.{quote(table)} AS FROM {LOADING}")
    _made[id(connection), table] = stamp
    names.forget()


def _folder(environ: Mapping[str, str]) -> Path:
    from sandbox.lab import connection

    if not environ.get(spoken.CATALOG):
        return Path.cwd()
    return Path(connection.shown(environ).get(FOLDER) or "/nonexistent")


def _there(folder: Path) -> list[Path]:
    """Give the files that could be attached, CSV before Parquet before Excel."""
    endings = list(files.READERS)
    try:
        found = [one for one in folder.iterdir() if one.suffix.lower() in endings]
    except OSError:
        return []
    return sorted(found, key=lambda one: (endings.index(one.suffix.lower()), one.name))
