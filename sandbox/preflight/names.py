"""The names that a statement reads and makes, as far as code shows them.

Python's own symbol tables say so wherever a statement holds functions or comprehensions.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from sandbox.preflight.cells import SYSTEM, Cell, Magic

COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}
PLAIN = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Assert, ast.Raise, ast.Delete)
SIMPLE = (*PLAIN, ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Magics that make no names; any other one may make any.
HARMLESS = {
    *("sql", "matplotlib", "load_ext", "reload_ext", "autoreload", "config", "pip", "html", SYSTEM),
    *("bash", "sh", "javascript", "js", "markdown", "latex", "svg", "writefile", "timeit", "pinfo"),
    *("time", "capture", "prun", "cd", "pwd", "ls", "who", "whos", "env", "precision", "conda"),
}
MAKERS = {"exec", "globals", "locals", "vars"}  # make names that nobody can see


@dataclass(kw_only=True)
class Use:
    """The names of one statement."""

    reads: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)  # read when one of its functions is called
    makes: set[str] = field(default_factory=set)


def use(line: ast.stmt) -> Use:
    """Read the names of a statement; only where it holds scopes are symbol tables needed."""
    nodes = list(ast.walk(line))
    if not isinstance(line, SIMPLE) or any(isinstance(node, SCOPES) for node in nodes):
        found = _by_table(line)
    else:
        named = [node for node in nodes if isinstance(node, ast.Name)]
        found = Use(reads={node.id for node in named if isinstance(node.ctx, ast.Load)})
        found.makes = {node.id for node in named if isinstance(node.ctx, ast.Store)}
        if isinstance(line, ast.Import | ast.ImportFrom):
            found.makes = {one.asname or one.name.partition(".")[0] for one in line.names}
    if isinstance(line, ast.AugAssign) and isinstance(line.target, ast.Name):
        found.reads.add(line.target.id)
    if not isinstance(line, DEFINITIONS):  # also those of comprehensions are the cell's own
        found.makes |= {node.target.id for node in nodes if isinstance(node, ast.NamedExpr)}
    # Made within the statement; from Python 3.12 on, tables have comprehensions' names as its own.
    inner = [node.target for node in nodes if isinstance(node, ast.NamedExpr | ast.comprehension)]
    found.reads -= {node.id for one in inner for node in ast.walk(one) if _is_made(node)}
    return found


def _by_table(line: ast.stmt) -> Use:
    use = Use()
    try:
        table = symtable.symtable(ast.unparse(line), "<cell>", "exec")
    except (SyntaxError, RecursionError, ValueError):  # such as `await` outside of functions
        use.makes = {node.id for node in ast.walk(line) if _is_made(node)}
        return use
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            use.makes.add(symbol.get_name())
        if symbol.is_referenced():
            use.reads.add(symbol.get_name())
    for child in table.get_children():
        _inner(child, use, is_later=_waits(child))
    return use


def _inner(table: symtable.SymbolTable, use: Use, *, is_later: bool) -> None:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_assigned():
            use.makes.add(symbol.get_name())
        elif symbol.is_global() and symbol.is_referenced():
            (use.later if is_later else use.reads).add(symbol.get_name())
    for child in table.get_children():
        _inner(child, use, is_later=is_later or _waits(child))


def _waits(table: symtable.SymbolTable) -> bool:
    """Whether what is inside runs only when it is called."""
    return table.get_type() == "function" and table.get_name() not in COMPREHENSIONS


def _is_made(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def by_magic(cell: Cell) -> set[str]:
    """Name what the magics of a cell make."""
    return {name for magic in cell.magics if (name := _kept(magic))}


def _kept(magic: Magic) -> str | None:
    """Name what a magic keeps its result as."""
    if magic.name == "sql":
        name, arrow, _rest = f"{magic.line}\n".partition("<<")
        words = name.split()
        return words[-1] if arrow and words else None
    if magic.name == "capture":
        return next((word for word in magic.line.split() if not word.startswith("-")), None)
    return None


def hides(cell: Cell) -> bool:
    """Whether the cell can make names that are not seen here."""
    return (
        cell.is_left_out
        or cell.problem is not None
        or any(magic.name not in HARMLESS or magic.name == "time" for magic in _lines(cell))
        or any(map(_makes_unseen, cell.nodes))
    )


def _lines(cell: Cell) -> Iterator[Magic]:
    return (magic for magic in cell.magics if magic is not cell.magic or magic.name not in HARMLESS)


def _makes_unseen(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in MAKERS
    return False
