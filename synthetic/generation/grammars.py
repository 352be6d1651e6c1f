"""Columns of texts: one of a list, or a grammar whose slots are filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import pyarrow as pa

from synthetic.generation.draws import Stream, below
from synthetic.generation.frames import Frame, Source
from synthetic.generation.settings import Setting, entries_of, row_words
from synthetic.generation.texts import concat
from synthetic.generation.values import Domain, Values
from synthetic.spec.models import SLOT, Grammar, by_code
from synthetic.tables import arrow


def chosen(
    setting: Setting, texts: Mapping[str, tuple[str, ...]], draws: Stream, what: str
) -> Source:
    """One of the texts of a row's code, each as often as another."""
    domain = Domain(dict.fromkeys(text for listed in texts.values() for text in listed))
    place = {text: i for i, text in enumerate(domain)}
    size = np.array([len(listed) for listed in texts.values()], dtype=np.int64)
    first = np.cumsum(size) - size
    held = np.array([place[text] for listed in texts.values() for text in listed], dtype=np.int64)

    def compute(frame: Frame) -> Values:
        entry = entries_of(setting, frame, setting.given, tuple(texts), what)
        word = row_words(setting, frame, draws)
        if entry is None:
            return Values(held.take(below(word, size[0])), domain)
        return Values(held.take(first.take(entry) + below(word, size.take(entry))), domain)

    return compute


def written(setting: Setting, grammar: Grammar) -> Source:
    """Texts whose slots are filled: few enough texts are positions in a domain."""
    choose = chosen(setting, by_code(grammar.text), setting.apart("text"), "grammar.text")
    filled = {
        slot: chosen(setting, by_code(held), setting.apart("slot", slot), f"vocabularies.{slot}")
        for slot, held in grammar.vocabularies.items()
    }

    def compute(frame: Frame) -> Values:
        chosen = choose(frame)
        assert chosen.domain is not None
        done = {slot: fill(frame) for slot, fill in filled.items()}
        done |= {slot: frame.column(slot) for slot in grammar.slots() - set(filled)}
        if len(chosen.domain) == 1 or not frame.n:
            return _composed(chosen.domain[0], done, frame.n)
        rows = [np.flatnonzero(chosen.ints == i) for i in range(len(chosen.domain))]
        texts = [
            _composed(text, {slot: done[slot].take(at) for slot in _slots(text)}, len(at))
            for text, at in zip(chosen.domain, rows, strict=True)
            if len(at)
        ]
        order = np.empty(frame.n, dtype=np.int64)
        order[np.concatenate(rows)] = np.arange(frame.n)
        joined = pa.concat_arrays([text.strings() for text in texts])
        return Values(text=joined.take(arrow.numbers(order)))

    return compute


def _composed(text: str, slots: Mapping[str, Values], n: int) -> Values:
    held = [
        slots[part[1:-1]]
        if SLOT.fullmatch(part)
        else Values(np.zeros(n, np.int64), Domain((part,)))
        for part in _parts(text)
    ]
    return concat(*held)


@cache
def _parts(text: str) -> tuple[str, ...]:
    """A text cut at its slots."""
    return tuple(part for part in re.split(r"(\{\w+\})", text) if part)


@cache
def _slots(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part[1:-1] for part in _parts(text) if SLOT.fullmatch(part)))
