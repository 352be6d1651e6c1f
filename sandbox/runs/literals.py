"""The types that a parameter can be declared as: literals, lists and mappings of them, choices."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.errors import ParameterError
from sandbox.language import _

SCALARS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
KNOWN = "str, int, float, bool, list[...], dict[str, ...], Literal[...]"


@dataclass(frozen=True, kw_only=True)
class Type:
    """A declared type."""

    name: str  # str, int, float, bool, list, dict, Literal
    items: Type | None = None  # of a list's items or a mapping's values; None: any literal
    choices: tuple[Any, ...] = ()
    optional: bool = False

    MISFIT: ClassVar[object] = object()

    def __str__(self) -> str:
        inner = ""
        if self.items is not None:
            inner = f"[{self.items}]" if self.name == "list" else f"[str, {self.items}]"
        if self.choices:
            inner = f"[{', '.join(map(repr, self.choices))}]"
        return f"{self.name}{inner}" + (" | None" if self.optional else "")

    def fit(self, value: Any) -> Any:
        """Give the value as this type holds it, or MISFIT."""
        if value is None:
            return None if self.optional else self.MISFIT
        if self.name == "Literal":
            same = [one for one in self.choices if one == value and type(one) is type(value)]
            return same[0] if same else self.MISFIT
        if self.name == "list":
            return self._fit_list(value)
        if self.name == "dict":
            return self._fit_dict(value)
        if self.name == "float" and type(value) is int:
            try:
                return float(value)
            except OverflowError:
                return self.MISFIT
        # `type` and not isinstance: True is no number here.
        return value if type(value) is SCALARS[self.name] else self.MISFIT

    def _fit_list(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return self.MISFIT
        fitted = [anything(item) if self.items is None else self.items.fit(item) for item in value]
        return self.MISFIT if self.MISFIT in fitted else fitted

    def _fit_dict(self, value: Any) -> Any:
        if not isinstance(value, dict) or not all(type(key) is str for key in value):
            return self.MISFIT
        fitted = {
            key: anything(item) if self.items is None else self.items.fit(item)
            for key, item in value.items()
        }
        return self.MISFIT if any(item is self.MISFIT for item in fitted.values()) else fitted


def anything(value: Any) -> Any:
    """Let any literal pass that JSON can hold."""
    if value is None or type(value) in SCALARS.values():
        return value
    if isinstance(value, (list, tuple)):
        return Type(name="list").fit(value)
    if isinstance(value, dict):
        return Type(name="dict").fit(value)
    return Type.MISFIT


def annotated(name: str, annotation: ast.expr) -> Type:
    """Read the annotation of a parameter."""
    kind = _read(annotation)
    if kind is None:
        raise ParameterError(
            _(
                "parameter {name!r} has the type {type!r}; use one of: {known}, each also `| None`"
            ).format(name=name, type=ast.unparse(annotation), known=KNOWN),
            parameter=name,
        )
    return kind


def of_value(name: str, value: Any) -> Type:
    """Take the type of a default that has no annotation."""
    kind = type(value).__name__
    if kind in SCALARS or kind in {"list", "dict"}:
        return Type(name=kind)
    raise ParameterError(
        _(
            "parameter {name!r} needs a type: write `{name}: type = {value!r}`, type one of: "
            "{known}, each also `| None`"
        ).format(name=name, value=value, known=KNOWN),
        parameter=name,
    )


def _read(annotation: ast.expr) -> Type | None:
    match annotation:
        case ast.Name(id=name) if name in SCALARS or name in {"list", "dict"}:
            return Type(name=name)
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            items = _read(inner)
            return items and Type(name="list", items=items)
        case ast.Subscript(
            value=ast.Name(id="dict"), slice=ast.Tuple(elts=[ast.Name(id="str"), inner])
        ):
            items = _read(inner)
            return items and Type(name="dict", items=items)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return _choice(inner)
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            kind = _read(inner)
            return kind and Type(
                name=kind.name, items=kind.items, choices=kind.choices, optional=True
            )
        case ast.Constant(value=str(text)):
            try:
                return _read(ast.parse(text, mode="eval").body)
            except SyntaxError:
                return None
    return None


def _choice(inner: ast.expr) -> Type | None:
    options = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    values = [one.value for one in options if isinstance(one, ast.Constant)]
    if len(values) != len(options) or not all(type(one) in (str, int, bool) for one in values):
        return None
    return Type(name="Literal", choices=tuple(values))
