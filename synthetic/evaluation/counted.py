"""The rows of a table counted by the axes of published tables, in few looks at the table.

Tables that are cut by province, by sex, by age are counted from one table of all their columns
together, as long as that one stays small.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import duckdb

from synthetic.evaluation.comparisons import Comparison, columns_of
from synthetic.evaluation.sql import render_over, view
from synthetic.spec.margins import Cell
from synthetic.spec.models import Spec
from synthetic.tables.forms import quote

_MOST = 16_384  # combinations of the columns that are counted together
_ROWS = quote("number of rows")
_NUMBERS = itertools.count()  # one connection may serve several of these

Columns = frozenset[str]


class Counted:
    """A table's rows by the axes of each of the published tables that it is held against."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        spec: Spec,
        table: str,
        entries: Sequence[Comparison],
    ) -> None:
        self.connection, self.spec, self.table, self.entries = connection, spec, table, entries
        self._made: dict[Columns, str] = {}

    def by(self, entry: Comparison) -> dict[Cell, int]:
        """The rows by the axes of a published table; a missing value is in no category."""
        columns = self.spec.tables[self.table].columns
        axes = [
            render_over(expression, columns, self.spec.as_of) + f" AS a{i}"
            for i, expression in enumerate(entry.by.values())
        ]
        there = " AND ".join(f"a{i} IS NOT NULL" for i in range(len(axes)))
        rows = self.connection.execute(
            f"SELECT * EXCLUDE ({_ROWS}), sum({_ROWS}) FROM (SELECT {', '.join(axes)}, {_ROWS} "
            f"FROM {self._source(frozenset(columns_of(entry)))}) WHERE {there} GROUP BY ALL"
        ).fetchall()
        return {tuple(str(value) for value in row[:-1]): int(row[-1]) for row in rows}

    def _source(self, columns: Columns) -> str:
        """What to count from: columns and a number of rows."""
        whole = view(self.spec.dataset, self.table)
        together = next((held for held in self._together if columns <= held), None)
        if together is None:
            return f"(SELECT *, 1 AS {_ROWS} FROM {whole})"
        if together not in self._made:
            name = quote(f"{self.table} counted {next(_NUMBERS)}")
            listed = ", ".join(map(quote, sorted(together)))
            self.connection.execute(
                f"CREATE TEMP TABLE {name} AS "
                f"SELECT {listed}, count(*) AS {_ROWS} FROM {whole} GROUP BY ALL"
            )
            self._made[together] = name
        return self._made[together]

    @cached_property
    def _together(self) -> list[Columns]:
        """Sets of columns that few combinations of values occur of."""
        found: list[Columns] = []
        for columns in sorted(
            {frozenset(columns_of(entry)) for entry in self.entries},
            key=lambda c: (-len(c), *sorted(c)),
        ):
            held = next((one for one in found if self._n(one | columns) <= _MOST), None)
            if held is not None:
                found[found.index(held)] = held | columns
            elif self._n(columns) <= _MOST:
                found.append(columns)
        return found

    def _n(self, columns: Columns) -> float:
        return math.prod(self._values.get(column, math.inf) for column in columns)

    @cached_property
    def _values(self) -> Mapping[str, float]:
        """How many values a column has, at most, where that is easily known."""
        found: dict[str, float] = {}
        for entry in self.entries:
            for axis, expression in entry.by.items():
                if expression in self.spec.tables[self.table].columns:
                    at = entry.margin.axes.index(axis)
                    found[expression] = len({cell[at] for cell in entry.margin.cells})
        for name in {name for entry in self.entries for name in columns_of(entry)} - set(found):
            if self.spec.tables[self.table].columns[name].type == "integer":
                found[name] = self._span(name)
        return found

    def _span(self, column: str) -> float:
        ((span,),) = self.connection.execute(
            f"SELECT max({quote(column)}) - min({quote(column)}) + 1 "
            f"FROM {view(self.spec.dataset, self.table)}"
        ).fetchall()
        return float(span or 1)
