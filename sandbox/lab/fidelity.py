"""How far a column follows what is published, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.catalog.words import FIDELITY, said
from sandbox.lab.wording import number
from sandbox.language import _, either, language
from synthetic import statistics

SMALLEST = 0.0001  # shares below are told as being below


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """What stands beside a column: a badge, a figure, the table it was held against, a reason."""

    status: str
    badge: str
    figure: str  # nothing where it was not measured, or is not to be told
    against: str  # the published table's title
    table: str  # its name, where there is exactly one that is packaged
    because: str

    def lines(self) -> list[str]:
        """Write it line by line: badge, published table, figure, reason."""
        source = f"{_('Published table:')} {self.against}" if self.against else ""
        return [part for part in (self.badge, source, self.figure, self.because) if part]


def read(fidelity: Mapping[str, Any]) -> Fidelity:
    """Put a manifest's fidelity into words of the spoken language."""
    against = fidelity["against"] or ""
    return Fidelity(
        status=fidelity["status"],
        badge=either(said(fidelity["status"], FIDELITY)),
        figure=_figure(fidelity.get("distance"), fidelity.get("sampling")),
        against="; ".join(map(_title, against.split(", "))),  # one that was raked follows several
        table=against if against in statistics.names() else "",
        because=either(fidelity["because"]),
    )


def _title(name: str) -> str:
    """Give a published table's title, or the name as it is."""
    return either(vars(statistics.table(name).title)) if name in statistics.names() else name


def _figure(distance: float | None, sampling: float | None) -> str:
    if distance is None:
        return ""
    if sampling is None:
        return _("off by {distance} from the published table").format(distance=_share(distance))
    return _(
        "off by {distance} from the published table; sampling alone would give {sampling}"
    ).format(distance=_share(distance), sampling=_share(sampling))


def _share(share: float) -> str:
    """Write a share in percent to two places; nobody needs to know how small a tiny one is."""
    if 0 < share < SMALLEST:
        return _("less than {share}").format(share=_percent(SMALLEST))
    return _percent(round(share, 4))


def _percent(share: float) -> str:
    return f"{number(float(f'{share * 100:.3g}'), language=language())}%"
