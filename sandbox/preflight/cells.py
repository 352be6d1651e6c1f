"""The cells of a notebook as Python: magics are set apart, what cannot be read says why."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sandbox.language import N_, Later
from sandbox.preflight.finding import Finding, error, warning
from sandbox.runs.notebook import Notebook, is_code, tags, text
from sandbox.runs.texts import fit

LONGEST = 200_000  # characters of one cell
MOST = 200_000  # characters of all cells; parsing more takes seconds
# What IPython alone can read begins or ends so; it reads a cell once for each such line.
MAGIC = re.compile(r"^\s*[%!?,;/]|\?\s*$|=\s*[%!]", re.MULTILINE)
MOST_READING = 20_000  # lines of a cell, times its magics
SHOWN = 200  # characters of what Python says of a fault
PYTHON = {"time", "timeit", "capture", "prun"}  # magics whose cell is Python
SYSTEM = "!"  # name of the magic that gives a command to the system
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as IPython reads cells
EMPTY = ast.Module(body=[], type_ignores=[])
ABSENT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", "OSError"}
CANNOT = (SyntaxError, ValueError, MemoryError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Magic:
    """One magic of IPython: its name, the rest of its line, its cell."""

    name: str
    line: str
    body: str | None = None  # None: a magic of one line
    at: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One code cell; `number` counts all cells from 1, as a person does."""

    number: int
    source: str
    tree: ast.Module  # empty where there is no Python or it cannot be read
    above: int = 0  # lines before the first of the tree
    magic: Magic | None = None  # that the whole cell is for
    is_tagged: bool = False  # as the cell of parameters
    problem: tuple[str, int] | None = None  # why it cannot be read, and its line
    is_left_out: bool = False  # too long

    def line(self, node: ast.AST) -> int:
        """Give the line of a node in the cell, from 1."""
        return int(getattr(node, "lineno", 1)) + self.above

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def magics(self) -> tuple[Magic, ...]:
        """All magics and commands of the cell."""
        found = [self.magic] if self.magic else []
        for node in self.nodes:
            if (words := _magic(node)) is not None:
                found.append(Magic(name=words[0], line=words[1], at=self.line(node)))
        return tuple(found)

    @cached_property
    def tried(self) -> frozenset[int]:
        """Lines of the tree within a `try` that outlives a missing module or network."""
        lines: set[int] = set()
        for node in self.nodes:
            if isinstance(node, ast.Try) and any(map(_goes_on, node.handlers)):
                for line in node.body:
                    lines.update(range(line.lineno, (line.end_lineno or line.lineno) + 1))
        return frozenset(lines)

    @cached_property
    def perhaps(self) -> frozenset[int]:
        """Lines below an `if`, from 1: whether they run, only the run will know."""
        lines: set[int] = set()
        for node in self.nodes:
            for inner in (*node.body, *node.orelse) if isinstance(node, ast.If) else ():
                lines.update(range(self.line(inner), self.above + (inner.end_lineno or 0) + 1))
        return frozenset(lines)


def read(notebook: Notebook) -> list[Cell]:
    """Read all code cells."""
    found, left = [], MOST
    for number, cell in enumerate(notebook.cells, start=1):
        if is_code(cell):
            source = text(cell)
            left -= len(source)
            is_long = len(source) > LONGEST or left < 0 or _n_readings(source) > MOST_READING
            found.append(_cell(number, source, "parameters" in tags(cell), is_long))
    return found


def problems(cells: Sequence[Cell]) -> Iterator[Finding]:
    """Tell which cells cannot be read."""
    for cell in cells:
        if cell.problem:
            why = Later(
                N_("this cell is not valid Python: {problem}"), {"problem": cell.problem[0]}
            )
            remedy = Later(N_("mend the line, run the cell once in the Lab, and save"))
            yield error("syntax", why, remedy, cell.number, cell.problem[1])
    left = [cell.number for cell in cells if cell.is_left_out]
    if left:
        why = Later(N_("there is too much code here to be checked before the run"))
        remedy = Later(N_("keep data out of cells and read them through lab instead"))
        yield warning("not_checked", why, remedy, left[0], None)


def _cell(number: int, source: str, is_tagged: bool, is_long: bool) -> Cell:
    cell = Cell(number=number, source=source, tree=EMPTY, is_tagged=is_tagged, is_left_out=is_long)
    if is_long:
        return cell
    rest, above = _from_first_line(source)
    magic = None
    if rest.startswith("%%"):
        first, _, body = rest.partition("\n")
        name, _, line = first[2:].partition(" ")
        magic = Magic(name=name.strip(), line=line.strip(), body=body, at=above + 1)
        if magic.name not in PYTHON:
            return replace(cell, magic=magic)
        rest, blank = _from_first_line(body)
        above += 1 + blank
    tree, problem = _parsed(rest)
    if problem:
        problem = (problem[0], problem[1] + above)
    return replace(cell, tree=tree, above=above, magic=magic, problem=problem)


def _from_first_line(source: str) -> tuple[str, int]:
    """Leave out empty lines at the beginning, as IPython does; gives how many there were."""
    lines = source.splitlines(keepends=True)
    blank = next((place for place, line in enumerate(lines) if line.strip()), 0)
    return "".join(lines[blank:]), blank


def _parsed(source: str) -> tuple[ast.Module, tuple[str, int] | None]:
    """Parse plain Python as it stands, and only what is not plain through IPython."""
    try:
        return _parse(source), None
    except CANNOT as problem:
        if not MAGIC.search(source):
            return EMPTY, _told(problem)
    try:
        from IPython.core.inputtransformer2 import TransformerManager

        manager = TransformerManager()  # type: ignore[no-untyped-call]
        return _parse(manager.transform_cell(source)), None
    except (*CANNOT, RuntimeError) as problem:  # too many magics are a RuntimeError
        return EMPTY, _told(problem)


def _told(problem: BaseException) -> tuple[str, int]:
    words = getattr(problem, "msg", None) or str(problem) or type(problem).__name__
    return fit(words, longest=SHOWN), getattr(problem, "lineno", None) or 1


def _n_readings(source: str) -> int:
    return (source.count("\n") + 1) * sum(1 for _line in MAGIC.finditer(source))


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | AWAIT)
        compile(tree, "<cell>", "exec", AWAIT)  # finds `return` outside of functions and the like
    return tree


def _magic(node: ast.AST) -> tuple[str, str] | None:
    """Take apart what IPython makes of a magic."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=kind),
            args=[*given],
        ):
            words = [one.value for one in given if isinstance(one, ast.Constant)]
            if kind == "run_line_magic" and len(words) == 2:
                return str(words[0]), str(words[1])
            if kind in {"system", "getoutput"} and len(words) == 1:
                return SYSTEM, str(words[0])
    return None


def _goes_on(handler: ast.ExceptHandler) -> bool:
    named = [] if handler.type is None else ast.walk(handler.type)
    names = {node.id for node in named if isinstance(node, ast.Name)}
    return handler.type is None or bool(names & ABSENT)
