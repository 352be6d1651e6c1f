"""Vietnamese and English: which one a person reads, and our own strings in it.

Strings are written in English in the code, marked with `_`, and translated through gettext; the
Vietnamese lies in `locale/vi/LC_MESSAGES/sandbox.po`. What data say of themselves (titles,
descriptions) comes in both languages and is picked with `either`.

After a string changed:
    uv run pybabel extract -F pyproject.toml -o /tmp/sandbox.pot --no-location --no-wrap .
    uv run pybabel update -i /tmp/sandbox.pot -d sandbox/locale -D sandbox -l vi --no-wrap \
        --no-fuzzy-matching --ignore-obsolete --omit-header
    uv run pybabel compile -d sandbox/locale -D sandbox -l vi
"""

from __future__ import annotations

import gettext as gnu
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from sandbox.errors import SettingsError

LANGUAGES = ("vi", "en")
DOMAIN = "sandbox"
FOLDER = Path(__file__).resolve().parent / "locale"
VARIABLE = "SANDBOX_LANG"

_usual = ["en"]  # the language of this process
_here: ContextVar[str | None] = ContextVar("language", default=None)  # of this request


def choose(given: str | None, environ: Mapping[str, str]) -> str:
    """Choose the language: what is given, else SANDBOX_LANG, else the locale, else English."""
    asked = given or environ.get(VARIABLE)
    if asked:
        if asked not in LANGUAGES:
            raise SettingsError(f"language {asked!r} is not known; choose vi or en")
        return asked
    # The first of these that is set decides, as POSIX has it.
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def use(language: str) -> None:
    """Speak this language in this process from now on."""
    if language not in LANGUAGES:
        raise SettingsError(f"language {language!r} is not known; choose vi or en")
    _usual[0] = language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language in this context only, such as one request."""
    token = _here.set(language)
    try:
        yield
    finally:
        _here.reset(token)


def language() -> str:
    """Give the language that is spoken here."""
    return _here.get() or _usual[0]


def _(message: str) -> str:
    """Translate a string; put values in afterwards, with `.format(...)`."""
    return _strings(language()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """Translate a string that goes with a count."""
    return _strings(language()).ngettext(one, many, n)


def either(texts: Mapping[str, str] | str | None) -> str:
    """Pick the text of this language from a pair, the other one where it is missing."""
    if texts is None or isinstance(texts, str):
        return texts or ""
    return texts.get(language()) or next(filter(None, texts.values()), "")


@cache
def _strings(language: str) -> gnu.NullTranslations:
    return gnu.translation(DOMAIN, FOLDER, [language], fallback=language == "en")
