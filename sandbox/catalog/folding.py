"""Words without their marks, so that "da nang" and "Đà Nẵng" meet, and marked where they met."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

_PLAIN = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ı": "i"})  # not made of marks


def fold(text: str) -> str:
    """Write a text in small letters and digits, without marks, one blank between words.

    Whatever is neither a letter nor a digit parts words: `province_code` is two.
    """
    return " ".join(text.translate(_FOLDED).split())


def words(query: str) -> tuple[str, ...]:
    """Give the folded words of a query, each once."""
    return tuple(dict.fromkeys(fold(query).split()))


def marked(text: str, sought: Sequence[str]) -> Markup:
    """Give a text as HTML in which every word that begins with a sought one is in <mark>."""
    pieces: list[Markup] = []
    done = 0
    for begin, end in _hits(text, sought):
        start = max(begin, done)  # of ¼, the 1 and the 4 are the same character
        if end <= start:
            continue
        pieces += [escape(text[done:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        done = end
    return Markup("").join([*pieces, escape(text[done:])])


def around(text: str, sought: Sequence[str], width: int = 160) -> str:
    """Cut a long text to the piece about its first hit."""
    if len(text) <= width:
        return text
    first = next(_hits(text, sought), (0, 0))[0]
    start = text.rfind(" ", 0, max(0, first - width // 4)) + 1
    end = text.find(" ", start + width)
    end = len(text) if end < 0 else end
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


class _Folded(dict[int, str]):
    """Each character folded: to nothing for a mark, to a blank for what parts words."""

    def __missing__(self, code: int) -> str:
        # Twice: small letters can have marks that the capital had not.
        plain = _unmarked(_unmarked(chr(code)).casefold()).translate(_PLAIN)
        folded = "".join(letter if letter.isalnum() else " " for letter in plain)
        if len(self) < 10_000:
            self[code] = folded
        return folded


_FOLDED = _Folded()  # a page of Vietnamese has some 200


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))


def _hits(text: str, sought: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find the stretches of a text to be marked: the letters that were sought, with their marks.

    Where a sought word stands by itself, longer words that begin with it are left alone.
    """
    found = list(_words_at(text))
    whole = {word for word, _places in found} & set(sought)
    for word, places in found:
        begun = (one for one in sought if word.startswith(one) and one not in whole)
        length = len(word) if word in whole else max(map(len, begun), default=0)
        if length:
            end = places[length - 1] + 1
            while end < len(text) and _FOLDED[ord(text[end])] == "":  # a mark on the last letter
                end += 1
            yield places[0], end


def _words_at(text: str) -> Iterator[tuple[str, list[int]]]:
    """Give each folded word of a text with the place of each of its letters."""
    word, places = "", []
    for place, character in enumerate(f"{text} "):
        for letter in _FOLDED[ord(character)]:
            if letter != " ":
                word += letter
                places.append(place)
            elif word:
                yield word, places
                word, places = "", []
