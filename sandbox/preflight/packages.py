"""Imports that a run's Python does not have, found without importing anything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder

from sandbox.language import N_, Later
from sandbox.preflight.calls import Code
from sandbox.preflight.cells import Cell
from sandbox.preflight.finding import Finding, error, warning
from sandbox.preflight.network import imported, is_client

OURS = {"sandbox", "synthetic"}  # given to every kernel, wherever they lie
CODE = "import"
LOCAL = "local_module"
BY_NAME = Later(N_("import a package by its name, or write the functions into a cell"))
USUAL = "pandas, numpy, scipy, scikit-learn (sklearn), matplotlib, duckdb, pyarrow"


def check(code: Code, beside: Collection[str]) -> Iterator[Finding]:
    """Find imports that will fail; `beside` are the names in the notebook's folder."""
    made = {
        magic.line.split()[-1].removesuffix(".py")
        for cell in code.cells
        for magic in cell.magics
        if magic.name == "writefile" and magic.line
    }
    for cell in code.cells:
        tried = cell.tried
        for node in cell.nodes:
            if isinstance(node, ast.ImportFrom) and node.level:
                why = Later(N_("a notebook is no package, so `from .` finds nothing"))
                yield error(CODE, why, BY_NAME, cell.number, cell.line(node))
            elif isinstance(node, ast.Import | ast.ImportFrom) and node.lineno not in tried:
                for module in imported(node):
                    if module.partition(".")[0] not in made and not is_client(module):
                        yield from _missing(module, cell, node, beside)


def _missing(module: str, cell: Cell, node: ast.stmt, beside: Collection[str]) -> Iterator[Finding]:
    if exists(module):
        return
    top = module.partition(".")[0]
    place = cell.number, cell.line(node)
    if f"{top}.py" in beside or top in beside:
        why = Later(
            N_("the module {name!r} is a file beside the notebook; a run has only the notebook"),
            {"name": top},
        )
        yield error(LOCAL, why, Later(N_("write its functions into a cell")), *place)
    elif exists(top):
        why = Later(
            N_("the package {name!r} has no part {module!r}"), {"name": top, "module": module}
        )
        # A few packages make their parts while they are imported.
        yield warning(
            CODE, why, Later(N_("mend the spelling, or see the package’s manual")), *place
        )
    else:
        why = Later(N_("the package {name!r} is not installed where notebooks run"), {"name": top})
        remedy = N_(
            "mend the spelling, use what is installed ({usual}), or ask whoever runs the sandbox"
        )
        yield error(CODE, why, Later(remedy, {"usual": USUAL}), *place)


@cache
def exists(module: str) -> bool:
    """Whether a module can be found, in the folders that kernels are given."""
    top, *parts = module.split(".")
    if top in OURS or top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    spec = _find(top, [entry for entry in sys.path if entry.rstrip("/").endswith("-packages")])
    name = top
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            break
        name = f"{name}.{part}"
        inner = _find(name, list(spec.submodule_search_locations))
        if inner is None:
            return False
        spec = inner
    return spec is not None


def _find(name: str, folders: list[str]) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, folders)
    except (ImportError, ValueError, AttributeError):
        return None
