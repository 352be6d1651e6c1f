"""Rows of a model's file into a file of rows."""

from __future__ import annotations

import re
from pathlib import Path

from synthetic.errors import PrivateError
from synthetic.private import model as models
from synthetic.private import where as conditions
from synthetic.private.sampling import Sampler
from synthetic.private.writing import check_suffix, write

_MOST_ROWS = 2**40
_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


def sample(
    model: Path, *, rows: int, seed: int, out: Path, where: str | None = None, shard: str = "1/1"
) -> int:
    """Draw so many rows, or one shard of them; how many were written."""
    if not 0 <= rows <= _MOST_ROWS:
        raise PrivateError(f"rows {rows} must be from 0 to {_MOST_ROWS}")
    if not 0 <= seed < 2**63:
        raise PrivateError(f"seed {seed} must be from 0 to {2**63 - 1}")
    start, end = _stretch(shard, rows)
    check_suffix(out)
    fitted = models.load(model)
    given = {} if where is None else conditions.parse(where, fitted.schema)
    drawn = Sampler(fitted, rows, seed, given).blocks(start, end)
    return write(drawn, fitted.schema, out)


def _stretch(shard: str, rows: int) -> tuple[int, int]:
    match = _SHARD.fullmatch(shard)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise PrivateError(f"shard {shard!r} is not a part such as 3/8")
    number, of = int(match[1]), int(match[2])
    return rows * (number - 1) // of, rows * number // of
