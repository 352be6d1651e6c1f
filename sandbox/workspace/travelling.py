"""A notebook of the work folder and the files beside it that travel, copied out of every reach.

What is checked and submitted is what was read, whatever a kernel does to the work folder meanwhile.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox import preflight
from sandbox.errors import AttachmentError
from sandbox.kernels.folders import remove
from sandbox.kernels.policy import MIB
from sandbox.language import _
from sandbox.retold import retold
from sandbox.runs.notebook import Notebook
from sandbox.workspace.order import Order
from sandbox.workspace.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Travelling:
    """Copies of a notebook and its files, and what else lies beside it."""

    notebook: Path
    files: list[Path]
    beside: list[str]


@contextmanager
def travelling(order: Order, tree: Tree, path: str, found: Notebook) -> Iterator[Travelling]:
    """Copy what would be submitted; the copies go away afterwards."""
    parent = str(PurePosixPath(path).parent).removeprefix(".")
    names: list[str] = []
    with suppress(OSError):
        names = tree.names(parent)
    folder = Path(tempfile.mkdtemp(prefix="submitted-", dir=order.places.runtime))
    try:
        file = folder / f"{found.name}.ipynb"
        file.write_bytes(found.data)
        most = order.settings.attachment_mib * MIB
        wanted = preflight.named_beside(found, names)
        files = [_copied(tree, f"{parent}/{name}", folder, most) for name in wanted]
        yield Travelling(notebook=file, files=files, beside=names)
    finally:
        remove(folder)


def _copied(tree: Tree, path: str, folder: Path, most: int) -> Path:
    """Copy one file; of one that is too large only its size, which says so."""
    copy = folder / PurePosixPath(path).name
    try:
        with tree.opened(path) as handle, copy.open("xb") as file:
            size = os.fstat(handle).st_size
            if size > most:
                file.truncate(size)
            else:
                with os.fdopen(os.dup(handle), "rb") as source:
                    shutil.copyfileobj(source, file, MIB)
    except OSError as error:
        told = _("cannot attach the file {name!r}: {problem}")
        problem = retold(error.strerror or str(error))
        raise AttachmentError(told.format(name=copy.name, problem=problem)) from error
    return copy
