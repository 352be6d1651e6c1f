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
from sandbox.runs.literals import Type, annotated, of_value
from synthetic.errors import nearest

TAG = "parameters"
LARGEST = 64 * 1024  # characters of one value as text
BITS = 4096  # of a whole number; Python writes none of more than 4300 digits
DEEPEST = 20  # levels of lists and mappings
MUST = {
    "int": "be a whole number",
    "float": "be a number",
    "bool": "be true or false",
    "str": "be a text",
    "list": "be a list of such values",
    "dict": "map texts to such values",
}
EXAMPLES = {
    "int": "25",
    "float": "0.5",
    "bool": "true",
    "str": "urban",
    "list": "'[1, 2]'",
    "dict": "'{\"a\": 1}'",
}
FORM = "each line must be `name: type = default  # comment`, with a literal default"


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
            f"{len(sources)} cells are tagged {TAG!r}; keep the tag on one cell only"
        )
    if not sources:
        return ()
    try:
        tree = ast.parse(sources[0])
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ParameterError(
            f"the cell tagged {TAG!r} is not plain Python: {str(error) or 'nested too deep'}"
        ) from error
    comments = comments_of(sources[0])
    found: dict[str, Parameter] = {}
    for line in tree.body:
        parameter = declaration(line, comments.get(line.end_lineno or 0, ""))
        if parameter.name in found:
            raise ParameterError(f"parameter {parameter.name!r} is declared twice")
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
            f"line {line.lineno} of the cell tagged {TAG!r} declares nothing: "
            f"{source_of(line)!r}; {FORM}"
        )
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ParameterError(
            f"parameter {name!r} has a default that is not a literal: {source_of(value)!r}; {FORM}"
        ) from error
    kind = of_value(name, default) if annotation is None else annotated(name, annotation)
    default = checked(name, kind, default, what="default")
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
                f"{raw!r} cannot be the name of a parameter: a name has letters, digits and "
                f"underscores, begins with no digit and is no Python keyword; declared: {listed(known)}"
            )
        if name not in known:
            raise ParameterError(
                f"unknown parameter {name!r}; {hint(name, known)}declared: {listed(known)}"
            )
        kind = known[name].type
        if isinstance(value, str):
            value = from_text(name, kind, value)
        values[name] = checked(name, kind, value, what="value")
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
        raise ParameterError(unfit(name, kind, text, what="value")) from None


def checked(name: str, kind: Type, value: Any, *, what: str) -> Any:
    """Give the value as the declared type holds it, or say why it does not fit."""
    fitting = kind.fit(value)
    if fitting is not kind.MISFIT and writable(fitting) and len(repr(fitting)) <= LARGEST:
        return fitting
    raise ParameterError(unfit(name, kind, value, what=what))


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


def unfit(name: str, kind: Type, value: Any, *, what: str) -> str:
    """Say that a value does not fit."""
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # Python writes no number of more than 4300 digits
        shown = "(too large to be shown)"
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    form = MUST.get(kind.name) or f"be one of {', '.join(map(repr, kind.choices))}"
    example = str(kind.choices[0]) if kind.choices else EXAMPLES[kind.name]
    return (
        f"parameter {name!r} is declared as {kind}: the {what} must {form}, as in "
        f"-p {name}={example}; {shown} does not fit"
    )


def hint(name: str, known: Mapping[str, Parameter]) -> str:
    """Name the nearest declared parameter, if one is near."""
    words = nearest(name, known)
    return f"{words} " if words.startswith("did you mean") else ""


def listed(known: Mapping[str, Parameter]) -> str:
    """List the declared parameters with their types."""
    return ", ".join(f"{name} ({known[name].type})" for name in known) or "none"


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
