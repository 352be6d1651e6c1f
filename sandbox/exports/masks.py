"""The machine's own folders, taken out of what leaves it.

A traceback names the folder that a package was installed in, and with it, as a rule, a person.
"""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path

import sandbox
from sandbox.settings import Settings

PUBLIC = {Path("/"), Path("/usr"), Path("/usr/local"), Path("/opt")}  # the same on every machine


class Masks:
    """Puts a word in the place of each folder that only this machine has."""

    def __init__(self, settings: Settings) -> None:
        self._words: dict[bytes, bytes] = {}
        for path, word in _folders(settings):
            for name in {path, path.resolve()} - PUBLIC:
                for form in _forms(str(name)):
                    self._words.setdefault(form, f"[{word}]".encode())
        longest = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile(b"(?:" + b"|".join(map(re.escape, longest)) + rb")(?!\w)")

    def __call__(self, data: bytes) -> bytes:
        """Give these bytes without the machine's folders."""
        return self._pattern.sub(lambda found: self._words[found[0]], data)


def _folders(settings: Settings) -> list[tuple[Path, str]]:
    return [
        (settings.home, "sandbox home"),
        (Path(sys.prefix), "environment"),
        (Path(sys.base_prefix), "python"),
        (Path(sandbox.__path__[0]).parent, "program"),
        (Path.home(), "user home"),
    ]


def _forms(path: str) -> set[bytes]:
    """Write a path in every way in which our files have it: as it is, in JSON, in HTML."""
    texts = {path, html.escape(path), json.dumps(path)[1:-1], json.dumps(html.escape(path))[1:-1]}
    return {text.encode("utf-8", "backslashreplace") for text in texts}
