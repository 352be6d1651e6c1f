"""A notebook's Markdown and HTML reduced to what a printed page needs.

Two passes. nh3 parses as a browser does and keeps an allow-list of elements and attributes: no
style, class, id, form, frame, script or embedded drawing survives. What it returns is well formed,
and the second pass lays it out: headings continue the report's own order, tables get a box of their
own to scroll in and an end after `MOST_ROWS`, figures are aligned, pictures are checked and rebuilt.

Links are not links here: the address is written after the text. A report is read on paper as often
as on a screen, a text that promises one site and leads to another would borrow our credit, and so
no click leaves the page either.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from sandbox.runs.report.characters import names, plain
from sandbox.runs.report.pictures import PictureError, picture
from sandbox.runs.report.words import Words

LONGEST_HTML = 250_000  # characters read of one output
LONGEST_MARKDOWN = 20_000  # characters read of one cell; some patterns take quadratic time
MOST_ELEMENTS = 3_000  # elements other than table cells: deep nesting takes quadratic time
MOST_ROWS = 200
DEEPEST = 24
WIDEST_SPAN = 100

TEXT_TAGS = names(
    "p br hr strong b em i u s del ins sub sup small mark code pre kbd samp var blockquote ul ol "
    "li dl dt dd figure figcaption div abbr q cite"
)
TABLE_TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
ALLOWED = TEXT_TAGS | TABLE_TAGS | HEADINGS | {"a", "img"}
VOID = {"br", "hr", "img"}
DROPPED_WITH_CONTENT = names(
    "script style title template noscript noembed noframes iframe object embed svg math canvas "
    "audio video select textarea button datalist xmp"
)
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "th": {"colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
ACTIVE = re.compile(
    r"<\s*(?:script|iframe|object|embed|svg|canvas|audio|video|form|input|button|select)\b", re.I
)
CELLS = {"td", "th", "tr"}
STARTS = re.compile(r"<([a-zA-Z][^\s/>]*)")
ELSEWHERE = Words("hình không nằm trong sổ tay", "the picture is not inside the notebook")
FIGURE = re.compile(
    r"[-+−]?[\d.,\s\u00a0]*\d[\d.,]*(?:e[-+]?\d+)?\s*%?|[-–—]|nan|nat|none|<na>|[-+]?inf", re.I
)


@dataclass
class Headings:
    """Levels of a notebook's headings below the report's own, never skipping one."""

    top: int = 2
    last: int = 2
    skip: frozenset[str] = frozenset()  # headings that repeat the report's title

    def level(self, asked: int) -> int:
        """Give the level for a heading that the notebook calls `asked`."""
        self.last = min(asked + self.top, self.last + 1, 6)
        return self.last


@dataclass(frozen=True, kw_only=True)
class Clean:
    """A fragment that is safe to place in the page, and what was left out of it."""

    html: Markup
    text: str  # its words alone
    headings: tuple[str, ...] = ()
    cut: bool = False  # part of the source was not read, or rows were left out
    active: bool = False  # the source held elements that run, ask or embed


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def markdown(
    source: str, headings: Headings, attachments: Mapping[str, object] | None = None
) -> Clean:
    """Turn Markdown into a safe fragment."""
    read = plain(source[:LONGEST_MARKDOWN])
    return _clean(
        _markdown().render(read), headings, attachments or {}, cut=len(source) > LONGEST_MARKDOWN
    )


def fragment(source: str, headings: Headings) -> Clean:
    """Turn an HTML output into a safe fragment."""
    return _clean(plain(source[:LONGEST_HTML]), headings, {}, cut=len(source) > LONGEST_HTML)


def _clean(
    source: str, headings: Headings, attachments: Mapping[str, object], *, cut: bool
) -> Clean:
    read = bounded(source)
    filtered = nh3.clean(
        read,
        tags=ALLOWED,
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "data", "attachment"},
        link_rel=None,
    )
    layout = Layout(headings, attachments)
    layout.feed(filtered)
    layout.close()
    return Clean(
        html=Markup("".join(layout.out)),
        text=" ".join("".join(layout.words).split()),
        headings=tuple(layout.titles),
        cut=cut or layout.cut or len(read) < len(source),
        active=ACTIVE.search(source) is not None,
    )


def bounded(source: str) -> str:
    """Cut HTML where it has opened too many elements for the parser's quadratic search."""
    n_elements = 0
    for found in STARTS.finditer(source):
        n_elements += found[1].lower() not in CELLS
        if n_elements > MOST_ELEMENTS:
            return source[: found.start()]
    return source


