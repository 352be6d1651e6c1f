"""Tables by code: one entry for each combination of codes, and how the fitting one is found."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import product
from typing import TypeVar

T = TypeVar("T")
ANY = "*"  # in a key of a table by code: whatever the code


def by_code(table: Mapping[str, T] | T) -> dict[str, T]:
    """A table by code; the empty code alone where it does not depend on one."""
    return dict(table) if isinstance(table, Mapping) else {"": table}


def key_of(combination: Sequence[str], keys: Container[str]) -> str | None:
    """The most specific key for a combination of codes, counted from the left; None if none fits."""
    for parts in product(*((code, ANY) for code in combination)):
        if "|".join(parts) in keys:
            return "|".join(parts)
    return ANY if ANY in keys else None
