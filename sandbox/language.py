"""Vietnamese and English: which one a person reads, and our own strings in it.

Strings are written in English in the code, marked with `_` (with `N_` where they are translated
only later), and translated through gettext; the Vietnamese lies in
`locale/vi/LC_MESSAGES/sandbox.po`. What data say of themselves (titles, descriptions) comes in
both languages and is picked with `either`.

After a string changed:
    uv run python -m tests.sandbox.strings
brings the Vietnamese up to date, names what is not translated yet, and compiles it; translate in
the .po and run it again.
"""

from __future__ import annotations

import gettext as gnu
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

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
            raise _unknown(asked)
        return asked
    # The first of these that is set decides, as POSIX has it.
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def use(language: str) -> None:
    """Speak this language in this process from now on."""
    if language not in LANGUAGES:
        raise _unknown(language)
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


def N_(message: str) -> str:
    """Mark a string that stands in a table and is translated where it is shown."""
    return message


@dataclass(frozen=True)
class Later:
    """A marked string with its values, put into words when somebody reads it."""

    message: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _(self.message).format(**self.values)


def ngettext(one: str, many: str, n: int) -> str:
    """Translate a string that goes with a count."""
    return _strings(language()).ngettext(one, many, n)


def either(texts: Mapping[str, str] | str | None) -> str:
    """Pick the text of this language from a pair, the other one where it is missing."""
    if texts is None or isinstance(texts, str):
        return texts or ""
    return texts.get(language()) or next(filter(None, texts.values()), "")


def _unknown(language: str) -> SettingsError:
    return SettingsError(
        _("language {language!r} is not known; choose vi or en").format(language=language)
    )


def meant(word: str, known: Iterable[str]) -> str | None:
    """Ask whether a known word was meant, if one is near."""
    close = get_close_matches(word, sorted(known), n=1)
    return _("did you mean {word!r}?").format(word=close[0]) if close else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or list them all."""
    choices = sorted(known)
    return meant(word, choices) or _("known: {words}").format(
        words=", ".join(choices[:20]) if choices else _("none")
    )


@cache
def translations(language: str) -> dict[str, str]:
    """Give every marked string with its translation into a language."""
    from babel.messages.mofile import read_mo  # only where an English message is to be retold

    file = Path(str(gnu.find(DOMAIN, FOLDER, [language])))
    with file.open("rb") as strings:
        return {str(one.id): str(one.string) for one in read_mo(strings) if _is_single(one.id)}


def _is_single(message: object) -> bool:
    return isinstance(message, str) and message != ""  # the empty one is the file's own header


@cache
def _strings(language: str) -> gnu.NullTranslations:
    return gnu.translation(DOMAIN, FOLDER, [language], fallback=language == "en")
