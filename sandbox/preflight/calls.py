"""Calls by the names that libraries give them, and texts as far as they stand in the code.

`pd.read_csv` after `import pandas as pd` is `pandas.read_csv`; a method of something whose type is
not known begins with a dot, as in `.to_csv`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

from sandbox.preflight.cells import Cell

HOLE = "\N{REPLACEMENT CHARACTER}"  # stands for what only the run will know
LONGEST = 100_000  # characters of a constant
PATHS = {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "os.fspath", "str"}
JOINS = PATHS | {"os.path.join"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call: where it stands, whose it is, what it is given."""

    cell: Cell
    node: ast.Call
    name: str
    is_tried: bool  # within a `try` that goes on when it fails

    @property
    def place(self) -> tuple[int, int]:
        """Give the cell's number and the line."""
        return self.cell.number, self.cell.line(self.node)

    def argument(self, position: int, *names: str) -> ast.expr | None:
        """Give an argument by its position or one of its names."""
        if len(self.node.args) > position:
            return self.node.args[position]
        return next((one.value for one in self.node.keywords if one.arg in names), None)

    def has(self, *names: str) -> bool:
        """Whether one of these names is given, or perhaps through `**`."""
        return any(one.arg is None or one.arg in names for one in self.node.keywords)


@dataclass(frozen=True, kw_only=True, eq=False)
class Code:
    """All cells, with what their imports and their constants are called."""

    cells: Sequence[Cell]
    modules: Mapping[str, str]  # name in the notebook -> name of the library's thing
    constants: Mapping[str, str] = field(default_factory=dict)  # of names that are set once

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls, in the order of cells and lines."""
        found = []
        for cell in self.cells:
            nodes = [node for node in cell.nodes if isinstance(node, ast.Call)]
            for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
                name, is_tried = self.name(node.func), node.lineno in cell.tried
                found.append(Call(cell=cell, node=node, name=name, is_tried=is_tried))
        return tuple(found)

    def name(self, node: ast.expr) -> str:
        """Give the full name of what a function or a class is called by."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return f".{parts[-1]}" if parts else ""
        if node.id not in self.modules and parts:
            return f".{parts[-1]}"
        return ".".join([self.modules.get(node.id, node.id), *parts])

    def text(self, node: ast.expr | None) -> str | None:
        """Give the text that an expression stands for, with HOLE for each part not known."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self.constants.get(name)
            case ast.JoinedStr(values=parts):
                return "".join(self.text(part) or HOLE for part in parts)
            case ast.FormattedValue(value=inner, format_spec=None, conversion=-1):
                return self.text(inner)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined("", [left, right])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined("/", [left, right])
            case ast.Call(func=func, args=[first]) if self.name(func) in PATHS:
                return self.text(first)
            case ast.Call(func=func, args=[_, _, *_] as parts) if self.name(func) in JOINS:
                return self._joined("/", parts)
            case ast.Call(func=ast.Attribute(value=inner, attr="format" | "strip")):
                return self.text(inner)
        return None

    def _joined(self, by: str, parts: Sequence[ast.expr]) -> str | None:
        try:
            texts = [self.text(part) for part in parts]
        except RecursionError:
            return None
        return by.join(text or HOLE for text in texts) if any(texts) else None


def code(cells: Sequence[Cell]) -> Code:
    """Read imports and constants."""
    modules: dict[str, str] = {}
    for cell in cells:
        for node in cell.nodes:
            modules.update(_imported(node))
    for name in {node.id for cell in cells for node in cell.nodes if _is_made(node)}:
        modules.pop(name, None)  # one name for two things: which it is, the run will know
    bare = Code(cells=cells, modules=modules)
    return Code(cells=cells, modules=modules, constants=_constants(bare))


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for one in node.names:
            top = one.name.partition(".")[0]
            yield (one.asname, one.name) if one.asname else (top, top)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for one in node.names:
            yield one.asname or one.name, f"{node.module}.{one.name}"


def _constants(bare: Code) -> dict[str, str]:
    """Give the texts of names that are set once; each may use those above it."""
    values: list[tuple[str, ast.expr]] = []
    for cell in bare.cells:
        for node in cell.nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    values.append((name, value))
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    values.append((name, value))
    nodes = (node for cell in bare.cells for node in cell.nodes)
    times = Counter(node.id for node in nodes if _is_made(node))
    found: dict[str, str] = {}
    known = Code(cells=(), modules=bare.modules, constants=found)
    for name, value in values:
        text = known.text(value) if times[name] == 1 else None
        if text is not None and len(text) <= LONGEST:
            found[name] = text
    return found


def _is_made(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
