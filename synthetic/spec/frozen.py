"""The margins of the packaged specs, computed once and kept as whole numbers in packaged files.

Reading, combining and raking the published tables takes seconds, and every process of a build needs
the result. A file is named after all that its margins follow from: what the spec says of them, the
tables that they read, and the version of the arithmetic here. Where none has that name (a spec of
one's own, a changed table) the margins are computed. `synthetic freeze` remakes the files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from synthetic import statistics
from synthetic.errors import StorageError, SyntheticError
from synthetic.spec.margin import Margin, Quotients
from synthetic.spec.models import Spec

VERSION = 1  # of how margins are computed; a change makes new files
_LONGEST = 63  # bits of a divisor that all cells may share


def folder() -> Path:
    """The folder of what is frozen and travels with the package."""
    return Path(__file__).parent.parent / "models"


def path(spec: Spec) -> Path | None:
    """Where the margins of a spec are frozen, if they are; None where a table is not there."""
    told = {
        name: margin.model_dump(mode="json", exclude_defaults=True)
        for name, margin in spec.margins.items()
    }
    try:
        read = [(table, statistics.sha256(table)) for table in sorted(_tables(spec))]
    except SyntheticError:  # told when the margin is read
        return None
    text = json.dumps([VERSION, told, read], ensure_ascii=False)
    return folder() / f"margins-{hashlib.sha256(text.encode()).hexdigest()[:24]}.json.gz"


def _tables(spec: Spec) -> set[str]:
    found = {margin.table for margin in spec.margins.values() if margin.table}
    return found | {t for m in spec.margins.values() for t, _, _ in m.through.values()}


def read(path: Path) -> dict[str, Margin]:
    """The frozen margins of a file, in the order of their spec."""
    try:
        digest, text = gzip.decompress(path.read_bytes()).split(b"\n", 1)
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise ValueError("its hash is not the one that it bears")
        return {name: _margin(name, held) for name, held in json.loads(text).items()}
    except (OSError, ValueError, EOFError, KeyError, TypeError, zlib.error) as error:
        raise StorageError(
            f"{path}: damaged file of margins ({error}); install the package again"
        ) from error


def _margin(name: str, held: Mapping[str, Any]) -> Margin:
    codes: list[list[str]] = held["codes"]
    columns = [[codes[i][at] for at in column] for i, column in enumerate(held["cells"])]
    cells = list(zip(*columns, strict=True)) if columns else [()] * len(held["numbers"])
    found: Mapping[tuple[str, ...], Fraction]
    if held["divisor"]:
        found = Quotients(dict(zip(cells, held["numbers"], strict=True)), held["divisor"])
    else:
        pairs = zip(cells, held["numbers"], strict=True)
        found = {cell: Fraction(above, below) for cell, (above, below) in pairs}
    return Margin(name, held["table"], held["unit"], tuple(held["axes"]), found, held["published"])


def written(margins: Mapping[str, Margin]) -> bytes:
    """A file of these margins, the same bytes each time."""
    held = {name: _held(margin) for name, margin in margins.items()}
    text = json.dumps(held, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(text).hexdigest().encode()
    return gzip.compress(digest + b"\n" + text, mtime=0)


def _held(margin: Margin) -> dict[str, Any]:
    numbers, divisor = margin.whole
    values: list[Any] = list(numbers.values())
    if divisor.bit_length() > _LONGEST:  # each cell's own is far shorter than the common one
        values, divisor = [v.as_integer_ratio() for v in margin.cells.values()], 0
    codes = [list(margin.categories[axis]) for axis in margin.axes]
    place = [{code: i for i, code in enumerate(listed)} for listed in codes]
    return {
        "table": margin.table,
        "unit": margin.unit,
        "published": margin.published,
        "axes": margin.axes,
        "codes": codes,
        "cells": [[place[i][cell[i]] for cell in numbers] for i in range(len(margin.axes))],
        "numbers": values,
        "divisor": divisor,
    }
