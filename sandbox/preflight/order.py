"""The order of cells: a fresh kernel runs from top to bottom, and so must the names be made."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sandbox.language import N_, Later
from sandbox.preflight.cells import Cell
from sandbox.preflight.finding import Finding, error, warning
from sandbox.preflight.names import PLAIN, Use, by_magic, hides, use

# What a kernel has before the first cell; names that begin with _ are its history.
GIVEN = {*dir(builtins), "get_ipython", "display", "In", "Out", "exit", "quit"}
UNSURE = (ast.If, ast.Try, ast.Match)  # a part of them may not run at all
Used = Sequence[tuple[Cell, list[tuple[ast.stmt, Use]]]]


def check(cells: Sequence[Cell]) -> Iterator[Finding]:
    """Find names that are read before a cell makes them, or that no cell makes."""
    used: Used = [(cell, [(line, use(line)) for line in cell.tree.body]) for cell in cells]
    made_in = _made_in(used)
    is_hidden = any(map(hides, cells))
    told: set[str] = set()
    for name, cell, line in _too_early(used):
        if name not in told and (name in made_in or not is_hidden):
            told.add(name)
            yield _found(name, cell, line, made_in)
    if not is_hidden:
        yield from _never_made(used, GIVEN | set(made_in) | told)


def _made_in(used: Used) -> dict[str, int]:
    """Give the first cell that makes each name."""
    found: dict[str, int] = {}
    for cell, lines in used:
        for name in by_magic(cell).union(*(one.makes for _line, one in lines)):
            found.setdefault(name, cell.number)
    return found


def _too_early(used: Used) -> Iterator[tuple[str, Cell, ast.stmt]]:
    """Give each name that is not there when a statement reads it, or a function that it calls."""
    inside: dict[str, set[str]] = {}  # function -> what it reads when it is called
    made = set(GIVEN)
    for cell, lines in used:
        made |= by_magic(cell)
        for line, one in lines:
            read = one.reads.union(*(inside.get(name, set()) for name in _calls(line)))
            ready = made if isinstance(line, PLAIN) else made | one.makes
            # The types of parameters are judged with their declarations.
            for name in sorted(_missing(read, ready)) if not cell.is_tagged else ():
                yield name, cell, line
            made |= one.makes
            if isinstance(line, ast.Delete):
                made -= {target.id for target in line.targets if isinstance(target, ast.Name)}
            for name in one.makes if isinstance(line, ast.FunctionDef) else ():
                inside[name] = one.later


def _missing(read: set[str], made: set[str]) -> set[str]:
    return {name for name in read - made if not name.startswith("_")}


def _found(name: str, cell: Cell, line: ast.stmt, made_in: dict[str, int]) -> Finding:
    say = warning if isinstance(line, UNSURE) else error
    place = cell.number, _line_of(name, cell, line)
    values = {"name": name, "cell": made_in.get(name)}
    if name not in made_in:
        return say("undefined_name", *_no_cell(name), *place)
    if made_in[name] > cell.number:
        why = N_("the name {name!r} is used here, but only cell {cell}, further down, makes it")
        remedy = N_("move cell {cell} above this one; a run goes from top to bottom once")
    else:
        why = N_("the name {name!r} is used before it is made; in the Lab it was left over")
        remedy = N_("make {name!r} above this line, then restart the kernel and run all cells")
    return say("order", Later(why, values), Later(remedy, values), *place)


def _no_cell(name: str) -> tuple[Later, Later]:
    why = N_(
        "no cell makes the name {name!r}; in the Lab it may be left over from a cell that is gone"
    )
    remedy = N_("make {name!r} in a cell above, or mend its spelling")
    return Later(why, {"name": name}), Later(remedy, {"name": name})


def _never_made(used: Used, known: set[str]) -> Iterator[Finding]:
    """Find what functions read and no cell makes; whether they are called is not known."""
    for cell, lines in used:
        for line, one in lines:
            for name in sorted(_missing(one.later, known)):
                known.add(name)
                place = cell.number, _line_of(name, cell, line)
                yield warning("undefined_name", *_no_cell(name), *place)


def counts(cells: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Find the first cell whose saved number says that it was run before one above it."""
    for (above, before), (number, count) in pairwise(cells):
        if count <= before:
            why = N_("when this was saved, cell {below} had been run before cell {above}")
            remedy = N_("restart the kernel, run all cells from top to bottom, compare, and save")
            values = {"below": number, "above": above}
            yield warning("run_order", Later(why, values), Later(remedy), number, None)
            return


def _calls(line: ast.stmt) -> set[str]:
    if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    return {
        node.func.id
        for node in ast.walk(line)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def _line_of(name: str, cell: Cell, line: ast.stmt) -> int:
    nodes = (node for node in ast.walk(line) if isinstance(node, ast.Name) and node.id == name)
    return min((cell.line(node) for node in nodes), default=cell.line(line))
