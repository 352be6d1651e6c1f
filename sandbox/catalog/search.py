"""Search the catalogue: by any words, with or without marks, in Vietnamese or in English.

Every word of a query must begin a word of what is found. What holds the query as it stands comes
before what holds its words apart; a name counts before a title, a title before a description, and
a description before the labels of codes and rows, unless the label is the query itself.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sandbox.catalog.folding import around, fold, marked, words
from sandbox.catalog.indexed import LABEL, NAME, PATH, TITLE, Entry, Text, entries
from sandbox.catalog.replicas import Replica
from sandbox.catalog.shown import shown
from sandbox.language import language
from sandbox.settings import Settings

KINDS = ("dataset", "table", "published", "column", "label")
WHERE = ("name", "title", "description", "label")

Stamp = tuple[tuple[str, int, str], ...]

_index: dict[Stamp, tuple[Entry, ...]] = {}  # of the one state of the replicas last looked at
_making = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing that was found."""

    kind: str  # "dataset", "table", "column", "published" or "label"
    name: str  # qualified, as in population.persons.age; of a label its own text
    title: Mapping[str, str]
    where: str  # "name", "title", "description" or "label": the last of those that were needed
    text: str  # what was found
    matched: Markup  # the same as HTML, with <mark> about what was sought
    places: Mapping[str, tuple[str, ...]]  # of a label: the columns it occurs in, with its codes
    is_built: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best hits of a search, and how many there were in all."""

    hits: tuple[Hit, ...]
    n_hits: int


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A query, read in three ways."""

    words: tuple[str, ...]  # folded, each once
    phrase: str  # folded, between blanks
    with_marks: str  # as it was written, but for capitals


def search(settings: Settings, query: str, *, limit: int = 50) -> Found:
    """Find what has all words of a query, the best first. A query without words finds nothing."""
    sought = words(query)
    if not sought:
        return Found(hits=(), n_hits=0)
    wanted = _Wanted(
        words=sought,
        phrase=f" {fold(query)} ",
        with_marks=unicodedata.normalize("NFC", query).strip().casefold(),
    )
    ranked = [
        (_rank(entry, needed, wanted), place, entry, needed)
        for place, entry in enumerate(index(settings))
        if (needed := _needed(entry, sought)) is not None
    ]
    ranked.sort(key=lambda one: one[:2])
    hits = tuple(_hit(entry, where, sought) for _r, _p, entry, where in ranked[: max(0, limit)])
    return Found(hits=hits, n_hits=len(ranked))


def index(settings: Settings) -> tuple[Entry, ...]:
    """Give the index of the replicas as they are now, made anew when one came or went."""
    newest: dict[str, Replica] = {}
    for replica in shown(settings):
        newest.setdefault(replica.dataset, replica)
    stamp = tuple((str(r.folder), r.published_at, r.manifest_sha256) for r in newest.values())
    with _making:
        if stamp not in _index:
            made = entries(newest.values())
            _index.clear()
            _index[stamp] = made
        return _index[stamp]


def _needed(entry: Entry, sought: Sequence[str]) -> int | None:
    """Tell how far down the texts one must read to meet every word; None if one is not there."""
    furthest: int | None = None
    for word in sought:
        start = f" {word}"
        where = next((text.where for text in entry.texts if start in text.folded), None)
        if where is None:
            return None
        if where != PATH:
            furthest = max(furthest or 0, where)
    return furthest


def _rank(entry: Entry, where: int, wanted: _Wanted) -> tuple[int, ...]:
    """Order hits: smaller is better."""
    texts = [text for text in entry.texts if text.where <= where or text.where == PATH]
    return (
        _likeness(texts, where, wanted.phrase),
        where,
        not any(wanted.with_marks in text.text.casefold() for text in texts),
        sum(not any(f" {word} " in text.folded for text in texts) for word in wanted.words),
        KINDS.index(entry.kind),
        -len(entry.places),  # what occurs in many columns first
        len(entry.name),
    )


def _likeness(texts: Sequence[Text], where: int, phrase: str) -> int:
    """Tell how like a query what was found is: the thing itself, about it, or its words only."""
    heads = [text.folded for text in texts if text.where in (NAME, TITLE, PATH)]
    if phrase in heads:
        return 0
    if any(phrase in head for head in heads):
        return 1
    if where == LABEL and any(text.folded == phrase for text in texts):
        return 2
    return 3 if any(phrase in text.folded for text in texts) else 4


def _hit(entry: Entry, where: int, sought: Sequence[str]) -> Hit:
    text = _shown(entry, where, sought)
    return Hit(
        kind=entry.kind,
        name=entry.name,
        title=entry.title,
        where=WHERE[where],
        text=text,
        matched=marked(text, sought),
        places=entry.places,
        is_built=entry.is_built,
    )


def _shown(entry: Entry, where: int, sought: Sequence[str]) -> str:
    """Choose the text that shows best what was found: with most of the words, in this language."""
    texts = [text for text in entry.texts if text.where == where]
    best = max(
        texts,
        key=lambda text: (
            sum(f" {word}" in text.folded for word in sought),
            text.language == language(),
        ),
    )
    if where == LABEL and best.text != entry.name and best.text not in entry.title.values():
        return f"{entry.name} ({best.text})"  # a code alone says nothing
    return around(best.text, sought)
