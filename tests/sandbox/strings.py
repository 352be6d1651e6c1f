"""Gather the marked strings and compile their translations.

    uv run python -m tests.sandbox.strings

brings `sandbox.po` up to date (new strings are empty there, unused ones go) and writes `sandbox.mo`.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "sandbox/locale/vi/LC_MESSAGES/sandbox.po"
MO = PO.with_suffix(".mo")
HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: vi\\n"\n'
    '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
MADE = datetime(2026, 1, 1, tzinfo=UTC)  # no date of the day, so that the same strings give no diff


def extracted():
    """Find every marked string, as the mappings in pyproject.toml say."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["babel"]
    methods = [(one["pattern"], one["method"]) for one in settings["mappings"]]
    found = Catalog(locale="vi", creation_date=MADE, revision_date=MADE, fuzzy=False)
    for _path, _line, message, _comments, _context in extract_from_dir(ROOT, methods):
        found.add(message)
    return found


def translated():
    """Read the translations as they are committed."""
    with PO.open("rb") as file:
        return read_po(file, locale="vi")


def merged():
    """Give every marked string the translation that it has."""
    found, known = extracted(), translated()
    for message in found:
        if message.id and message.id in known:
            message.string = known[message.id].string
    return found


def filled(message):
    """Whether a message, or each form of it, is translated."""
    forms = message.string if isinstance(message.string, list | tuple) else [message.string]
    return bool(forms) and all(forms)


def compiled(catalog):
    """Give the bytes that gettext reads."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main():
    """Write both files; say what still waits for a translation."""
    catalog = merged()
    text = BytesIO()
    write_po(text, catalog, no_location=True, omit_header=True, width=0)
    PO.write_bytes(HEADER.encode() + text.getvalue())
    MO.write_bytes(compiled(catalog))
    waiting = [one.id for one in catalog if one.id and not filled(one)]
    sys.stdout.write("".join(f"not translated: {one!r}\n" for one in waiting))
    sys.stdout.write(f"{len(catalog)} strings, {len(waiting)} not translated\n")


if __name__ == "__main__":
    main()
