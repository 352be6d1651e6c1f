"""Import slow libraries without what makes them slow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick() -> Iterator[None]:
    """Import nbformat and papermill inside this, for the first time, and save 1.6 seconds.

    jsonschema, which nbformat uses, takes rfc3987-syntax along where it is installed, only to
    check addresses that no notebook's schema has; that package compiles its grammar on import.
    To be deleted when it does so on first use.
    """
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment] # "not installed", says the import system
    try:
        yield
    finally:
        del sys.modules[name]
