"""The whole assessment of a synthetic table: fidelity, utility and privacy."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from synthetic.assess.associations import Associations, associations
from synthetic.assess.closeness import Closeness, closeness
from synthetic.assess.conclusions import Conclusions, conclusions
from synthetic.assess.independence import Independence, independence
from synthetic.assess.notes import Note, notes
from synthetic.assess.privacy import Privacy, measure
from synthetic.assess.tables import Tables
from synthetic.assess.utility import Utility, utility
from synthetic.assess.yardsticks import compared

WIDTHS = (1, 2, 3)
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment:
    """All figures; what the tables cannot tell is None."""

    tables: Tables
    seed: int
    notes: tuple[Note, ...]
    marginals: tuple[Closeness, ...]
    associations: Associations | None
    independence: Independence | None
    utility: Utility | None
    conclusions: Conclusions | None
    privacy: Privacy


def assess(tables: Tables, *, targets: Sequence[str] = (), seed: int = 1) -> Assessment:
    """Measure everything; the same tables and seed give the same figures.

    Raises
    ------
    AssessError
        If a target is no column, or cannot be predicted.
    """
    started = time.monotonic()

    def told(what: str) -> None:
        log.info("%s after %.1f s", what, time.monotonic() - started)

    useful = utility(tables, targets, seed)  # first: a wrong target is told without waiting
    told("utility")
    beside = compared(tables, seed)
    near = [closeness(beside, width, seed) for width in WIDTHS]
    together = associations(beside, seed)
    given = independence(tables.train, tables.synthetic, seed)
    told("fidelity")
    concluded = conclusions(beside, seed)
    told("conclusions")
    private = measure(tables, seed=seed)
    told("privacy")
    return Assessment(
        tables=tables,
        seed=seed,
        notes=notes(tables),
        marginals=tuple(one for one in near if one is not None),
        associations=together,
        independence=given,
        utility=useful,
        conclusions=concluded,
        privacy=private,
    )
