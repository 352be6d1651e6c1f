"""Copies of what ships with this program, in the user's work folder; nothing is ever replaced."""

from __future__ import annotations

import itertools

from sandbox.errors import NotebookError
from sandbox.language import N_, _
from sandbox.workspace import shelf
from sandbox.workspace.tree import Tree
from synthetic.tables.files import storage_error

MOST = 1000  # copies of one notebook
KINDS = {"template": N_("template"), "notebook": N_("notebook")}


def copy(tree: Tree, kind: str, name: str) -> str:
    """Copy a template or a guided notebook under the first free name; give the copy's path."""
    item = shelf.find(kind, name)
    if item is None:
        known = ", ".join(one.name for one in shelf.items(kind)) if kind in shelf.FOLDERS else ""
        raise NotebookError(
            _("there is no {kind} {name!r}; there are: {known}").format(
                kind=_(KINDS.get(kind, kind)), name=name, known=known
            )
        )
    try:
        data = item.path.read_bytes()
        for place in itertools.islice(itertools.count(1), MOST):
            path = f"{item.name}.ipynb" if place == 1 else f"{item.name}-{place}.ipynb"
            try:
                tree.create(path, data)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise storage_error("copy the notebook to", tree.root, error) from error
    raise NotebookError(
        _("there are {n} copies of {name} already; remove some of them").format(
            n=MOST, name=item.name
        )
    )
