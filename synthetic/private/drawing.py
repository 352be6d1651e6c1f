"""Rows of a model's file into a file of rows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from synthetic.errors import PrivateError
from synthetic.private import model as models
from synthetic.private import where as conditions
from synthetic.private.sampling import Sampler
from synthetic.private.writing import check_suffix, write

_MOST_ROWS = 2**40
_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


@dataclass(frozen=True)
class Drawn:
    """What was written."""

    n_rows: int
    is_releasable: bool  # whether the model's noise protects anybody


def sample(
    model: Path, *, rows: int, seed: int, out: Path, where: str | None = None, shard: str = "1/1"
) -> Drawn:
    """Draw so many rows, or one shard of them, into a file.

    A Parquet file says in its metadata, under the key `synthetic`, what it was drawn from.
    """
    if not 0 <= rows <= _MOST_ROWS:
        raise PrivateError(f"rows {rows} must be from 0 to {_MOST_ROWS}")
    if not 0 <= seed < 2**63:
        raise PrivateError(f"seed {seed} must be from 0 to {2**63 - 1}")
    start, end = _stretch(shard, rows)
    check_suffix(out)
    fitted = models.load(model)
    given = {} if where is None else conditions.parse(where, fitted.schema)
    drawn = Sampler(fitted, rows, seed, given).blocks(start, end)
    told = {key: fitted.facts.get(key) for key in ("source", "epsilon", "delta", "releasable")}
    said = {"model": fitted.digest, **told, "rows": rows, "seed": seed, "where": where}
    n_rows = write(drawn, fitted.schema, out, json.dumps(said, ensure_ascii=False))
    return Drawn(n_rows, fitted.is_releasable)


def _stretch(shard: str, rows: int) -> tuple[int, int]:
    match = _SHARD.fullmatch(shard)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise PrivateError(f"shard {shard!r} is not a part such as 3/8")
    number, of = int(match[1]), int(match[2])
    return rows * (number - 1) // of, rows * number // of
