"""Imports run one way: from the upper rooms of a package to the lower, and never back."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# From the top; a module may import its own room and those after it.
SYNTHETIC = [
    "cli",
    "build",
    "fidelity",
    "assess",
    "evaluation",
    "private",
    "drafts",
    "null",
    "dirt",
    "generation",
    "spec",
    "statistics",
    "tables",
    "errors",
]
SANDBOX = [
    "cli",
    "up",
    "pages",
    "workspace",
    "worker",
    "exports",
    "look",
    "review",
    "evidence",
    "preflight",
    "runs",
    "journal",
    "kernels",
    "lab",
    "catalog",
    "settings",
    "serving",
    "retold",
    "language",
    "errors",
]


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imported(path):
    """Every module that a file imports, with `from a import b` as both a and a.b."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes), path
    return list(named(nodes))


def named(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def room(path, package):
    part = path.relative_to(ROOT / package).parts[0]
    return part.removesuffix(".py")


@pytest.mark.parametrize("path", modules("synthetic"), ids=str)
def test_synthetic_knows_nothing_of_the_sandbox(path):
    banned = ("sandbox", "jupyter", "papermill", "nbclient", "nbformat", "IPython", "starlette")
    assert [name for name in imported(path) if name.split(".")[0].startswith(banned)] == []


@pytest.mark.parametrize("path", modules("sandbox"), ids=str)
def test_the_sandbox_never_reaches_the_private_fit(path):
    assert not any(name.startswith("synthetic.private") for name in imported(path))


@pytest.mark.parametrize(
    ("package", "order", "path"),
    [
        pytest.param(package, order, path, id=str(path.relative_to(ROOT)))
        for package, order in (("synthetic", SYNTHETIC), ("sandbox", SANDBOX))
        for path in modules(package)
    ],
)
def test_a_room_imports_only_rooms_below(package, order, path):
    own = room(path, package)
    if own == "__init__":
        return
    assert own in order, f"{own} has no place in the order of rooms"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == package and len(parts) > 1 and parts[1] in order:
            assert order.index(parts[1]) >= order.index(own), f"{own} imports {parts[1]} above it"


def test_modules_of_a_package_stand_in_no_circle():
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ("synthetic", "sandbox")
        for path in modules(package)
    }
    needs = {
        name: {other for other in top_level(path) if other in names and other != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name, above):
        assert name not in above, " -> ".join([*above, name])
        if name not in done:
            for other in sorted(needs[name]):
                # A package's __init__ gathers its modules; they do not need it.
                if not name.startswith(f"{other}."):
                    visit(other, [*above, name])
            done.add(name)

    for name in sorted(names):
        visit(name, [])


def top_level(path):
    """What a file imports when it is imported itself."""
    return named(ast.parse(path.read_text("utf-8")).body)


def test_the_top_level_holds_what_was_agreed_and_nothing_else():
    allowed = {
        *("pyproject.toml", "README.md", "uv.lock", "LICENSE"),
        *("notebooks", "sandbox", "synthetic", "templates", "tests"),
    }
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - {"dist", "build"} == allowed
