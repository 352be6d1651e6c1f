"""Text that shows all of itself: no colour codes, no hidden or reordering characters.

A name may carry a character that turns the reading order round or that nobody sees. Here such
characters become their code in brackets, so that a reader sees that they were there.
"""

from __future__ import annotations

import re

# Terminal sequences: CSI (colours, cursor), OSC (titles, links), and the two-letter ones.
TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x1b"
)
# Controls, bidirectional marks, zero-width characters, tags, lone surrogates. Joiners (U+200C,
# U+200D) stay: scripts and emoji need them, and they move nothing.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# Vietnamese puts at most two marks on a letter; a tower of them would cover the lines around it.
MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
TOWER = re.compile(f"({MARKS}{{4}}){MARKS}+")


def visible(text: str) -> str:
    """Replace each hidden or reordering character by its code, as in [U+202E]."""
    shown = HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return TOWER.sub(r"\1", shown)


def plain(text: str) -> str:
    """Take terminal colours away and make what is hidden visible."""
    return visible(TERMINAL.sub("", text))


def printed(text: str) -> str:
    """Give what a terminal would show in the end: a carriage return overwrites its line."""
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return plain("\n".join(lines))


def names(text: str) -> frozenset[str]:
    """Give the names that a text lists, separated by spaces."""
    return frozenset(text.split())
