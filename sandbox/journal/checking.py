"""Is the log as it was written: no line edited, removed, moved, added or cut off?

What a check cannot know: whoever has the key can write another log, and whoever puts the whole
home back as it was on an earlier day puts back the log of that day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.journal import keys
from sandbox.journal.keys import Verifier
from sandbox.journal.line import HEALED, Line, Place
from sandbox.journal.reading import Log, read
from sandbox.language import N_, Later

NOT_SIGNED = N_("it is not signed with this installation's key")


@dataclass(frozen=True)
class Finding:
    """What is wrong, and in which line, counted from 1; None where it is no line's."""

    line: int | None
    message: Later
    is_fault: bool = True  # else it is told, and nothing is wrong


@dataclass(frozen=True)
class Checked:
    """The log after a check."""

    lines: tuple[Line, ...]  # those that are right, in order
    findings: tuple[Finding, ...]


def check(home: Path) -> Checked:
    """Look at every line, its place in the chain, its signature, and the signed head."""
    found = read(home)
    signer = keys.existing(home)
    if not found.texts and not found.rest and found.head is None:
        return Checked((), ())
    if signer is None:
        message = Later(N_("there is a log, but no key that signed it"))
        return Checked((), (Finding(None, message),))
    good: list[Line] = []
    findings = [
        *_chain(found.texts, signer.verifier, good),
        *_end(found, signer.verifier, good[-1].place if good else Place()),
    ]
    return Checked(tuple(good), tuple(findings))


def _chain(texts: tuple[bytes, ...], verifier: Verifier, good: list[Line]) -> Iterator[Finding]:
    """Follow the chain; the lines that are right are put into `good`."""
    place = Place()
    torn: list[tuple[int, bytes]] = []
    for number, text in enumerate(texts, start=1):
        line = Line.read(text)
        if line is None:
            torn.append((number, text))
            continue
        wrong = _wrong(line, verifier)
        if wrong is not None:
            yield Finding(number, wrong)
        elif line.place.seq <= place.seq:
            words = N_("it says that it is line {seq}, after line {last}: repeated or moved")
            yield Finding(number, Later(words, {"seq": line.place.seq, "last": place.seq}))
        else:
            yield from _gap(number, line, place)
            yield from _healed(torn, line)
            torn = [one for one in torn if not _tells_of(line, one[1])]
            good.append(line)
            place = line.place
    for number, _text in torn:
        yield Finding(number, Later(N_("it is no line of the log: damaged, or edited")))


def _wrong(line: Line, verifier: Verifier) -> Later | None:
    if not line.has_its_hash:
        return Later(N_("it was edited: its hash is not that of what it says"))
    if not line.is_signed_by(verifier):
        return Later(NOT_SIGNED)
    return None


def _gap(number: int, line: Line, place: Place) -> Iterator[Finding]:
    missing = line.place.seq - place.seq - 1
    if missing:
        words = N_("lines that are missing, or not right, between line {last} and this one: {n}")
        yield Finding(number, Later(words, {"n": missing, "last": place.seq}))
    elif line.facts["before"] != place.hash:
        words = N_("it does not follow the line before it: one of the two is of another log")
        yield Finding(number, Later(words))


def _healed(torn: list[tuple[int, bytes]], line: Line) -> Iterator[Finding]:
    for number, text in torn:
        if _tells_of(line, text):
            words = N_("torn after {n} bytes, as by a process that died; line {seq} tells of it")
            told = Later(words, {"n": len(text), "seq": line.place.seq})
            yield Finding(number, told, is_fault=False)


def _tells_of(line: Line, text: bytes) -> bool:
    digest = hashlib.sha256(text).hexdigest()
    return line.facts["event"] == HEALED and line.facts.get("torn_sha256") == digest


def _end(found: Log, verifier: Verifier, last: Place) -> Iterator[Finding]:
    """Compare the end of the log with its signed head."""
    if found.rest:
        words = N_(
            "the last line is torn, as by a process that died; the next line will tell of it"
        )
        yield Finding(len(found.texts) + 1, Later(words), is_fault=False)
    if found.head is None:
        yield Finding(None, Later(N_("the log's signed head is gone")))
        return
    head = Place.read(found.head, verifier)
    if head is None:
        yield Finding(None, Later(N_("the log's head is not as it was signed")))
    elif head.seq > last.seq:
        words = N_("the log ends at line {last}, but line {seq} was signed as its head: cut off")
        yield Finding(None, Later(words, {"last": last.seq, "seq": head.seq}))
    elif head.seq == last.seq and head.hash != last.hash:
        words = N_("line {seq} is not the one that was signed as the log's head")
        yield Finding(None, Later(words, {"seq": head.seq}))
