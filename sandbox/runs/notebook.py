"""Read a notebook that somebody wants to submit: is it one, what does it declare?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.errors import NotebookError
from sandbox.language import _
from sandbox.retold import retold
from sandbox.runs import parameters
from sandbox.runs.wellformed import wellformed
from sandbox.settings import templates_folder

MIB = 1024 * 1024
LARGEST_BYTES = 20 * MIB


@dataclass(frozen=True, kw_only=True, eq=False)
class Notebook:
    """A notebook as its author wrote it."""

    name: str  # the file's, without its ending
    data: bytes
    content: dict[str, Any]

    @property
    def cells(self) -> list[dict[str, Any]]:
        """All cells, in order."""
        cells: list[dict[str, Any]] = self.content["cells"]
        return cells

    @property
    def described(self) -> dict[str, Any]:
        """What the notebook says of itself: title, question, what it reads."""
        found = self.content.get("metadata", {}).get("sandbox", {})
        return found if isinstance(found, dict) else {}

    @property
    def reads(self) -> dict[str, tuple[str, ...]] | None:
        """The declared tables with their columns; None if nothing is declared."""
        declared = self.described.get("reads")
        if declared is None:
            return None
        if not isinstance(declared, dict) or not all(map(_is_names, declared.values())):
            raise NotebookError(
                _(
                    "notebook {name!r}: metadata.sandbox.reads must map tables to lists of "
                    "columns, as in {example}"
                ).format(name=self.name, example='{"population.persons": ["age", "sex"]}')
            )
        return {str(table): tuple(columns) for table, columns in declared.items()}

    @property
    def parameters(self) -> tuple[parameters.Parameter, ...]:
        """The declared parameters."""
        return parameters.declared(
            [text(cell) for cell in self.cells if is_code(cell) and "parameters" in tags(cell)]
        )

    @property
    def essence(self) -> list[Any]:
        """What makes this notebook do and say what it does: cells and self-description."""
        return [[cell.get("cell_type"), text(cell), tags(cell)] for cell in self.cells] + [
            self.described
        ]


def find(given: str | Path) -> Notebook:
    """Read a notebook by its path, or a shipped template by its name."""
    path = Path(given)
    if "\0" in str(path):
        raise NotebookError(_("{path!r} cannot be a file's path").format(path=str(path)))
    if re.fullmatch(r"[\w-]+", str(given)) and not path.exists():
        shipped = _shipped()
        if str(given) not in shipped:
            raise NotebookError(
                _("there is no template {name!r} and no such file; templates: {known}").format(
                    name=str(given), known=", ".join(shipped)
                )
            )
        path = shipped[str(given)]
    return read(path)


def read(path: Path) -> Notebook:
    """Read a notebook file and check that it is one."""
    try:
        if path.is_dir():
            raise NotebookError(
                _("{path!r} is a folder; give a notebook file (.ipynb)").format(path=str(path))
            )
        if path.exists() and not path.is_file():
            raise NotebookError(
                _("{path!r} is not a file; give a notebook file (.ipynb)").format(path=str(path))
            )
        if path.stat().st_size > LARGEST_BYTES:
            raise NotebookError(
                _(
                    "{path!r} has {n} MiB, more than {limit} MiB; clear its outputs and save it "
                    "again"
                ).format(
                    path=str(path),
                    n=-(-path.stat().st_size // MIB),
                    limit=LARGEST_BYTES // MIB,
                )
            )
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)  # it may grow while it is read
    except FileNotFoundError as error:
        raise NotebookError(
            _(
                "cannot read the notebook {path!r}: there is no such file; give a notebook file "
                "(.ipynb) or the name of a template: {known}"
            ).format(path=str(path), known=", ".join(_shipped()))
        ) from error
    except OSError as error:
        raise NotebookError(
            _("cannot read the notebook {path!r}: {problem}").format(
                path=str(path), problem=retold(error.strerror or str(error))
            )
        ) from error
    return parse(path.stem, data, place=str(path))


def parse(name: str, data: bytes, *, place: str | None = None) -> Notebook:
    """Check that these bytes are a notebook in Python that has something to run."""
    content = wellformed(name, data, place=place or name)
    notebook = Notebook(name=name, data=data, content=content)
    language = _language(content.get("metadata", {}))
    if language not in {None, "python"}:
        raise NotebookError(
            _("{name!r} is written in {language}; only Python notebooks are run").format(
                name=name, language=language
            )
        )
    if not any(is_code(cell) and text(cell).strip() for cell in notebook.cells):
        raise NotebookError(
            _("{name!r} has no cell with code, so there is nothing to run").format(name=name)
        )
    return notebook


def match(notebook: Notebook) -> dict[str, Any] | None:
    """Say which shipped template this is, and whether it is unchanged."""
    for path in sorted(templates_folder().glob("*.ipynb")):
        template = read(path)
        if template.essence == notebook.essence:
            return {"name": template.name, "unchanged": True}
    if (templates_folder() / f"{notebook.name}.ipynb").is_file():
        return {"name": notebook.name, "unchanged": False}
    return None


def is_unchanged_template(notebook: Notebook) -> bool:
    """Whether each cell is that of a template that ships with this program."""
    found = match(notebook)
    return found is not None and bool(found["unchanged"])


def is_code(cell: Mapping[str, Any]) -> bool:
    """Whether a cell holds code."""
    return cell.get("cell_type") == "code"


def text(cell: Mapping[str, Any]) -> str:
    """Give a cell's source; the format allows a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def tags(cell: Mapping[str, Any]) -> list[str]:
    """Give a cell's tags."""
    found = cell.get("metadata", {}).get("tags", [])
    return list(found) if isinstance(found, list) else []


def _shipped() -> dict[str, Path]:
    return {one.stem: one for one in sorted(templates_folder().glob("*.ipynb"))}


def _language(metadata: Mapping[str, Any]) -> str | None:
    for place, key in (("kernelspec", "language"), ("language_info", "name")):
        found = metadata.get(place, {})
        if isinstance(found, dict) and isinstance(found.get(key), str):
            return str(found[key]).lower()
    return None


def _is_names(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(item, str) for item in value)
