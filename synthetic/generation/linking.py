"""What a link's choice may look at: its tables, its stream of words, its areas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic.errors import BuildError, SpecError
from synthetic.generation.draws import Stream
from synthetic.generation.frames import Frame
from synthetic.generation.rowsets import Table
from synthetic.generation.values import Ints, places
from synthetic.spec.expressions import Node, parse
from synthetic.spec.models import Link

if TYPE_CHECKING:
    from synthetic.generation.world import World

Choose = Callable[[Frame, Ints], Ints]  # a key for each of these rows, -1 for none


@dataclass(frozen=True, eq=False)
class Setting:
    """What a link's choice may look at."""

    world: World
    table: str  # dataset.table of the rows
    column: str
    link: Link
    draws: Stream
    target: str  # dataset.table that the link leads to

    @property
    def where(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def rows(self) -> Table:
        return self.world.tables[self.table]

    @property
    def others(self) -> Table:
        if self.target not in self.world.tables:
            raise SpecError(f"{self.where}: {self.target!r} must be an earlier table")
        return self.world.tables[self.target]

    @property
    def condition(self) -> Node | None:
        return None if self.link.where is None else parse(self.link.where)


def areas_of(setting: Setting, frame: Frame, rows: Ints) -> Ints:
    """Where each row chooses: a position among the areas of the others, -1 for the country."""
    areas = setting.others.cells.areas
    if setting.link.area is not None:
        values = frame.evaluate(parse(setting.link.area)).take(rows).coded()
    elif setting.rows.cells.areas:
        values = frame.field("area").take(rows)
    else:
        return np.full(len(rows), -1, dtype=np.int64)
    found = places(values, areas)
    if len(found) and found.min() < 0 and not setting.link.elsewhere:
        assert values.domain is not None
        code = values.domain[int(values.ints[int(np.argmin(found))])]
        raise BuildError(
            f"{setting.where}: {setting.target} has no area {code!r}; its areas are "
            f"{', '.join(areas)}"
        )
    return found
