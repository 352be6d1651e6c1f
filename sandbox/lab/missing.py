"""Tell in a kernel why a column is missing: a run shows only the columns that are declared.

DuckDB raises the error from the notebook's own SQL, so the remedy is added where IPython shows it.
"""

from __future__ import annotations

import re
import sys
from types import TracebackType
from typing import Any

import duckdb

MISSING = re.compile(r'Referenced column "[^"]*" (not found|was not found)|not have a column named')
REMEDY = (
    "\nA run shows only the columns that its notebook declares: to read another one, declare it in "
    'metadata.sandbox.reads, as in {"population.persons": ["age"]}, and submit again.'
)


def explain_missing_columns() -> None:
    """Add the remedy to DuckDB's errors over missing columns, where IPython shows errors."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        shell.set_custom_exc((duckdb.BinderException,), _shown)


def _shown(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    explain(error)
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def explain(error: BaseException) -> None:
    """Add the remedy to an error over a missing column, once."""
    words = str(error)
    if MISSING.search(words) and REMEDY not in words:
        error.args = (words + REMEDY,)