@dataclass
class Cell:
    """An open table cell: where its tag will stand, and its words so far."""

    tag: str
    at: int
    attributes: str
    head: bool
    n_wide: int
    words: list[str] = field(default_factory=list)


@dataclass
class Grid:
    """An open table: its rows so far, and which columns hold figures alone."""

    n_rows: int = 0
    in_head: bool = False
    column: int = 0  # of the next cell in this row
    heads: list[tuple[int, int]] = field(default_factory=list)  # place in the text, column
    words: set[int] = field(default_factory=set)  # columns with a body cell that is no figure
    figures: set[int] = field(default_factory=set)


class Layout(HTMLParser):
    """Lays well-formed, filtered HTML out for the page; every tag that it writes it closes."""

    def __init__(self, headings: Headings, attachments: Mapping[str, object]) -> None:
        super().__init__(convert_charrefs=True)
        self.headings, self.attachments = headings, attachments
        self.out: list[str] = []
        self.words: list[str] = []
        self.titles: list[str] = []
        self.cut = False
        self._open: list[tuple[str, str]] = []  # the tag as read, and what closes it
        self._cells: list[Cell] = []
        self._grids: list[Grid] = []
        self._skipped = 0  # depth inside a row that is left out
        self._link: tuple[str, int] | None = None
        self._heading: tuple[int, int] | None = None  # where it began in `out` and in `words`

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag in VOID:
            if not self._skipped:
                self.out.append(self._image(given) if tag == "img" else f"<{tag}>")
            return
        if self._skipped or (tag == "tr" and self._row_is_too_many()):
            self._skipped += 1
            self._open.append((tag, ""))
            return
        closing = self._begin(tag, given) if len(self._open) < DEEPEST else ""
        self._open.append((tag, closing))

    def handle_endtag(self, tag: str) -> None:
        if not any(opened == tag for opened, _ in self._open):
            return
        while True:
            opened, closing = self._open.pop()
            if self._skipped:
                self._skipped -= 1
            elif closing:
                self._end(opened, closing)
            if opened == tag:
                return

    def close(self) -> None:
        super().close()
        while self._open:
            self.handle_endtag(self._open[-1][0])

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        shown = plain(data)
        self.out.append(html.escape(shown))
        self.words.append(shown)
        for cell in self._cells:
            cell.words.append(shown)

    def _begin(self, tag: str, given: dict[str, str]) -> str:
        """Write a start tag and give the text that will close it."""
        if tag == "a":
            self._link = (given.get("href", ""), len(self.words))
            return " "
        if tag in HEADINGS:
            self._heading = (len(self.out), len(self.words))
            level = self.headings.level(int(tag[1]))
            self.out.append(f"<h{level}>")
            return f"</h{level}>"
        if tag == "table":
            outermost = not self._grids
            self._grids.append(Grid())
            self.out.append(
                '<div class="scroll" tabindex="0" role="region" aria-label="Bảng"><table>'
                if outermost
                else "<table>"
            )
            return "</table></div>" if outermost else "</table>"
        if tag in {"th", "td"}:
            self._begin_cell(tag, given)
            return f"</{tag}>"
        if tag == "thead" and self._grids:
            self._grids[-1].in_head = True
        start = given.get("start", "")
        numbered = tag == "ol" and re.fullmatch(r"\d{1,6}", start)
        self.out.append(f'<ol start="{start}">' if numbered else f"<{tag}>")
        return f"</{tag}>"

    def _begin_cell(self, tag: str, given: dict[str, str]) -> None:
        spans = {
            key: min(int(given[key]), WIDEST_SPAN)
            for key in ("colspan", "rowspan")
            if re.fullmatch(r"[1-9]\d{0,5}", given.get(key, ""))
        }
        written = "".join(f' {key}="{value}"' for key, value in spans.items() if value > 1)
        head = bool(self._grids) and self._grids[-1].in_head
        self._cells.append(Cell(tag, len(self.out), written, head, spans.get("colspan", 1)))
        self.out.append("")  # the tag itself is written at the cell's end, when its words are known

    def _end(self, tag: str, closing: str) -> None:
        if tag == "a":
            self._end_link()
            return
        if tag in {"th", "td"} and self._cells:
            self._end_cell(self._cells.pop())
        if tag == "table":
            self._align_heads(self._grids.pop())
        if tag == "thead" and self._grids:
            self._grids[-1].in_head = False
        if tag not in HEADINGS:
            self.words.append(" ")
        self.out.append(closing)
        if tag in HEADINGS and self._heading:
            self._end_heading(*self._heading)

    def _end_link(self) -> None:
        href, began = self._link or ("", len(self.words))
        self._link = None
        label = "".join(self.words[began:]).strip()
        address = plain(href)
        if re.match(r"https?://", address, re.I) and address != label:
            self.out.append(f' <span class="address">({html.escape(address)})</span>')

    def _end_cell(self, cell: Cell) -> None:
        words = "".join(cell.words).strip()
        scope = ""
        if cell.tag == "th" and words:
            kind = "col" if cell.head else "row"
            scope = f' scope="{kind}{"group" if cell.n_wide > 1 else ""}"'
        is_figure = bool(FIGURE.fullmatch(words[:60]))
        number = ' class="number"' if is_figure and not cell.head else ""
        self.out[cell.at] = f"<{cell.tag}{cell.attributes}{scope}{number}>"
        if self._grids:
            grid = self._grids[-1]
            if cell.head:
                grid.heads.append((cell.at, grid.column))
            elif words:
                (grid.figures if is_figure else grid.words).add(grid.column)
            grid.column += cell.n_wide

    def _align_heads(self, grid: Grid) -> None:
        """Set a column's head above its figures."""
        for at, column in grid.heads:
            if column in grid.figures - grid.words:
                self.out[at] = self.out[at].replace(">", ' class="number">')

    def _end_heading(self, began: int, first_word: int) -> None:
        title = " ".join("".join(self.words[first_word:]).split())
        self._heading = None
        if title.casefold() in self.headings.skip:
            del self.out[began:]
            self.headings.last = self.headings.top
        elif title:
            self.titles.append(title)

    def _row_is_too_many(self) -> bool:
        if not self._grids:
            return False
        grid = self._grids[-1]
        grid.n_rows, grid.column = grid.n_rows + 1, 0
        self.cut = self.cut or grid.n_rows > MOST_ROWS
        return grid.n_rows > MOST_ROWS

    def _image(self, given: dict[str, str]) -> str:
        alt = html.escape(plain(given.get("alt", ""))[:300])
        source = given.get("src", "")
        try:
            shown = picture(*self._embedded(source))
        except PictureError as error:
            name = f": {alt}" if alt else ""
            return f'<span class="left-out">[Hình không hiển thị, {error.reason.vi}{name}]</span>'
        return f'<img src="{shown.uri}" alt="{alt}" width="{shown.width}" height="{shown.height}">'

    def _embedded(self, source: str) -> tuple[str, object]:
        """Give the type and base64 text of a picture that travels inside the notebook."""
        if source.startswith("attachment:"):
            held = self.attachments.get(source.removeprefix("attachment:"))
            for mime in ("image/png", "image/jpeg"):
                if isinstance(held, dict) and mime in held:
                    return mime, held[mime]
        found = re.fullmatch(r"data:(image/(?:png|jpeg));base64,(.*)", source, re.S)
        if not found:
            raise PictureError(ELSEWHERE)
        return found[1], found[2]
