"""What a notebook says and shows, cell by cell, as blocks that the template draws.

Every block is safe: text that the template escapes, markup that the filters made, or a rebuilt
picture. What is too long, interactive or broken is named in its place, never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from sandbox.runs.report import sanitise
from sandbox.runs.report.characters import plain, printed, visible
from sandbox.runs.report.drawings import drawing
from sandbox.runs.report.pictures import Picture, PictureError, picture
from sandbox.runs.report.quantities import quantity
from sandbox.runs.report.reading import mapping, objects, sequence, text
from sandbox.runs.report.sanitise import Headings
from sandbox.runs.report.words import NOTHING, Words

RESULT = "application/vnd.sandbox.result+json"
CONCLUSION = "application/vnd.sandbox.conclusion+json"
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
LONGEST_TEXT = 20_000  # characters shown of one text output
MOST_LINES = 300
LAST_LINES = 40  # of a traceback
MOST_CHARACTERS = 2_000_000  # markup read over the whole report
MOST_PICTURE_BYTES = 24_000_000  # pictures over the whole report
MOST_BLOCKS = 500
INTERACTIVE = re.compile(
    r"application/(?:vnd\.(?!sandbox\.)[\w.+-]+|javascript|x-[\w.+-]+|geo\+json|pdf)|"
    r"text/(?:javascript|vnd\.[\w.+-]+)|(?:audio|video)/.*"
)

NOT_INTERACTIVE = Words(
    "Kết quả tương tác không hiển thị trong báo cáo.", "Interactive output not shown."
)
PARTLY_ACTIVE = Words(
    "Phần chạy mã hoặc nhập liệu trong kết quả này đã được bỏ.",
    "Parts of this output that run code or ask for input were left out.",
)
FULL = Words(
    "Báo cáo đã đầy: các kết quả còn lại không được hiển thị; xem sổ tay đã chạy.",
    "The report is full: the remaining outputs are not shown; see the executed notebook.",
)
FIRST_ROWS = Words(
    f"Chỉ hiện phần đầu: kết quả quá dài (nhiều nhất {sanitise.MOST_ROWS} dòng mỗi bảng).",
    f"Only the beginning is shown: too long (at most {sanitise.MOST_ROWS} rows of a table).",
)
MARKDOWN_CUT = Words(
    "Chỉ hiện phần đầu của đoạn này: quá dài.",
    "Only the beginning of this text is shown: it is too long.",
)


NO_MARKUP = Markup("")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One thing to draw: `kind` is markup, text, figure, error or note."""

    kind: str
    html: Markup = NO_MARKUP
    text: str = ""
    label: Words = NOTHING
    note: Words = NOTHING
    picture: Picture | None = None
    n_figure: int = 0
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The blocks of one cell; code cells carry their number."""

    number: int
    is_code: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error that a cell raised."""

    name: str
    message: str
    trace: str
    number: int  # of the cell
    source: str


