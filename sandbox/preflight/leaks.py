"""Secrets in code, text and saved outputs. What was found is never repeated, only its kind.

The shapes are those that the services themselves publish for scanners; detect-secrets, which
collects such shapes, had its last release in May 2024 and brings an HTTP client along.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.language import N_, Later
from sandbox.preflight.cells import Cell
from sandbox.preflight.finding import Finding, error
from sandbox.runs.notebook import Notebook, is_code, text

CODE = "secret"
# Kind -> words without which it is not there, and its shape.
SHAPES = {
    "AWS": (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "PEM": (("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    "GitHub": (("gh", "github_pat_"), r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})"),
    "GitLab": (("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,64}"),
    "Slack": (("xox",), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    "Google": (("AIza",), r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "Stripe": (("k_live_",), r"\b[rs]k_live_[0-9A-Za-z]{16,255}"),
    "OpenAI, Anthropic": (("sk-",), r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,255}"),
    "Hugging Face": (("hf_",), r"\bhf_[A-Za-z]{34}\b"),
    "JWT": (("eyJ",), r"\beyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}\.[\w-]{8,4000}"),
    "URL": (("://",), r"[a-z]://[^\s/:@'\"<>{}]{1,64}:[^\s/:@'\"<>{}]{3,64}@[\w.-]"),
}
LONGEST = 4_000_000  # characters of one output; beyond, nobody reads
NAMES = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|mat_?khau"
    r"|(?:api|access|secret|private|auth)_?(?:key|token)|bearer)(?:_\w+)?$",
    re.IGNORECASE,
)
EXAMPLE = re.compile(
    r"example|changeme|change_me|placeholder|your|dummy|xxxx|\.\.\.|^[<{*$]|^(?:none|password|secret)$",
    re.IGNORECASE,
)
SHORTEST = 6  # characters of a password
OUT = Later(N_("take it out, save, and have it replaced where it was issued: it counts as known"))
CLEAR = Later(N_("clear the outputs, save, and have it replaced where it was issued"))


def check(notebook: Notebook, cells: Sequence[Cell]) -> Iterator[Finding]:
    """Find what whoever reads the report could misuse."""
    for number, cell in enumerate(notebook.cells, start=1):
        yield from _shaped(text(cell), number)
        for output in cell.get("outputs", ()) if is_code(cell) else ():
            kinds = {kind for words in _words(output) for kind, _at in _found(words[:LONGEST])}
            for kind in sorted(kinds):
                why = N_(
                    "a saved output holds a secret ({kind}), and outputs travel with the notebook"
                )
                yield error(CODE, Later(why, {"kind": kind}), CLEAR, number, None)
    for read in cells:
        for node in read.nodes:
            for name in _named(node):
                why = N_(
                    "a password or a key stands in plain text ({name}); everybody reads the report"
                )
                place = read.number, read.line(node)
                yield error(CODE, Later(why, {"name": name}), OUT, *place)


def _shaped(source: str, number: int) -> Iterator[Finding]:
    for kind, at in _found(source):
        why = N_("this line holds a secret ({kind}), and everybody reads the report")
        line = source.count("\n", 0, at) + 1
        yield error(CODE, Later(why, {"kind": kind}), OUT, number, line)


def _found(words: str) -> Iterator[tuple[str, int]]:
    for kind, (signs, shape) in SHAPES.items():
        if any(sign in words for sign in signs):
            for found in re.finditer(shape, words):
                if not EXAMPLE.search(found[0]):
                    yield kind, found.start()


def _words(output: Mapping[str, Any]) -> Iterator[str]:
    """Give the texts of an output; pictures have none."""
    for said in (output.get("text"), output.get("evalue"), output.get("traceback")):
        if said:
            yield said if isinstance(said, str) else "\n".join(map(str, said))
    data = output.get("data")
    for kind, said in data.items() if isinstance(data, Mapping) else ():
        if not kind.startswith(("image/p", "image/j", "image/g", "application/pdf")):
            yield said if isinstance(said, str) else "".join(map(str, said))


def _named(node: ast.AST) -> Iterator[str]:
    """Name what is set to a password: a variable, an argument, an entry of a mapping."""
    match node:
        case ast.Assign(targets=[target], value=value):
            pairs = [(_name(target), value)]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            pairs = [(_name(target), value)]
        case ast.Call(keywords=keywords):
            pairs = [(one.arg or "", one.value) for one in keywords]
        case ast.Dict(keys=keys, values=values):
            pairs = [(_name(key), value) for key, value in zip(keys, values, strict=True)]
        case _:
            return
    for name, value in pairs:
        if NAMES.search(name) and _is_secret(value):
            yield name


def _name(target: ast.expr | None) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _is_secret(value: ast.expr) -> bool:
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return False
    words = value.value
    return len(words) >= SHORTEST and not re.search(r"\s", words) and not EXAMPLE.search(words)
