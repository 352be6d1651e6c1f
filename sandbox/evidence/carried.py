"""Which columns carry a result: those that its cell read, and the cells that made what it uses.

A guess, and told as one: it reads the notebook's text, and what each cell is reported to have read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sandbox.evidence.calls import Code, behind, read
from sandbox.evidence.reported import Read
from sandbox.lab import asked
from sandbox.lab.faults import SqlError
from sandbox.runs.notebook import is_code, text

WORD = re.compile(r"[^\W\d]\w*")
MADE_BY_SQL = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:table|view|macro)\s+"
    r"(?:if\s+not\s+exists\s+)?\"?([^\W\d]\w*)|\.register\(\s*[\"']([^\W\d]\w*)",
    re.I,
)
MAGIC = re.compile(r"\s*%%sql\b(?P<line>.*)")


def columns_of(
    notebook: Mapping[str, Any], reads: Mapping[int, Read], cell: int
) -> dict[str, set[str]]:
    """Give the columns, by table, that carry what the cell at a place of a notebook claims."""
    cells = [(place, one) for place, one in enumerate(notebook["cells"]) if is_code(one)]
    codes = _codes([text(one) for _, one in cells])
    places = [place for place, _ in cells]
    if cell not in places:
        return {}
    at = places.index(cell)
    wanted = {id(code) for code in behind(codes, at)}
    found: dict[str, set[str]] = defaultdict(set)
    for code, (_, one) in zip(codes[: at + 1], cells, strict=False):
        if id(code) in wanted:
            for table, columns in reads.get(one.get("execution_count") or 0, {}).items():
                found[table] |= columns
    return dict(found)


def _codes(sources: Sequence[str]) -> list[Code]:
    """Read the cells; what SQL makes and uses counts as well, whatever text it stands in."""
    codes = read(list(sources))
    made: set[str] = set()
    for code, source in zip(codes, sources, strict=True):
        own = {name for name in _made(source) if name}
        code.uses |= made & set(WORD.findall(source))
        code.makes |= own
        made |= own
    return codes


def _made(source: str) -> Iterator[str | None]:
    for found in MADE_BY_SQL.finditer(source):
        yield found[1] or found[2]
    if magic := MAGIC.match(source):
        with suppress(SqlError):  # it failed in the notebook too
            yield asked.read(magic["line"], source).name
