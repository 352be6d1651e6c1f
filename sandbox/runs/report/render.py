"""Puts the parts of a report together into one HTML file that runs and fetches nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from sandbox.runs.report import outputs, words
from sandbox.runs.report.characters import visible
from sandbox.runs.report.data import Dataset, Source, datasets
from sandbox.runs.report.facts import Facts, Folder, facts
from sandbox.runs.report.outputs import Narrator, Part
from sandbox.runs.report.reading import load, objects
from sandbox.runs.report.summary import headline, sentences, template, unsaid
from sandbox.runs.report.words import Words
from sandbox.settings import Settings
from synthetic.tables.files import write_atomically

HERE = Path(__file__).resolve().parent
LONGEST_CODE = 40_000  # characters shown of one cell's code
MOST_CODE = 1_000_000  # characters shown of all of it


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The code of one cell, coloured."""

    number: int
    html: Markup
    injected: bool  # the values of this run, put there by the runner
    cut: bool


def render(run_folder: Path, *, settings: Settings) -> Path:
    """Write `report.html` into a run's folder and give its path.

    Whatever of the run is missing or broken is told in the report; only a folder that cannot be
    written raises.
    """
    path = run_folder / "report.html"
    write_atomically(path, _document(Folder.read(run_folder), settings).encode())
    return path


def _document(folder: Folder, settings: Settings) -> str:
    known = facts(folder)
    frozen = load(folder.path / "submission" / "notebook.ipynb")
    notebook = folder.notebook or frozen or {}
    read = datasets(folder.inputs, settings.replicas)
    css = _css(known)
    page = _template().render(
        css=Markup(css),
        style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        facts=known,
        headline=headline(known),
        sentences=sentences(known),
        template=template(known),
        cannot=unsaid(known),
        parts=_parts(notebook, known),
        datasets=read,
        sources=_sources(read),
        titles=_titles(read),
        listings=list(_listings(notebook)),
        words=words,
    )
    # Once more over the whole page: what a filter decoded late must not hide or reorder either.
    return visible(page)


def _parts(notebook: dict[str, Any], known: Facts) -> list[Part]:
    titles = tuple(title for title in (known.title.vi, known.title.en) if title)
    told = known.failure.number if known.failure else None
    return list(Narrator(titles=titles).parts(notebook, failed=told))


def _sources(read: tuple[Dataset, ...]) -> list[Source]:
    """Give each publication once, in the order of the datasets."""
    return list(dict.fromkeys(source for dataset in read for source in dataset.sources))


def _titles(read: tuple[Dataset, ...]) -> dict[str, Words]:
    """Give the titles of columns by their whole names."""
    return {
        f"{table.name}.{column.name}": column.title
        for dataset in read
        for table in dataset.tables
        for column in table.columns
    }


def _listings(notebook: dict[str, Any]) -> Iterator[Listing]:
    left = MOST_CODE
    for number, cell in enumerate(objects(notebook.get("cells")), start=1):
        code = outputs.source(cell)
        if cell.get("cell_type") != "code" or not code.strip() or left <= 0:
            continue
        left -= len(code)
        yield Listing(
            number=number,
            html=_coloured(visible(code[:LONGEST_CODE])),
            injected="injected-parameters" in outputs.tags(cell),
            cut=len(code) > LONGEST_CODE,
        )


def _coloured(code: str) -> Markup:
    # Imported when there is code to colour: it takes a tenth of a second.
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    if len(code) > LONGEST_CODE:
        return escape(code)
    return Markup(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True, classprefix="k-")))


def _css(known: Facts) -> str:
    """Give the style sheet with the run's id and its record's hash for the foot of each page."""
    css = (HERE / "report.css").read_text(encoding="utf-8")
    # Both are checked where they are read: an id of letters, digits and dots, and a hash.
    return css.replace("{run}", known.run_id).replace("{record}", known.record_sha256 or "—")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
