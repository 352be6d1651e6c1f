"""What the lab answers with: the same content as HTML for a notebook and as text for a terminal."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import indent

ONE_LINE = 80  # characters of a caption that may be wider than its table
CODE = (  # one click takes all lines; the line at the left holds them together in any theme
    "font-family: monospace; margin: 0 0 1.2em; padding-left: 1em; "
    "border-left: 3px solid #8889; user-select: all"
)
LONGEST = 300  # characters shown of one value


@dataclass(frozen=True)
class Shown:
    """An answer that a notebook shows as HTML, and anything else as text."""

    text: str
    html: str = ""

    def _repr_mimebundle_(self, **wanted: object) -> dict[str, str]:
        return {"text/plain": self.text} | ({"text/html": self.html} if self.html else {})

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of written values; the columns at the places `right` hold numbers."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()
    longest: int | None = LONGEST  # characters shown of one value; none: all
    leads: frozenset[int] = frozenset()  # columns whose first line is what the others tell of

    def shown(self) -> Shown:
        """Give both forms."""
        return Shown(self.text(), self.html())

    def html(self) -> str:
        """Write the table for a notebook."""
        head = "".join(
            f'<th scope="col"{self._side(place)}>{escaped(name)}</th>'
            for place, name in enumerate(self.header)
        )
        body = "".join(
            "<tr>" + "".join(self._cell(place, value) for place, value in enumerate(row)) + "</tr>"
            for row in self.rows
        )
        # A command in it must not be broken by a table of two narrow columns.
        wrap = "; white-space: nowrap" if len(self.caption) <= ONE_LINE else ""
        caption = (
            f'<caption style="text-align: left{wrap}">{escaped(self.caption)}</caption>'
            if self.caption
            else ""
        )
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def text(self) -> str:
        """Write the table for a terminal, its caption below it."""
        lines = [
            [self._cut(" ".join(value.splitlines())) for value in row]
            for row in (self.header, *self.rows)
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join([*(self._line(line, widths) for line in lines), self.caption]).rstrip("\n")

    def _cell(self, place: int, value: str) -> str:
        lead, line, rest = self._cut(value).partition("\n")
        if place not in self.leads:
            return f"<td{self._side(place)}>{escaped(self._cut(value))}</td>"
        below = f"<br>{escaped(rest)}" if line else ""
        return f"<td{self._side(place)}><strong>{escaped(lead)}</strong>{below}</td>"

    def _cut(self, text: str) -> str:
        return cut(text, self.longest or len(text))

    def _side(self, place: int) -> str:
        # Notebooks align every cell to the right unless told otherwise.
        return f' style="text-align: {"right" if place in self.right else "left"}"'

    def _line(self, values: Sequence[str], widths: Sequence[int]) -> str:
        return "  ".join(
            value.rjust(width) if place in self.right else value.ljust(width)
            for place, (value, width) in enumerate(zip(values, widths, strict=True))
        ).rstrip()


def together(parts: Iterable[Shown]) -> Shown:
    """Put several answers one below the other."""
    told = list(parts)
    return Shown("\n\n".join(part.text for part in told), "".join(part.html for part in told))


def paragraph(*lines: str) -> Shown:
    """Show some lines of text."""
    return Shown("\n".join(lines), f"<p>{'<br>'.join(map(escaped, lines))}</p>")


def heading(words: str) -> Shown:
    """Show a title."""
    return Shown(words, f"<h4>{escaped(words)}</h4>")


def strong(words: str) -> Shown:
    """Show a line that what follows belongs to."""
    return Shown(words, f"<p><strong>{escaped(words)}</strong></p>")


def code(*lines: str) -> Shown:
    """Show lines to copy."""
    text = "\n".join(lines)
    return Shown(indent(text, "    "), f'<pre style="{CODE}">{html.escape(text)}</pre>')


def escaped(text: str) -> str:
    """Make a text harmless in HTML; a line's end stays one."""
    return "<br>".join(html.escape(text).splitlines())


def cut(text: str, longest: int = LONGEST) -> str:
    """Give as much of a value as a table can hold."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
