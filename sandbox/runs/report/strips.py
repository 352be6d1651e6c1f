"""A strip with a dot for the value on each draw, drawn as a small SVG without scripts or words.

Made of numbers alone, so it may stand in the page itself; what it shows stands beside it as text.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 180, 22, 8  # in pixels
MIDDLE = HEIGHT / 2


def strip(
    values: Sequence[float], submitted: float, interval: Sequence[float] | None = None
) -> Markup:
    """Draw the values on the draws as dots, the interval as a bar, the submitted one as a line."""
    known = [*values, submitted, *(interval or ())]
    low = min(known) / 2  # halved: the two ends of all numbers are further apart than any
    width = max(known) / 2 - low

    def at(value: float) -> float:
        share = (value / 2 - low) / width if width else 0.5
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)

    drawn = [f'<path class="axis" d="M0 {MIDDLE}H{WIDTH}"/>']
    if interval:
        drawn.append(f'<path class="interval" d="M{at(interval[0])} {MIDDLE}H{at(interval[1])}"/>')
    drawn += [f'<circle class="draw" cx="{at(value)}" cy="{MIDDLE}" r="3.5"/>' for value in values]
    drawn.append(f'<path class="submitted" d="M{at(submitted)} 2V{HEIGHT - 2}"/>')
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Markup(f'<svg class="strip" {size} aria-hidden="true">{"".join(drawn)}</svg>')
