"""The world of a recipe: every table of some specs, ready to give any of its rows.

A table gives the frame of a shard (a range of groups or units) or of scattered rows. Another
table's row is found by computing it again, never by reading a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from synthetic.errors import SpecError
from synthetic.generation import models, poolfit
from synthetic.generation.columns import compile_column
from synthetic.generation.fitted import Fitted, compile_fitted
from synthetic.generation.frames import Source, Sources
from synthetic.generation.links import compile_link
from synthetic.generation.recent import Recent
from synthetic.generation.rowsets import (
    ChildTable,
    GroupTable,
    MatchingTable,
    MemberTable,
    Table,
    UnitTable,
)
from synthetic.generation.structures import CellRows, Pool, Recipe, Units
from synthetic.spec.check import check_specs
from synthetic.spec.digits import digits_of
from synthetic.spec.margins import Margin
from synthetic.spec.models import ColumnSpec, Spec, TableSpec

SHARD_GROUPS = 65_536  # groups or units in one shard
_SHARD_ROWS = 1_000_000  # children in one shard, about
_PROBES, _PROBED = 16, 64  # places, and groups at each, where the number of children is looked at


@dataclass(frozen=True)
class Shard:
    """Groups or units from `start` up to `end` of one table."""

    table: str  # dataset.table
    index: int
    start: int
    end: int


class World:
    """All tables of these specs (and of those they use) for one recipe."""

    def __init__(
        self,
        specs: Mapping[str, Spec],
        recipe: Recipe,
        model_folder: Path,
        margins: Mapping[str, Mapping[str, Margin]] | None = None,
        fitted: Mapping[str, Fitted] | None = None,
    ) -> None:
        self.specs, self.recipe, self.model_folder = specs, recipe, model_folder
        # Margins come with specs that were checked already.
        self.margins = check_specs(specs) if margins is None else margins
        self.fitted = fitted or {}  # dataset.table -> the model that its columns are drawn from
        self.pools: dict[tuple[str, str], Pool] = {}
        self.models: dict[str, str] = {}  # dataset -> hashes of its fits
        self.tables: dict[str, Table] = {}
        self.recent = Recent()
        self._ratios: dict[str, Fraction] = {}
        self._digits: dict[tuple[str, str], int | None] = {}
        for dataset, spec in specs.items():
            self._make_pools(dataset, spec, model_folder)
            for name, table in spec.tables.items():
                self.tables[f"{dataset}.{name}"] = self._table(dataset, name, table)

    def _make_pools(self, dataset: str, spec: Spec, folder: Path) -> None:
        digests = []
        for name, wanted in spec.pools.items():
            inputs = poolfit.inputs(wanted, self.margins[dataset])
            key = poolfit.key(wanted, inputs)
            fit = models.fitted(key, folder, partial(poolfit.fit, wanted, inputs))
            digests.append(models.digest(fit))
            self.pools[dataset, name] = Pool(f"{dataset}.{name}", fit, inputs, self.recipe)
        tables = (f"{dataset}.{name}" for name in spec.tables)
        digests += [self.fitted[table].digest for table in tables if table in self.fitted]
        self.models[dataset] = ":".join(digests)

    def _table(self, dataset: str, name: str, table: TableSpec) -> Table:
        rows = table.rows
        if rows.groups_of is not None:
            return GroupTable(self, dataset, name, self._pool(dataset, name, rows.groups_of))
        if rows.members_of is not None:
            return MemberTable(self, dataset, name, self._pool(dataset, name, rows.members_of))
        margins = self.margins[dataset]
        if rows.units is not None:
            units = Units(
                margins[rows.units.per],
                margins[rows.units.places],
                self.recipe,
                spread=margins.get(rows.units.spread or ""),
                floor=rows.units.floor,
                name=f"{dataset}.{name}",
            )
            return UnitTable(self, dataset, name, units)
        if rows.cells is not None:
            spread = margins.get(rows.cells.spread or "")
            scaled = rows.cells.scaled
            cells = CellRows(margins[rows.cells.of], self.recipe, spread=spread, scaled=scaled)
            return UnitTable(self, dataset, name, cells)
        if rows.children is not None:
            return ChildTable(self, dataset, name, rows.children)
        assert rows.matching is not None
        return MatchingTable(self, dataset, name, rows.matching)

    def _pool(self, dataset: str, table: str, name: str) -> Pool:
        if (dataset, name) not in self.pools:
            raise SpecError(f"{dataset}.toml: tables.{table}.rows: unknown pool {name!r}")
        return self.pools[dataset, name]

    def sources(self, dataset: str, name: str) -> Sources:
        """The functions that compute the columns of a table."""
        table = self.specs[dataset].tables[name]
        columns, model = table.columns, table.model

        def link(column: str, spec: ColumnSpec) -> Source:
            if spec.model is not None and model is not None:
                fitted = self.fitted[f"{dataset}.{name}"]
                return compile_fitted(fitted, model, self.recipe.seed, (dataset, name), spec.model)
            return compile_link(self, f"{dataset}.{name}", column, spec)

        made = {
            column: compile_column(
                (dataset, name, column), spec, self.recipe.seed, self.margins[dataset], link
            )
            for column, spec in columns.items()
        }
        return Sources(made, (column for column, spec in columns.items() if not spec.hidden))

    def digits(self, table: str, column: str) -> int | None:
        """How many digits the texts of a column have whose files hold numbers; else None."""
        if (table, column) not in self._digits:
            dataset, _, name = table.partition(".")
            self._digits[table, column] = digits_of(self.specs, dataset, name, column)
        return self._digits[table, column]

    def members(self, table: str, wanted_by: str) -> MemberTable:
        """The table of members that a link or a matching asks for."""
        found = self.tables.get(table)
        if not isinstance(found, MemberTable):
            raise SpecError(
                f"{wanted_by}: {table!r} must be an earlier table with rows = {{ members_of = … }}"
            )
        return found

    def no_link(self, column: str, spec: ColumnSpec) -> Source:
        """What draws a number of children can have no link."""
        raise SpecError(f"{column}: a count is no key")

    def rows_per_group(self, table: str) -> Fraction:
        """Rows below a group or unit, seen on a few places of the country; at least 1."""
        if table not in self._ratios:
            made, n = self.tables[table], self.tables[table].cells.n
            starts = np.arange(_PROBES) * n // _PROBES
            numbers = np.unique(np.minimum(starts[:, None] + np.arange(_PROBED), max(n - 1, 0)))
            rows = made.below(numbers)[0].n if n else 0
            self._ratios[table] = max(Fraction(rows, max(len(numbers), 1)), Fraction(1))
        return self._ratios[table]

    def rows(self) -> int:
        """About how many rows all tables of the recipe have."""
        total = Fraction(0)
        for name, table in self.tables.items():
            start, end = table.cells.range(self.recipe.area)
            total += (end - start) * self.rows_per_group(name)
        return int(total)

    def shards(self, table: str, groups_per_shard: int = SHARD_GROUPS) -> list[Shard]:
        """Cut the rows of the recipe's area into shards."""
        start, end = self.tables[table].cells.range(self.recipe.area)
        if isinstance(self.tables[table], ChildTable):
            # Children may be many; the country decides, so that an area's shards are its.
            while groups_per_shard > 1 and (
                groups_per_shard * self.rows_per_group(table) > _SHARD_ROWS
            ):
                groups_per_shard = -(-groups_per_shard // 2)
        # Cut at fixed marks of the country, so that an area's shards are the country's there.
        marks = range(start - start % groups_per_shard, max(end, start + 1), groups_per_shard)
        bounds = [(max(start, m), min(end, m + groups_per_shard)) for m in marks]
        return [Shard(table, i, a, b) for i, (a, b) in enumerate(bounds)]
