"""Messages that were put together in English, told in the language of whoever reads them.

A run's record must not depend on the language of the person who started it, and `synthetic`
speaks English only. What they say is found again among our own marked strings: the one whose fixed
words are all there, with whatever stands in the places of its values.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from sandbox.language import N_, language, translations

# What `synthetic` and the operating system say to people who use the sandbox.
OTHERS = (
    N_("cannot read {path}: {remedy}"),
    N_("cannot write {path}: {remedy}"),
    N_("cannot lock {path}: {remedy}"),
    N_("cannot sign {path}: {remedy}"),
    N_("cannot make the folder {path}: {remedy}"),
    N_("cannot copy the notebook to {path}: {remedy}"),
    N_("cannot close to others {path}: {remedy}"),
    N_("cannot freeze the submission in {path}: {remedy}"),
    N_("cannot stage the data in {path}: {remedy}"),
    N_(
        "{version} cannot be drawn again: it is a copy, or was built from other specs or by another "
        "version of this program; build it anew"
    ),
    N_("the disk is full; free some space and try again"),
    N_("the disk quota is used up; free some space and try again"),
    N_("the file system is read-only; choose another folder"),
    N_("no permission to write there; choose a folder that is yours"),
    N_("its folder is not there; make the folder first"),
    N_("a part of its path is a file, not a folder; choose another place"),
    N_("model ready in {n} s"),
    N_("{dataset}: already built ({version})"),
    N_("{dataset}: {rows} rows in {n} s ({version})"),
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("File name too long"),
    N_("Address already in use"),
    N_("a file has that name; choose a folder, or a name that is free"),
    N_("files may not grow so large here; raise the limit (ulimit -f) and try again"),
)
NUMBERS = {"n", "rows", "used", "limit"}  # names of values that are numbers for people
PLACE = re.compile(r"\{(\w+(?:!r)?)\}")
LETTER = re.compile("[A-Za-z]")
FEWEST = 6  # fixed letters that make a string recognisable
DEEPEST = 3  # messages within messages
LONGEST = 2000  # characters; nothing of ours is longer


def retold(message: str) -> str:
    """Tell a message in the language that is spoken here; one that is not ours stays as it is."""
    return message if language() == "en" or len(message) > LONGEST else _retold(message, language())


@lru_cache(maxsize=4096)
def _retold(message: str, spoken: str, levels: int = DEEPEST) -> str:
    for pattern, translated in _known(spoken) if levels else ():
        if found := pattern.fullmatch(message):
            values = {
                group: _value(group, value, spoken, levels)
                for group, value in found.groupdict().items()
            }
            # Values come as they were written, so a repr is not made once more.
            return PLACE.sub(lambda place: values[_group(place[1])], translated)  # noqa: B023
    return _parts(message, spoken, levels)


def _value(group: str, value: str, spoken: str, levels: int) -> str:
    if group in NUMBERS and spoken == "vi":
        return value.translate(str.maketrans(",.", ".,"))
    return _retold(value, spoken, levels - 1)


def _parts(message: str, spoken: str, levels: int) -> str:
    """Tell a problem and its remedy, which stand side by side; each may hold a semicolon."""
    for place in re.finditer("; ", message) if levels else ():
        problem = message[: place.start()]
        told = _retold(problem, spoken, levels - 1)
        if told != problem:
            return f"{told}; {_retold(message[place.end() :], spoken, levels - 1)}"
    return message


@cache
def _known(spoken: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Give the strings that can be recognised, those with the most fixed words first."""
    found = {
        message: n_letters
        for message in translations(spoken)
        if (n_letters := len(LETTER.findall(PLACE.sub("", message)))) >= FEWEST
        and "%(" not in message
    }
    return tuple(
        (_pattern(message), translations(spoken)[message])
        for message in sorted(found, key=lambda message: -found[message])
    )


def _pattern(message: str) -> re.Pattern[str]:
    """Recognise a string with any values in its places."""
    first, *rest = PLACE.split(message)
    pattern, groups = re.escape(first), set[str]()
    for place, words in zip(rest[::2], rest[1::2], strict=True):
        group = _group(place)
        pattern += rf"(?P={group})" if group in groups else rf"(?P<{group}>.+?)"
        pattern += re.escape(words)
        groups.add(group)
    return re.compile(pattern, re.DOTALL)


def _group(place: str) -> str:
    """Name a place of a string: a value and its repr are two."""
    return place.replace("!", "_")
