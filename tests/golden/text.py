"""A report as text: headings, tables, paragraphs and printed lines, without what changes by run.

Ids, times, versions of software, hashes and the bytes of pictures are left out, so that the text
of two runs of the same notebook is the same.
"""

from __future__ import annotations

import os
from html.parser import HTMLParser
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CHANGING = {"id", "time", "version", "hash"}
BLOCKS = {"p", "li", "tr", "caption", "dt", "dd", "figcaption", "summary", "pre"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
VOID = {"br", "hr", "img", "meta", "link", "input"}


class Text(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines = []
        self.words = []
        self.path = []  # (tag, classes)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "img":
            self.words.append(f"[hình: {given.get('alt', '')}]")
        if tag in VOID:
            return
        if tag in BLOCKS | HEADINGS:
            self.flush()
        if tag in {"td", "th"} and "".join(self.words).strip():
            self.words.append(" | ")
        self.path.append((tag, set((given.get("class") or "").split())))
        if self.changing() and self.path[-1][1] & CHANGING:
            self.words.append("…")

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if tag in BLOCKS | HEADINGS:
            self.flush(tag)
        while self.path and self.path.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = {tag for tag, _ in self.path}
        if not tags & {"style", "title"} and not self.changing():
            self.words.append(data)

    def changing(self):
        return any(classes & CHANGING for _, classes in self.path)

    def flush(self, tag=""):
        text, self.words = "".join(self.words), []
        if any(opened == "pre" for opened, _ in self.path):
            self.lines += [f"    {line}".rstrip() for line in text.rstrip("\n").split("\n")]
            return
        line = " ".join(text.split())
        if not line:
            return
        if tag in HEADINGS:
            self.lines += ["", f"{'#' * int(tag[1])} {line}"]
        else:
            self.lines.append(f"- {line}" if tag == "li" else line)


def as_text(page):
    """Give the text form of a report."""
    reader = Text()
    reader.feed(page)
    reader.close()
    reader.flush()
    return "\n".join(reader.lines).strip() + "\n"


def check_golden(name, text, request):
    """Compare a text with the one kept under `name`, or keep it when asked to."""
    path = FOLDER / f"{name}.txt"
    asked = request.config.getoption("--update-golden", default=False)
    if asked or os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no {path.name}; run with UPDATE_GOLDEN=1 and read the difference"
    assert text == path.read_text(encoding="utf-8")
