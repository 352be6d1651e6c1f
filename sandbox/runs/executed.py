"""The notebook that is executed: the frozen one with its changed parameters, later its outputs."""

from __future__ import annotations

from typing import Any

from sandbox.runs import parameters
from sandbox.runs.imports import quick
from sandbox.runs.notebook import Notebook, is_code, tags, text

INJECTED = "injected-parameters"  # papermill's word, which its readers know


def prepared(found: Notebook, values: list[dict[str, Any]]) -> Any:
    """Make the notebook to execute, with the parameters that differ from their defaults.

    As papermill does it, but with values written in Python's own way: papermill's text is full
    of escapes where people wrote Vietnamese.
    """
    with quick():
        import nbformat

    notebook: Any = nbformat.from_dict(found.content)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.source = text(cell)
        if not is_code(cell):
            cell.pop("outputs", None)  # a cell that nobody executes shows and claims nothing
    notebook.metadata.papermill = nbformat.NotebookNode()  # type: ignore[no-untyped-call]
    # Compared as they are written: True equals 1, and 0.0 equals -0.0.
    changed = {
        one["name"]: one["value"] for one in values if repr(one["value"]) != repr(one["default"])
    }
    places = [at for at, cell in enumerate(found.cells) if parameters.TAG in tags(cell)]
    if changed and places:
        given: Any = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
            parameters.as_code(changed), id=INJECTED
        )
        given.metadata.tags = [INJECTED]
        notebook.cells.insert(places[0] + 1, given)
    return notebook


def written(notebook: Any) -> bytes:
    """Give the bytes of an executed notebook, whatever characters a kernel sent."""
    with quick():
        import nbformat

    content: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return content.encode("utf-8", "backslashreplace")
