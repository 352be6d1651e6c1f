"""What a cell's code calls and names, read from its text, and which cells come before it in meaning.

Nothing is executed; a cell that is no Python (SQL, a magic) calls nothing and is looked at as text.
"""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field

MAGIC = re.compile(r"^\s*[%!].*$", re.M)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: the whole name of what is called, and how."""

    name: str  # numpy.random.rand, or .sample for a method of something
    n_arguments: int
    keywords: frozenset[str]


@dataclass(kw_only=True)
class Code:
    """One cell's code."""

    text: str
    calls: list[Call] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # whole names that are read, called or not
    makes: set[str] = field(default_factory=set)  # variables that it sets
    uses: set[str] = field(default_factory=set)  # variables that it reads
    has_sets: bool = False


def read(sources: list[str]) -> list[Code]:
    """Read the cells of a notebook in order; imports of one cell are known in the later ones."""
    known: dict[str, str] = {}
    return [_read(source, known) for source in sources]


def behind(codes: list[Code], place: int) -> list[Code]:
    """Give a cell and the earlier ones that made what it uses, the nearest first."""
    found, wanted = [codes[place]], set(codes[place].uses)
    for code in reversed(codes[:place]):
        if code.makes & wanted:
            found.append(code)
            wanted |= code.uses
    return found


def _read(source: str, known: dict[str, str]) -> Code:
    code = Code(text=source)
    try:
        tree = ast.parse(MAGIC.sub("", source))
        for node in ast.walk(tree):
            _note(node, code, known)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        code.uses = set(re.findall(r"[^\W\d]\w*", source))
    code.uses -= set(dir(builtins))
    return code


def _note(node: ast.AST, code: Code, known: dict[str, str]) -> None:
    if isinstance(node, ast.Import):
        for one in node.names:
            known[one.asname or one.name.partition(".")[0]] = (
                one.name if one.asname else one.name.partition(".")[0]
            )
    elif isinstance(node, ast.ImportFrom):
        known.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    elif isinstance(node, ast.Call):
        code.calls.append(
            Call(
                name=_whole(node.func, known),
                n_arguments=len(node.args),
                keywords=frozenset(one.arg for one in node.keywords if one.arg),
            )
        )
    elif isinstance(node, ast.Name):
        is_read = isinstance(node.ctx, ast.Load)
        (code.uses if is_read else code.makes).add(node.id)
        code.names.add(known.get(node.id, node.id))
    elif isinstance(node, ast.Attribute):
        code.names.add(_whole(node, known))
    elif isinstance(node, ast.Set | ast.SetComp):
        code.has_sets = True
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        code.makes.add(node.name)


def _whole(node: ast.expr, known: dict[str, str]) -> str:
    """Give the whole name of what is called; of a method of something unnamed, its own alone."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        above = node.value
        if isinstance(above, ast.Name | ast.Attribute):
            return f"{_whole(above, known)}.{node.attr}"
        return f".{node.attr}"
    return ""
