"""A table of a replica, put beside the published tables that it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
from scipy import sparse

from synthetic.evaluation.clusters import Cluster, cluster
from synthetic.evaluation.comparisons import (
    Comparison,
    check_cells,
    columns_of,
    comparisons,
    expected,
)
from synthetic.evaluation.counted import Counted
from synthetic.evaluation.measured import Distance
from synthetic.evaluation.quotas import check_quota, quota_of
from synthetic.evaluation.together import Chosen, choose, together
from synthetic.spec.margins import Cell, Margin
from synthetic.spec.models import Spec


class Beside:
    """A table, and all that it is held against.

    Parameters
    ----------
    connection : connection
        With a view of every table of its dataset.
    specs : mapping
        The spec of its dataset and those of the datasets that it uses.
    dataset, table : str
        The table.
    margins : mapping
        The margins of its dataset.
    recipe : mapping
        How the replica was built, as its manifest says.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        specs: Mapping[str, Spec],
        dataset: str,
        table: str,
        margins: Mapping[str, Margin],
        recipe: Mapping[str, Any],
    ) -> None:
        self.connection, self.spec, self.table = connection, specs[dataset], table
        self.scale = Fraction(str(recipe["scale"]))
        self.areas = None if recipe["area"] is None else {str(recipe["area"])}
        self.redrawn = recipe["margins"] == "sampled"
        self.entries = comparisons(
            self.spec.tables[table], margins, one_area=self.areas is not None
        )
        self.quotas = [
            quota_of(entry, self.scale, self.areas) for entry in self.entries if entry.quota
        ]
        self.counted = Counted(connection, self.spec, table, self.entries)
        self.cluster: Cluster | None = cluster(specs, dataset, table)

    def count(self, entry: Comparison) -> dict[Cell, int]:
        """The table's rows by the axes of a published table."""
        return self.counted.by(entry)

    def distance(
        self, entry: Comparison, counts: Mapping[Cell, int] | None = None
    ) -> Distance | None:
        """Hold the table against a published one; None where it has no row of it."""
        counts = self.count(entry) if counts is None else counts
        wanted = expected(entry, counts, self.areas)
        rows, total = sum(counts.values()), sum(wanted.values(), Fraction(0))
        check_cells(counts, wanted, entry.margin)
        if not rows or not total:
            return None
        published = {cell: float(value / total) for cell, value in wanted.items()}
        return Distance(
            entry,
            rows,
            published,
            {cell: counts.get(cell, 0) / rows for cell in published},
            self._is_met(entry, counts),
            self._raised(entry, wanted),
            self.redrawn,
            self._products(entry, published, rows),
            f"{self.spec.dataset}.{self.table}" if self.cluster is None else self.cluster.what,
        )

    def _is_met(self, entry: Comparison, counts: Mapping[Cell, int]) -> bool:
        """Whether this is a quota that is met to the last unit."""
        quota = quota_of(entry, self.scale, self.areas) if entry.quota else None
        return quota is not None and check_quota("", "", quota, counts, self.quotas).ok

    def _raised(self, entry: Comparison, wanted: Mapping[Cell, Fraction]) -> int:
        """Cells whose published number at this scale is below the rows that each keeps."""
        return sum(0 < value * self.scale < entry.floor for value in wanted.values())

    def _products(
        self, entry: Comparison, published: Mapping[Cell, float], rows: int
    ) -> sparse.csr_matrix:
        """Sums over clusters; every row is one where none is known."""
        if self._chosen is None:
            return sparse.csr_matrix(sparse.diags(np.array(list(published.values())) * rows))
        return together(
            self.connection, self.spec, self.table, entry.by, list(published), self._chosen
        )

    @cached_property
    def _chosen(self) -> Chosen | None:
        if self.cluster is None:
            return None
        columns = dict.fromkeys(column for entry in self.entries for column in columns_of(entry))
        return choose(self.connection, self.spec, self.table, columns, self.cluster)
