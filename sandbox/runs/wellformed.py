"""Whether bytes are a notebook at all: JSON of the format's shape, not nested without end."""

from __future__ import annotations

import json
import warnings
from typing import Any

from sandbox.errors import NotebookError
from sandbox.language import _
from sandbox.runs.imports import quick

MAJOR = 4  # the notebook format since 2015
MINOR = 5  # the first in which cells have names
DEEPEST = 100  # levels of lists and objects; libraries give up at some hundreds


def wellformed(name: str, data: bytes, *, place: str) -> dict[str, Any]:
    """Give the content of a notebook, each cell with a name; `place` is where it was found."""
    content: dict[str, Any] = _json(name, data, place)
    _check_format(name, content)
    cells = content.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotebookError(
            _("{name!r} is not a notebook: it has no list of cells").format(name=name)
        )
    _validate(name, _named(content))
    return content


def _json(name: str, data: bytes, place: str) -> Any:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotebookError(
            _(
                "{name!r} is not a notebook: it is not JSON ({problem}); give a notebook that "
                "Jupyter saved (.ipynb)"
            ).format(name=place, problem=error)
        ) from error
    if deeper_than(DEEPEST, content):
        raise NotebookError(
            _("{name!r} holds lists or objects nested deeper than {n} levels").format(
                name=name, n=DEEPEST
            )
        )
    return content


def _check_format(name: str, content: Any) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise NotebookError(_("{name!r} is not a notebook: it has no `nbformat`").format(name=name))
    if content["nbformat"] != MAJOR:
        raise NotebookError(
            _(
                "{name!r} is in notebook format {format}; open and save it in a current Jupyter, "
                "which writes format {current}"
            ).format(name=name, format=content["nbformat"], current=MAJOR)
        )
    if not isinstance(content.get("nbformat_minor"), int):
        raise NotebookError(
            _("{name!r} is not a valid notebook: `nbformat_minor` is no whole number").format(
                name=name
            )
        )


def deeper_than(levels: int, value: Any) -> bool:
    """Whether lists and objects are nested in a value for more than so many levels."""
    layer = [value]
    for _level in range(levels + 1):
        inner = [one for one in layer if isinstance(one, dict | list)]
        layer = [part for one in inner for part in (one.values() if isinstance(one, dict) else one)]
        if not layer:
            return False
    return True


def _validate(name: str, content: dict[str, Any]) -> None:
    with quick():  # half a second that most commands can do without
        import nbformat
        from nbformat.warnings import DuplicateCellId

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DuplicateCellId)  # they are mended as it goes
            nbformat.validate(content, relax_add_props=True)
    except nbformat.ValidationError as error:
        first = str(error).strip().splitlines()[0]
        raise NotebookError(
            _("{name!r} is not a valid notebook: {problem}").format(name=name, problem=first[:200])
        ) from error


def _named(content: dict[str, Any]) -> dict[str, Any]:
    """Give each cell a name where the notebook is older than names."""
    for index, cell in enumerate(content["cells"]):
        cell.setdefault("id", f"cell-{index}")
    content["nbformat_minor"] = max(MINOR, content["nbformat_minor"])
    return content
