"""How far a column follows what is published, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.catalog import PUBLISHED
from sandbox.language import _, either
from sandbox.look.formats import percent
from sandbox.pages.catalogue.links import address
from synthetic import statistics

SMALLEST = 0.0001  # shares below are told as being below


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """What stands beside a column: a badge, a figure, the table it was held against, a reason."""

    status: str
    figure: str
    against: str  # the published table's title
    against_address: str  # empty where there is no such page
    because: str


def read(fidelity: Mapping[str, Any]) -> Fidelity:
    """Put a manifest's fidelity into words of the spoken language."""
    against = fidelity["against"] or ""
    is_known = against in statistics.names()
    title = "; ".join(map(_title, against.split(", ")))  # one that was raked follows several
    return Fidelity(
        status=fidelity["status"],
        figure=_figure(fidelity["distance"], fidelity["sampling"]),
        against=title,
        against_address=address(f"{PUBLISHED}.{against}") if is_known else "",
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
        return _("less than {share}").format(share=percent(SMALLEST))
    return percent(round(share, 4))
