"""Tell in a kernel why a column is missing: a run shows only the columns that are declared.

DuckDB raises the error from the notebook's own SQL, so the remedy is added where IPython shows it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import duckdb

from sandbox.lab.spoken import CATALOG, is_run
from sandbox.language import _

MISSING = re.compile(r'Referenced column "[^"]*" (not found|was not found)|not have a column named')
REMEDY = (
    "\nA run shows only the columns that its notebook declares: to read another one, declare it in "
    'metadata.sandbox.reads, as in {"population.persons": ["age"]}, and submit again.'
)


def of_a_column(environ: Mapping[str, str]) -> str:
    """Say what would show a column that may be there and yet is not shown."""
    example = '{"population.persons": ["age"]}'
    if is_run(environ):
        return _(
            "A run shows only the columns that its notebook declares: to read another one, declare "
            "it in metadata.sandbox.reads, as in {example}, and submit again."
        ).format(example=example)
    if environ.get(CATALOG):
        return _(
            "A notebook that declares what it reads is shown those columns only: to read another "
            "one, add it to metadata.sandbox.reads, save, and restart the kernel."
        )
    return ""


def of_a_table(environ: Mapping[str, str]) -> str:
    """Say what would show a table that may be there and yet is not shown."""
    if is_run(environ):
        return _(
            'To read a table in a run, name it under "reads" in the notebook\'s metadata '
            '("sandbox") and submit again.'
        )
    listed = _("lab.tables() shows every table that can be read here.")
    if not environ.get(CATALOG):
        return listed
    return f"{listed} " + _(
        "A notebook that declares what it reads is shown those only: to read another one, add it "
        "to metadata.sandbox.reads, save, and restart the kernel."
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