@dataclass
class Narrator:
    """Walks a notebook once, keeping count of figures and of what the page can still hold."""

    titles: tuple[str, ...] = ()
    characters: int = MOST_CHARACTERS
    picture_bytes: int = MOST_PICTURE_BYTES
    n_blocks: int = 0
    n_figures: int = 0
    caption: str = ""
    headings: Headings = field(init=False)

    def __post_init__(self) -> None:
        self.headings = Headings(skip=frozenset(title.casefold() for title in self.titles))

    def parts(self, notebook: dict[str, Any], *, failed: int | None) -> Iterator[Part]:
        """Yield what each cell shows; the error of cell number `failed` is told elsewhere."""
        for number, cell in enumerate(objects(notebook.get("cells")), start=1):
            if self.n_blocks >= MOST_BLOCKS:
                yield Part(number=number, is_code=False, blocks=(Block(kind="note", note=FULL),))
                return
            blocks = tuple(self._cell(cell, is_told=number == failed))
            self.n_blocks += len(blocks)
            if blocks:
                is_code = cell.get("cell_type") == "code"
                yield Part(number=number, is_code=is_code, blocks=blocks)

    def _cell(self, cell: dict[str, Any], *, is_told: bool) -> Iterator[Block]:
        if cell.get("cell_type") == "markdown":
            if "papermill-error-cell-tag" not in tags(cell):
                yield from self._markdown(source(cell), mapping(cell.get("attachments")))
            return
        for output in merged(objects(cell.get("outputs"))):
            kind = output.get("output_type")
            if kind == "stream":
                name = Words("Cảnh báo", "stderr") if output.get("name") == "stderr" else NOTHING
                yield from self._text(joined(output.get("text")), label=name)
            elif kind in {"display_data", "execute_result"}:
                yield from self._display(mapping(output.get("data")))
            elif kind == "error" and not is_told:
                told = failure(output, 0, "")
                yield Block(kind="error", text=told.trace or f"{told.name}: {told.message}")

    def _markdown(self, written: str, attachments: dict[str, Any]) -> Iterator[Block]:
        # Some Markdown takes quadratic time, so a long cell is charged by its square.
        n_read = min(len(written), sanitise.LONGEST_MARKDOWN)
        if not self._afford(n_read + n_read**2 // 4_000):
            yield Block(kind="note", note=FULL)
            return
        clean = sanitise.markdown(written, self.headings, attachments)
        self.caption = clean.headings[-1] if clean.headings else self.caption
        if clean.html.strip():
            yield Block(kind="markup", html=clean.html, note=MARKDOWN_CUT if clean.cut else NOTHING)

    def _display(self, data: dict[str, Any]) -> Iterator[Block]:
        if RESULT in data or CONCLUSION in data:
            return
        pictured = next((mime for mime in PICTURES if mime in data), None)
        interactive = any(INTERACTIVE.fullmatch(mime) for mime in data)
        if interactive:
            yield Block(kind="note", note=NOT_INTERACTIVE)
        if pictured is not None:
            yield self._figure(pictured, joined(data[pictured]), joined(data.get("text/plain")))
        elif "text/html" in data and not interactive:
            yield from self._html(joined(data["text/html"]), joined(data.get("text/plain")))
        elif "text/markdown" in data:
            yield from self._markdown(joined(data["text/markdown"]), {})
        elif "text/latex" in data:
            yield from self._text(joined(data["text/latex"]))
        elif "text/plain" in data:
            yield from self._text(joined(data["text/plain"]))
        elif not interactive:
            kinds = ", ".join(sorted(text(mime)[:80] for mime in data)[:5])
            yield Block(
                kind="note",
                note=Words(f"Kết quả loại {kinds} không hiển thị.", f"Output {kinds} not shown."),
            )

    def _html(self, written: str, fallback: str) -> Iterator[Block]:
        if not self._afford(min(len(written), sanitise.LONGEST_HTML)):
            yield Block(kind="note", note=FULL)
            return
        clean = sanitise.fragment(written, self.headings)
        empty = not clean.text and "<img" not in clean.html
        if clean.active and empty:
            yield Block(kind="note", note=NOT_INTERACTIVE)
        elif clean.active:
            yield Block(kind="note", note=PARTLY_ACTIVE)
        if empty:
            yield from self._text(fallback)
        else:
            yield Block(kind="markup", html=clean.html, note=FIRST_ROWS if clean.cut else NOTHING)

    def _figure(self, mime: str, encoded: str, described: str) -> Block:
        try:
            shown = drawing(encoded) if mime == "image/svg+xml" else picture(mime, encoded)
        except PictureError as error:
            reason = error.reason
            return Block(
                kind="note",
                note=Words(f"Hình không hiển thị: {reason.vi}.", f"Not shown: {reason.en}."),
            )
        self.picture_bytes -= len(shown.data)
        if self.picture_bytes < 0:
            return Block(kind="note", note=FULL)
        self.n_figures += 1
        # A figure object's own text is its address in memory or its size: no caption.
        words = "" if described.startswith("<") else plain(described.strip()[:200])
        caption = words or self.caption
        return Block(kind="figure", picture=shown, n_figure=self.n_figures, caption=caption)

    def _text(self, written: str, *, label: Words = NOTHING) -> Iterator[Block]:
        shown, note = beginning(written)
        if shown.strip():
            yield Block(kind="text", text=shown, label=label, note=note)

    def _afford(self, n_characters: int) -> bool:
        self.characters -= n_characters
        return self.characters >= 0


def tags(cell: dict[str, Any]) -> set[str]:
    """Give a cell's tags."""
    given = sequence(mapping(cell.get("metadata")).get("tags"))
    return {tag for tag in given if isinstance(tag, str)}


def source(cell: dict[str, Any]) -> str:
    """Give a cell's source as it was written."""
    return joined(cell.get("source"))


def joined(value: object) -> str:
    """Join a notebook's multi-line text, which may be kept as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def merged(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Join neighbouring pieces of the same stream."""
    kept: dict[str, Any] | None = None
    pieces: list[str] = []
    for output in [*outputs, {}]:
        same = kept is not None and output.get("name") == kept.get("name")
        if output.get("output_type") == "stream" and same:
            pieces.append(joined(output.get("text")))
            continue
        if kept is not None:
            yield kept | {"text": "".join(pieces)}
        kept, pieces = None, []
        if output.get("output_type") == "stream":
            kept, pieces = output, [joined(output.get("text"))]
        elif output:
            yield output


def beginning(written: str) -> tuple[str, Words]:
    """Give the part of a text that is shown, and a note on what is not."""
    lines = printed(written[: 4 * LONGEST_TEXT])[:LONGEST_TEXT].split("\n")
    shown = "\n".join(lines[:MOST_LINES])
    if len(written) <= LONGEST_TEXT and len(lines) <= MOST_LINES:
        return shown, NOTHING
    total, part = quantity(len(written)), quantity(len(shown))
    return shown, Words(
        f"Đầu ra dài {total.vi} ký tự; chỉ hiện {part.vi} ký tự đầu.",
        f"The output has {total.en or total.vi} characters; "
        f"the first {part.en or part.vi} are shown.",
    )


def failure(output: dict[str, Any], number: int, code: str) -> Failure:
    """Read an error output; of a long traceback the end, which says what happened."""
    trace = plain("\n".join(t for t in sequence(output.get("traceback")) if isinstance(t, str)))
    return Failure(
        name=text(output.get("ename"))[:200],
        message=text(output.get("evalue"))[:2_000],
        trace="\n".join(trace[-8_000:].split("\n")[-LAST_LINES:]),
        number=number,
        source=visible(code[:4_000]),
    )


def failures(notebook: dict[str, Any]) -> Iterator[Failure]:
    """Yield every error that the cells raised, in order."""
    for number, cell in enumerate(objects(notebook.get("cells")), start=1):
        for output in objects(cell.get("outputs")):
            if output.get("output_type") == "error":
                yield failure(output, number, source(cell))
