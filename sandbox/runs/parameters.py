"""The parameters that a notebook declares, and the values that are given for them.

A declaration is a line `name: type = default  # comment` in the one cell tagged `parameters`.
Everything is checked before a submission is frozen: papermill itself would paste any name and
any value into the notebook.
"""

from __future__ import annotations

import ast
import io
import keyword
import math
import re
import tokenize
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ParameterError
from sandbox.language import N_, _, meant
from sandbox.runs.literals import Type, annotated, of_value

TAG = "parameters"
LARGEST = 64 * 1024  # characters of one value as text
BITS = 4096  # of a whole number; Python writes none of more than 4300 digits
DEEPEST = 20  # levels of lists and mappings
MUST = {  # kind of type -> the end of "the value must ..."
    "int": N_("be a whole number"),
    "float": N_("be a number"),
    "bool": N_("be true or false"),
    "str": N_("be a text"),
    "list": N_("be a list of such values"),
    "dict": N_("map texts to such values"),
    "Literal": N_("be one of {choices}"),
}
EXAMPLES: dict[str, Any] = {"int": 25, "float": 0.5, "bool": True, "str": "urban"}
FORM = N_("each line must be `name: type = default  # comment`, with a literal default")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One declared parameter."""

    name: str
    type: Type
    default: Any
    comment: str = ""

    def to_record(self, value: Any) -> dict[str, Any]:
        """Give the parameter and its value for a submission."""
        return {
            "name": self.name,
            "type": str(self.type),
            "default": self.default,
            "value": value,
            "comment": self.comment,
        }


def declared(sources: Sequence[str]) -> tuple[Parameter, ...]:
    """Read the parameters that the cells tagged `parameters` declare.

    Raises
    ------
    ParameterError
        If there are two such cells, or a line is anything but a declaration.
    """
    if len(sources) > 1:
        raise ParameterError(
            _("{n} cells are tagged {tag!r}; keep the tag on one cell only").format(
                n=len(sources), tag=TAG
            )
        )
    if not sources:
        return ()
    try:
        tree = ast.parse(sources[0])
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ParameterError(
            _("the cell tagged {tag!r} is not plain Python: {problem}").format(
                tag=TAG, problem=str(error) or _("nested too deep")
            )
        ) from error
    comments = comments_of(sources[0])
    found: dict[str, Parameter] = {}
    for line in tree.body:
        parameter = declaration(line, comments.get(line.end_lineno or 0, ""))
        if parameter.name in found:
            raise ParameterError(
                _("parameter {name!r} is declared twice").format(name=parameter.name),
                parameter=parameter.name,
            )
        found[parameter.name] = parameter
    return tuple(found.values())


def declaration(line: ast.stmt, comment: str) -> Parameter:
    """Read one line of the parameters cell."""
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value:
        name, value, annotation = line.target.id, line.value, line.annotation
    elif (
        isinstance(line, ast.Assign)
        and len(line.targets) == 1
        and isinstance(line.targets[0], ast.Name)
    ):
        name, value, annotation = line.targets[0].id, line.value, None
    else:
        raise ParameterError(
            _("line {line} of the cell tagged {tag!r} declares nothing: {code!r}; {form}").format(
                line=line.lineno, tag=TAG, code=source_of(line), form=_(FORM)
            )
        )
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ParameterError(
            _("parameter {name!r} has a default that is not a literal: {code!r}; {form}").format(
                name=name, code=source_of(value), form=_(FORM)
            ),
            parameter=name,
        ) from error
    kind = of_value(name, default) if annotation is None else annotated(name, annotation)
    default = checked(name, kind, default, is_default=True)
    return Parameter(name=name, type=kind, default=default, comment=comment)


def source_of(node: ast.AST) -> str:
    """Give the beginning of some code for a message."""
    try:
        return ast.unparse(node)[:80]
    except RecursionError:
        return "..."


def chosen(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check what is given against what is declared; text is read as the declared type.

    Returns
    -------
    dict
        The given values by name, each of its declared type.

    Raises
    ------
    ParameterError
        If a name is not declared or a value does not fit.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {}
    for raw, value in given.items():
        name = unicodedata.normalize("NFKC", raw)  # as Python itself reads names
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ParameterError(
                _(
                    "{name!r} cannot be the name of a parameter: a name has letters, digits and "
                    "underscores, begins with no digit and is no Python keyword; declared: {known}"
                ).format(name=raw, known=listed(known)),
                parameter=raw,
            )
        if name not in known:
            raise ParameterError(
                _("unknown parameter {name!r}; {hint}declared: {known}").format(
                    name=name, hint=hint(name, known), known=listed(known)
                ),
                parameter=name,
            )
        kind = known[name].type
        if isinstance(value, str):
            value = from_text(name, kind, value)
        values[name] = checked(name, kind, value)
    return values


def from_text(name: str, kind: Type, text: str) -> Any:
    """Read what was typed as the declared type."""
    if kind.name == "str" and not kind.optional:
        return text
    if kind.optional and text.lower() in {"none", "null"}:
        return None
    if kind.name == "str":
        return text
    if kind.name == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind.choices and text in kind.choices:
        return text
    number = re.fullmatch(r"\s*[+-]?[0-9][0-9_]*\s*", text)
    if kind.name in {"int", "float"} and number and len(text) < 400:
        return int(text)
    if kind.name == "float":
        try:
            return float(text)
        except ValueError:
            pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise unfit(name, kind, text) from None


def checked(name: str, kind: Type, value: Any, *, is_default: bool = False) -> Any:
    """Give the value as the declared type holds it, or say why it does not fit."""
    fitted = kind.fit(value)
    if fitted is not kind.MISFIT and writable(fitted) and len(repr(fitted)) <= LARGEST:
        return fitted
    raise unfit(name, kind, value, is_default=is_default)


def writable(value: Any, levels: int = DEEPEST) -> bool:
    """Whether a value can be written into a notebook and read back the same."""
    if levels < 0:
        return False
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return value.bit_length() <= BITS
    if isinstance(value, list):
        return all(writable(item, levels - 1) for item in value)
    if isinstance(value, dict):
        return all(writable(k) and writable(item, levels - 1) for k, item in value.items())
    return True


def encodable(text: str) -> bool:
    """Whether a text can be written at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def unfit(name: str, kind: Type, value: Any, *, is_default: bool = False) -> ParameterError:
    """Say that a value does not fit."""
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # Python writes no number of more than 4300 digits
        shown = _("(too large to be shown)")
    message = (
        N_(
            "parameter {name!r} is declared as {type}: the default must {must}, as in {example}; "
            "{shown} does not fit"
        )
        if is_default
        else N_(
            "parameter {name!r} is declared as {type}: the value must {must}, as in {example}; "
            "{shown} does not fit"
        )
    )
    example = str(kind.choices[0]) if kind.choices else typed(fitting(kind))
    told = _(message).format(
        name=name,
        type=kind,
        must=_(MUST[kind.name]).format(choices=", ".join(map(repr, kind.choices))),
        example=example,
        shown=shown if len(shown) <= 60 else f"{shown[:57]}...",
    )
    return ParameterError(told, parameter=name, example=example)


def fitting(kind: Type) -> Any:
    """Give a value that fits a type, for a message."""
    if kind.choices:
        return kind.choices[0]
    if kind.name in EXAMPLES:
        return EXAMPLES[kind.name]
    inner = 1 if kind.items is None else fitting(kind.items)
    return [inner] if kind.name == "list" else {"a": inner}


def typed(value: Any) -> str:
    """Write a value as one types it into a form, for `from_text` to read."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


def hint(name: str, known: Mapping[str, Parameter]) -> str:
    """Name the nearest declared parameter, if one is near."""
    words = meant(name, known)
    return f"{words} " if words else ""


def listed(known: Mapping[str, Parameter]) -> str:
    """List the declared parameters with their types."""
    return ", ".join(f"{name} ({known[name].type})" for name in known) or _("none")


def comments_of(source: str) -> dict[int, str]:
    """Give the comment at the end of each line."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#").strip()
    except tokenize.TokenError:
        return found
    return found


def as_code(values: Mapping[str, Any]) -> str:
    """Write values as the cell that is put after the declared parameters."""
    return "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in values.items())
