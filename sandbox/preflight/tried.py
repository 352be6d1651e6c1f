"""How a trial ended, judged: would the run end so too, or is the small replica to blame?

What a misspelt name, a missing file or column, or a wrong call does on few rows it does on many. An
error over values may come of rows that the small replica lacks, so it warns and stops nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from sandbox.language import N_, Later
from sandbox.preflight import cells
from sandbox.preflight.finding import Finding, Retold, error, warning
from sandbox.runs.notebook import is_code, text
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.submission import Offer
from sandbox.runs.texts import fit

CODE = "trial"
SHOWN = 300  # characters of an error
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LINE = re.compile(r"(?:Cell In\[\d+\]|File <cell>), line (\d+)")
STOPS = {
    *("SyntaxError", "IndentationError", "TabError", "ImportError", "ModuleNotFoundError"),
    *("FileNotFoundError", "IsADirectoryError", "NotADirectoryError", "PermissionError"),
    *("BinderException", "CatalogException", "ParserException", "SqlError", "CatalogError"),
    *("AttachmentError", "TypeError", "AttributeError"),
}
# What no row, or a value that is missing, makes of an expression.
EMPTY = re.compile(r"NoneType|NAType|NaTType|'float'|accessor|nan\b|None\b", re.IGNORECASE)
KEY = re.compile(r"'([^']+)'")
NEAR = 0.75  # of a misspelt name, as difflib counts
MEND = Later(N_("mend the line, run the cell once in the Lab, and save"))
LOOK = Later(N_("if few rows cannot be the cause, mend it; else submit as it is"))


def judged(offer: Offer, reason: Reason, executed: Any) -> Finding:
    """Say what stopped a trial, as a finding: an error if the run would be stopped as well."""
    cell = _cell(offer, reason, executed)
    problem = Retold(fit(reason.message, longest=SHOWN))
    if reason.kind is Kind.CELL_ERROR and _stops(offer, reason, executed):
        why = N_("tried on a small replica, this cell fails: {problem}")
        return error(CODE, Later(why, {"problem": problem}), MEND, *cell)
    why = N_("tried on a small replica, this cell fails, perhaps for want of rows: {problem}")
    return warning(CODE, Later(why, {"problem": problem}), LOOK, *cell)


def _stops(offer: Offer, reason: Reason, executed: Any) -> bool:
    name, _colon, words = reason.message.partition(": ")
    if name == "NameError":
        asked = KEY.search(words)
        return asked is not None and asked[1] not in set(_made(offer))
    if name == "KeyError":
        return _is_misspelt(offer, words)
    if name == "SqlError" and "--page" in _source(reason, executed):
        return False  # a page that a small result has not
    return name in STOPS and not EMPTY.search(words)


def _is_misspelt(offer: Offer, words: str) -> bool:
    """Whether a key that is missing is nearly the name of a column that was declared."""
    key = KEY.search(words)
    known = {
        column
        for columns in (offer.inputs.columns if offer.inputs else {}).values()
        for column in columns
    }
    return bool(key and key[1] not in known and get_close_matches(key[1], known, 1, NEAR))


def _made(offer: Offer) -> Iterator[str]:
    """Name everything that some line of the notebook makes, wherever it does."""
    for cell in cells.read(offer.notebook):
        for node in cell.nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.alias):
                yield (node.asname or node.name).partition(".")[0]
            elif isinstance(node, ast.arg):
                yield node.arg


def _cell(offer: Offer, reason: Reason, executed: Any) -> tuple[int | None, int | None]:
    """Give the cell as its author counts it, and the line of the fault in it."""
    failed = _failed(reason, executed)
    names = [cell.get("id") for cell in offer.notebook.cells]
    if failed is None or failed.get("id") not in names:
        return None, None
    return names.index(failed["id"]) + 1, _line(failed)


def _failed(reason: Reason, executed: Any) -> Mapping[str, Any] | None:
    if reason.cell is None or reason.cell >= len(executed["cells"]):
        return None
    found: Mapping[str, Any] = executed["cells"][reason.cell]
    return found if is_code(found) else None


def _line(failed: Mapping[str, Any]) -> int | None:
    for output in failed.get("outputs", ()):
        if output.get("output_type") == "error":
            found = LINE.search(COLOURS.sub("", "\n".join(output.get("traceback", ()))))
            return int(found[1]) if found else None
    return None


def _source(reason: Reason, executed: Any) -> str:
    failed = _failed(reason, executed)
    return "" if failed is None else text(failed)
