"""A tile map of Viet Nam: one square per province, Hoàng Sa and Trường Sa with theirs.

No source of boundaries is at hand, so that none is drawn: a tile stands about where its province
lies. Hoàng Sa belongs to Đà Nẵng and Trường Sa to Khánh Hòa, and they bear their colours.
"""

from __future__ import annotations

from collections.abc import Mapping

from synthetic.fidelity.drawing import Svg
from synthetic.fidelity.numbers import Number

# province code -> (column, row)
PLACES = {
    "12": (1, 0), "15": (2, 0), "08": (3, 0), "04": (4, 0),
    "11": (0, 1), "14": (1, 1), "25": (2, 1), "19": (3, 1), "20": (4, 1),
    "01": (2, 2), "24": (3, 2), "31": (4, 2), "22": (5, 2),
    "37": (2, 3), "33": (3, 3),
    "38": (2, 4),
    "40": (2, 5),
    "42": (3, 6),
    "44": (3, 7),
    "46": (4, 8),
    "48": (5, 9),
    "51": (5, 10),
    "52": (5, 11),
    "66": (5, 12),
    "75": (3, 13), "68": (4, 13), "56": (5, 13),
    "80": (2, 14), "79": (3, 14),
    "91": (1, 15), "82": (2, 15), "86": (3, 15),
    "92": (1, 16), "96": (1, 17),
}  # fmt: skip
ISLANDS = {"Hoàng Sa": ("48", (7, 8)), "Trường Sa": ("56", (7, 14))}

_WIDE, _HIGH, _GAP = 68, 46, 4
_STEPS = (_WIDE + _GAP, _HIGH + _GAP)
_STRONGEST = 0.02  # a difference of 2 % or more has the full colour


def tile_map(
    published: Mapping[str, float],
    found: Mapping[str, float],
    names: Mapping[str, str],
    title: str,
    number: Number,
) -> str:
    """Each province's share in the replica as a multiple of the published one, less one."""
    across, down = _STEPS
    drawing = Svg(9 * across, 18 * down, title)
    for code, (column, row) in PLACES.items():
        off = _off(published, found, code)
        lines = _lines(names.get(code, code))
        _tile(drawing, (column * across, row * down), lines, _told(off, number), off)
    for name, (code, (column, row)) in ISLANDS.items():
        lines = [name, f"({names.get(code, code)})"]
        off = _off(published, found, code)
        _tile(drawing, (column * across, row * down), lines, "", off, kind="islands")
    return drawing.text()


def _off(published: Mapping[str, float], found: Mapping[str, float], code: str) -> float | None:
    if not published.get(code):
        return None
    return found.get(code, 0.0) / published[code] - 1


def _lines(name: str) -> list[str]:
    words = name.split(" ")
    return [name] if len(name) <= 10 else [" ".join(words[:-1]), words[-1]]


def _told(off: float | None, number: Number) -> str:
    if off is None:
        return "–"
    return number(0.0, 1) if abs(off) < 0.0005 else number(off * 100, 1, sign=True)


def _tile(
    drawing: Svg,
    at: tuple[int, int],
    lines: list[str],
    told: str,
    off: float | None,
    kind: str = "",
) -> None:
    x, y = at
    drawing.rect(x, y, _WIDE, _HIGH, f"{_class(off)} {kind}".strip(), _opacity(off))
    for i, line in enumerate(lines):
        drawing.label(x + _WIDE / 2, y + 13 + 12 * i, line, "name")
    drawing.label(x + _WIDE / 2, y + _HIGH - 6, told, "figure")


def _class(off: float | None) -> str:
    if off is None:
        return "tile none"
    return "tile more" if off > 0 else "tile less"


def _opacity(off: float | None) -> float:
    return 0.0 if off is None else min(abs(off) / _STRONGEST, 1.0)
