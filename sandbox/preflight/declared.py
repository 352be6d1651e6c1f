"""The cell of parameters, line by line, and what the notebook says that it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from sandbox.errors import NotebookError, ParameterError
from sandbox.language import N_, Later, speaking
from sandbox.preflight.cells import Cell
from sandbox.preflight.finding import Finding, Retold, error, warning
from sandbox.runs.notebook import Notebook
from sandbox.runs.parameters import comments_of, declaration, declared

CODE = "parameters"
FORM = Later(N_("write each line as `name: type = default  # comment`, with a literal default"))
ONE = Later(N_("declare all parameters in one cell, and tag that cell alone `parameters`"))


def check(notebook: Notebook, cells: Sequence[Cell]) -> Iterator[Finding]:
    """Judge the declarations of a notebook."""
    if problem := _unreadable(notebook):
        remedy = Later(N_("mend this in the notebook’s metadata, or take it out"))
        yield error("reads", problem, remedy, None, None)
    tagged = [cell for cell in cells if cell.is_tagged]
    if len(tagged) > 1:
        problem = _problem(tagged)
        yield error(CODE, problem or ONE, ONE, tagged[1].number, None)
    elif tagged and not tagged[0].problem:
        found = list(_lines(tagged[0]))
        if not found and (problem := _problem(tagged)):
            found = [error(CODE, problem, FORM, tagged[0].number, None)]
        yield from found
        yield from _lost(tagged[0], cells)


def _unreadable(notebook: Notebook) -> Retold | None:
    try:
        with speaking("en"):
            _ = notebook.reads
    except NotebookError as problem:
        return Retold(str(problem))
    return None


def _problem(tagged: Sequence[Cell]) -> Retold | None:
    try:
        with speaking("en"):
            declared([cell.source for cell in tagged])
    except ParameterError as problem:
        return Retold(str(problem))
    return None


def _lines(cell: Cell) -> Iterator[Finding]:
    comments = comments_of(cell.source)
    for line in cell.tree.body:
        try:
            with speaking("en"):
                declaration(line, comments.get(cell.line(line), ""))
        except ParameterError as problem:
            yield error(CODE, Retold(str(problem)), FORM, cell.number, cell.line(line))


def _lost(tagged: Cell, cells: Sequence[Cell]) -> Iterator[Finding]:
    """Find parameters that another cell sets, so that the value of the form is lost."""
    declares = {name for line in tagged.tree.body for name in _set(line)}
    for cell in cells:
        for line in cell.tree.body if cell is not tagged else ():
            read = {
                node.id for node in ast.walk(line) if isinstance(node, ast.Name) and _is_read(node)
            }
            for name in sorted(_set(line) & declares - read):
                why = N_(
                    "the parameter {name!r} is set again here, so the value in the form is lost"
                )
                remedy = Later(N_("take this line out, or give the variable another name"))
                told = Later(why, {"name": name})
                yield warning("parameter_reset", told, remedy, cell.number, cell.line(line))


def _set(line: ast.stmt) -> set[str]:
    targets = line.targets if isinstance(line, ast.Assign) else []
    if isinstance(line, ast.AnnAssign):
        targets = [line.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
