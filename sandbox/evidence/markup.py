"""HTML and SVG outputs as what a reader sees of them: texts, tables, pictures.

Ids, classes and styles are left out: libraries draw them anew each time (pandas' Styler, plots),
and the report shows none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import nh3

from sandbox.runs.report.sanitise import ALLOWED, DROPPED_WITH_CONTENT, bounded

LARGEST = 2_000_000  # characters; longer markup is compared as text
ATTRIBUTES = {"img": {"src"}, "a": {"href"}}
CELLS = {"td", "th"}
SVG_UNSEEN = (("<metadata>", "</metadata>"), ("<!--", "-->"))
SVG_ID = re.compile(r'\bid="([^"]{1,200})"')
SVG_REFERENCE = re.compile(r'(\bid="|#)([^"\s);]{1,200})')


@dataclass
class Table:
    """The cells of a table, row by row."""

    rows: list[list[str]] = field(default_factory=list)

    @property
    def shape(self) -> str:
        """Its size in words."""
        return f"{len(self.rows)} × {max(map(len, self.rows), default=0)}"

    def name(self, row: int, column: int) -> str:
        """Name a cell by its row and the head of its column."""
        head = self.rows[0][column] if row and column < len(self.rows[0]) else ""
        return f"row {row}, column {column + 1}" + (f" ({head})" if head else "")


@dataclass(frozen=True)
class Picture:
    """A picture within markup, by its source."""

    source: str


Part = str | Table | Picture


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Part] = []
        self._row: list[str] | None = None  # whose last cell is being read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.parts.append(Table())
        elif tag == "a":
            self.handle_data(dict(attrs).get("href") or "")
        elif tag == "img":
            self.parts.append(Picture(dict(attrs).get("src") or ""))
        elif tag in {"tr", *CELLS}:
            self._begin(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"tr", "table", *CELLS}:
            self._row = None

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if self._row and words:
            self._row[-1] = f"{self._row[-1]} {words}".lstrip()
        elif words:
            self.parts.append(words)

    def _begin(self, tag: str) -> None:
        self._row = None
        table = next((part for part in reversed(self.parts) if isinstance(part, Table)), None)
        if table is None:
            return
        if tag == "tr":
            table.rows.append([])
        elif table.rows:
            self._row = table.rows[-1]
            self._row.append("")


def parts(html: str) -> list[Part]:
    """Give what a reader sees of HTML, in order; what would take long to read, as it stands."""
    if len(html) > LARGEST or bounded(html) != html:
        return [html]
    reader = _Reader()
    # In time that grows with its length, unlike Python's own reader, which meets it well formed.
    reader.feed(
        nh3.clean(
            html,
            tags=ALLOWED,
            clean_content_tags=DROPPED_WITH_CONTENT,
            attributes=ATTRIBUTES,
            url_schemes={"http", "https", "data"},
            link_rel=None,
        )
    )
    reader.close()
    return reader.parts


def drawing(svg: str) -> str:
    """Give an SVG without metadata, its ids named by their order."""
    bare = svg
    for begin, end in SVG_UNSEEN:
        bare = _without(bare, begin, end)
    order = {name: f"n{n}" for n, name in enumerate(dict.fromkeys(SVG_ID.findall(bare)))}
    return SVG_REFERENCE.sub(lambda found: found[1] + order.get(found[2], found[2]), bare)


def _without(text: str, begin: str, end: str) -> str:
    """Leave out what stands between two marks; a pattern would search anew from each beginning."""
    kept, at = [], 0
    while (start := text.find(begin, at)) >= 0 and (stop := text.find(end, start)) >= 0:
        kept.append(text[at:start])
        at = stop + len(end)
    return "".join((*kept, text[at:]))
