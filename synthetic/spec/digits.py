"""Texts of digits alone, which files hold as numbers: a fraction of the bytes and of the time."""

from __future__ import annotations

from collections.abc import Mapping

from synthetic.spec.kinds import DIGITS
from synthetic.spec.models import Spec
from synthetic.spec.scope import Scope


def digits_of(specs: Mapping[str, Spec], dataset: str, table: str, name: str) -> int | None:
    """How many digits the texts of a column have, whose files hold the number; else None."""
    column = specs[dataset].tables[table].columns[name]
    if column.identifier is not None:
        return DIGITS.get(column.identifier.kind)
    if column.link is not None and column.references is not None:
        other, its_table, key = column.references.split(".")
        same = (other, its_table, key) == (dataset, table, name)
        return None if same else digits_of(specs, other, its_table, key)
    parent, _, path = (column.take or "").partition(".")
    if not path:
        return None
    found = Scope(specs, {d: {} for d in specs}, dataset, table).parents()[parent]
    return digits_of(specs, found.dataset, found.name, path)
