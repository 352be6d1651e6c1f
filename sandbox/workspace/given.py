"""What one interactive kernel is given: the same data as a run of its notebook, one folder to write.

The notebook is read as it was saved last. Where it declares what it reads, a run of it would get
just that; without a declaration it gets all that is built with one recipe.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox import catalog
from sandbox.catalog import Inputs
from sandbox.errors import IsolationError, SettingsError
from sandbox.kernels import Limits, Mount, Policy, available, interpreter
from sandbox.kernels.doorway import owner, sweep
from sandbox.kernels.environment import environment
from sandbox.kernels.folders import contents, remove
from sandbox.kernels.policy import ATTACHED, CATALOG, DATA
from sandbox.lab.attached import FOLDER
from sandbox.language import VARIABLE, _, language
from sandbox.retold import retold
from sandbox.runs import notebook as notebooks
from sandbox.runs import staging
from sandbox.runs.notebook import Notebook
from sandbox.runs.watch import size
from sandbox.workspace.beside import Beside
from sandbox.workspace.order import Order
from sandbox.workspace.tree import OutsideError, Tree, parts
from synthetic.tables.files import make_folder, write_json

log = logging.getLogger(__name__)

FILES = "files"  # the folder of the user's that holds the kernels' folders
CONSOLE = "console"  # for kernels that belong to no notebook


@dataclass(frozen=True, kw_only=True)
class Given:
    """One kernel's policy, and the folder with what was made for it."""

    policy: Policy
    folder: Path
    beside: Beside  # the files beside the notebook
    document: str
    reads: dict[str, tuple[str, ...]] | None  # as the notebook declares it

    def is_for(self, tree: Tree, document: str) -> bool:
        """Whether a kernel that begins now for this document would be given the same."""
        return (_name(document), _reads(tree, document)) == (_name(self.document), self.reads)

    def clear(self) -> None:
        """Take away what was made; the user's files and the replicas stay."""
        remove(self.folder)


def give(order: Order, tree: Tree, document: str) -> Given:
    """Prepare what the kernel of a document may see and do.

    Raises
    ------
    SandboxError
        If this machine cannot isolate a kernel, or what the notebook declares is not there.
    """
    _check_isolation(order)
    reads = _reads(tree, document)
    inputs = catalog.select(order.settings, reads) if _built(order) else None
    work = _work(tree, document, order.limits)
    sweep(order.places.kernels)
    folder = make_folder(order.places.kernels / f"{owner(os.getpid())}-{secrets.token_hex(4)}")
    try:
        beside = _beside(order, tree, document, folder)
        data = _staged(folder, inputs, beside)
    except BaseException:
        remove(folder)
        raise
    policy = Policy(
        work=work,
        limits=order.limits,
        data=data,
        # Runs have none, so that what they say does not depend on who submits.
        environment=(*environment(catalog=str(CATALOG)), (VARIABLE, language())),
    )
    return Given(policy=policy, folder=folder, beside=beside, document=document, reads=reads)


def _check_isolation(order: Order) -> None:
    isolation = available()
    if not isolation:
        raise IsolationError(
            _("kernels start only in isolation, and this machine has none: {message}").format(
                message=isolation.message
            )
        )
    if shown := interpreter.holding(order.settings.home):
        raise IsolationError(
            _(
                "the home {home!r} lies in {shown!r}, which every notebook can read; "
                "set SANDBOX_HOME to a folder outside of it"
            ).format(home=str(order.settings.home), shown=str(shown))
        )


def _built(order: Order) -> bool:
    """Whether anything is built; without, a kernel has the published tables and lab says how."""
    return bool(catalog.replicas(order.settings))


def _reads(tree: Tree, document: str) -> dict[str, tuple[str, ...]] | None:
    """Give what the saved notebook declares to read; None for anything that declares nothing."""
    if not document.endswith(".ipynb"):
        return None
    try:
        content = json.loads(tree.read(document, most=notebooks.LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None  # not saved yet, or not readable: opening it tells that better
    if not isinstance(content, Mapping) or not isinstance(content.get("metadata", {}), Mapping):
        return None
    name = PurePosixPath(document).stem
    return Notebook(name=name, data=b"", content=dict(content)).reads


def _work(tree: Tree, document: str, limits: Limits) -> Path:
    """Make the folder that the kernel writes to, among the user's own files."""
    name = f"{FILES}/{_name(document)}"
    try:
        tree.make_folder(FILES)
        tree.make_folder(name)
    except OSError as error:
        raise SettingsError(
            _("the folder {name!r} cannot be made ({why}); rename what lies in its place").format(
                name=name, why=retold(str(error.strerror))
            )
        ) from error
    work = tree.root / name
    found = contents(work, stop_at=limits.files)
    if found.n_files > limits.files or found.size_bytes > limits.disk_bytes or found.problem:
        raise SettingsError(
            _(
                "the folder {name!r} holds {size} in {n} files, more than a kernel may have "
                "({most}, {most_n} files); remove some of them in the file browser"
            ).format(
                name=name,
                size=size(found.size_bytes),
                n=found.n_files,
                most=size(limits.disk_bytes),
                most_n=limits.files,
            )
        )
    return work


def _name(document: str) -> str:
    if not document.endswith(".ipynb"):
        return CONSOLE
    try:
        return parts(PurePosixPath(document).stem)[-1]
    except (OutsideError, IndexError):
        return CONSOLE


def _beside(order: Order, tree: Tree, document: str, folder: Path) -> Beside:
    """Give the files beside a notebook; what belongs to no notebook has none."""
    beside = Beside(order.settings, tree, document, folder / FOLDER)
    beside.refresh()
    return beside


def _staged(folder: Path, inputs: Inputs | None, beside: Beside) -> tuple[Mount, ...]:
    told: dict[str, Any] = {"datasets": [], "built": False}
    data: tuple[Mount, ...] = ()
    if inputs is not None:
        inputs.check_files()
        told = inputs.lab_catalog(Path(DATA), figures=True)
        data = staging.mounted(folder / "data", inputs)
    told[FOLDER] = str(ATTACHED)
    data += (Mount(source=beside.place, target=ATTACHED),)
    catalog_file = folder / "catalog.json"
    write_json(catalog_file, told)
    return (*data, Mount(source=catalog_file, target=CATALOG))
