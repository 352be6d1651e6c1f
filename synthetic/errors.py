"""Errors that a person may meet and mend. Anything else is a defect and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SyntheticError(Exception):
    """A mistake or a missing thing, told with what to do about it."""

    exit_code = 2


class SpecError(SyntheticError):
    """A dataset's spec is not right; the message names file, table, key, value and remedy."""


class StatisticsError(SyntheticError):
    """A published table, or a cell of one, is not there."""


class BuildError(SyntheticError):
    """A replica cannot be built as asked."""


class StorageError(SyntheticError):
    """A folder or a file cannot be read or written."""

    exit_code = 3


class VerifyError(SyntheticError):
    """A replica is not what its manifest says."""

    exit_code = 4


class PrivateError(SyntheticError):
    """Records cannot be fitted, or a model not used, as asked; no message holds a value of them."""


class AssessError(SyntheticError):
    """Tables cannot be compared as asked; no message holds a value of them."""


class BudgetError(SyntheticError):
    """A release would cost more than its source has left."""

    exit_code = 5


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or list them all."""
    choices = sorted(known)
    close = get_close_matches(word, choices, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + (", ".join(choices[:20]) if choices else "none")
