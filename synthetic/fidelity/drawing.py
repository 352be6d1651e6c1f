"""SVG by hand: a few shapes with classes, coloured by the page's style sheet."""

from __future__ import annotations

from html import escape


class Svg:
    """A drawing of a given size, with a title for those who cannot see it."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._parts = [
            f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
            f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        ]

    def rect(
        self, x: float, y: float, width: float, height: float, kind: str, opacity: float = 1.0
    ) -> None:
        """A rectangle; an opacity below one lets the page's ground through."""
        if opacity < 1.0:
            self._parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                'rx="2" class="ground"/>'
            )
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" '
            f'rx="2" class="{kind}" fill-opacity="{opacity:.2f}"/>'
        )

    def label(self, x: float, y: float, text: str, kind: str, anchor: str = "middle") -> None:
        """A line of text."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def text(self) -> str:
        """The drawing as markup."""
        return "".join(self._parts) + "</svg>"
