"""What `%load_ext sandbox.lab` brings into IPython: `%%sql`, and completion for it.

Kernels of ours load it at their start, so everything that takes time is imported at the first use.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

Context = Any  # IPython's CompletionContext; the API of matchers is provisional there
OF_SQL = "sandbox.sql"


def load(shell: Any) -> None:
    """Bring `%%sql` and its completion into a shell."""

    def sql(line: str, cell: str | None = None) -> object:
        """SQL over the sandbox's data: a page of rows, or a frame.

        %%sql                       the rows of the cell's SQL, the first 20 of them
        %%sql --page 2 --rows 50    other rows of it
        %%sql name <<               keep all rows as a pandas frame under this name
        %sql SELECT 1               the same in one line

        `$name` in the SQL is the value of the notebook's variable; a frame of the notebook is
        read by its name, as a table. Of several statements (`;`) the last one answers.
        """
        from sandbox.lab import magic

        return magic.sql(line, cell, shell.user_ns)

    def matcher(context: Context) -> dict[str, Any]:
        return _completions(context, shell)

    # Else IPython would paste the values of variables into the SQL of a line.
    sql._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    shell.register_magic_function(sql, "line_cell", "sql")
    matcher.matcher_api_version = 2  # type: ignore[attr-defined]
    matcher.matcher_identifier = OF_SQL  # type: ignore[attr-defined]
    matcher.matcher_priority = 1_000  # type: ignore[attr-defined] # before Python's
    shell.Completer.custom_matchers.append(matcher)
    shell.events.register("pre_run_cell", _prepare)


def unload(shell: Any) -> None:
    """Take both away again."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != OF_SQL]
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("sql", None)
    with suppress(ValueError):  # it was not loaded
        shell.events.unregister("pre_run_cell", _prepare)


def _prepare(info: Any) -> None:
    """Before a cell that names a founder's own file as a table, make that table."""
    if "attached" not in (info.raw_cell or ""):
        return
    from sandbox.errors import SandboxError
    from sandbox.lab import attached, data

    try:
        attached.prepare(data.connect, info.raw_cell, os.environ)
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")  # and the SQL then says that the table is not there


class Only(list[Any]):
    """Completions that silence Python's in SQL, also when there are none.

    IPython lets a matcher silence the others only if it has something to offer, which it reads
    off the length; a `suppress` that holds without completions will let us delete this.
    """

    def __len__(self) -> int:
        return max(1, super().__len__())


def _completions(context: Context, shell: Any) -> dict[str, Any]:
    """Answer IPython's question what may stand at the cursor."""
    code = context.full_text
    if "sql" not in code and "lab" not in code:
        return {"completions": []}
    from IPython.core.completer import SimpleCompletion

    from sandbox.lab.completion import complete

    lines = code.split("\n")
    cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
    found = complete(code, cursor, shell.user_ns)
    if found is None:
        return {"completions": []}
    return {
        "completions": Only(SimpleCompletion(each.text, type=each.kind) for each in found.offers),
        "matched_fragment": found.fragment,
        "ordered": True,
        "suppress": True,
    }
