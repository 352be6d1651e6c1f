"""Texts that others wrote, made fit to be kept and printed.

A terminal takes some characters for orders (clear the screen, change the title, turn the reading
order round), and half of a pair of surrogates cannot be written at all.
"""

from __future__ import annotations

import re

UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SIGN = "\N{REPLACEMENT CHARACTER}"


def fit(text: str, *, longest: int) -> str:
    """Give the text up to a length, with a sign in place of each character that is unfit."""
    return UNFIT.sub(SIGN, text[:longest])
