"""Bars and pyramids: the replica's shares beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthetic.fidelity.drawing import Svg
from synthetic.fidelity.numbers import Number

MOST = 20  # bars of one drawing
_ROW = 26
_LEFT, _WIDTH, _RIGHT = 190, 330, 130


def bars(
    published: Mapping[str, float],
    found: Mapping[str, float],
    names: Mapping[str, str],
    title: str,
    number: Number,
    *,
    ordered: bool,
) -> str:
    """Two bars for each category, the largest first unless the categories have an order."""
    shown = list(published)
    if not ordered:
        shown.sort(key=lambda category: -published[category])
    shown = shown[:MOST] if not ordered else shown
    largest = max((max(published[c], found.get(c, 0.0)) for c in shown), default=0.0) or 1.0
    drawing = Svg(_LEFT + _WIDTH + _RIGHT, _ROW * len(shown) + 4, title)
    for i, category in enumerate(shown):
        y = i * _ROW + 4
        name = names.get(category, category)
        drawing.label(_LEFT - 8, y + 15, _short(name, 26), "name", "end")
        for j, (share, kind) in enumerate(
            ((published[category], "published"), (found.get(category, 0.0), "replica"))
        ):
            drawing.rect(_LEFT, y + j * 10, _WIDTH * share / largest, 9, kind)
        shares = (published[category] * 100, found.get(category, 0.0) * 100)
        told = " · ".join(number(share, 2) for share in shares) + " %"
        drawing.label(_LEFT + _WIDTH + 8, y + 15, told, "figure", "start")
    return drawing.text()


def pyramid(
    published: Mapping[tuple[str, str], float],
    found: Mapping[tuple[str, str], float],
    sides: Sequence[tuple[str, str]],
    title: str,
) -> str:
    """A population pyramid over (side, age); `sides` gives the codes and names of the two."""
    ages = list(dict.fromkeys(age for _, age in published))
    largest = max(*published.values(), *found.values())
    row, half, middle = 16, 230, 60
    drawing = Svg(2 * half + middle, row * len(ages) + 22, title)
    for side, (code, name) in enumerate(sides):
        drawing.label(half / 2 if side == 0 else half * 1.5 + middle, 13, name, "name")
        for i, age in enumerate(ages):
            y = 22 + (len(ages) - 1 - i) * row
            for shares, kind, height, at in (
                (published, "published", 12, 0),
                (found, "replica", 5, 3.5),
            ):
                width = (half - 10) * shares.get((code, age), 0.0) / largest
                x = half - width if side == 0 else half + middle
                drawing.rect(x, y + at, width, height, kind)
    for i, age in enumerate(ages):
        y = 22 + (len(ages) - 1 - i) * row
        drawing.label(half + middle / 2, y + 10, age, "figure")
    return drawing.text()


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
