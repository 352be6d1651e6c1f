"""The published tables that a spec reads, and a hash of them."""

from __future__ import annotations

import hashlib

from synthetic import statistics
from synthetic.spec.models import Spec


def published_tables(spec: Spec) -> tuple[str, ...]:
    """The published tables that a spec reads."""
    found = {margin.table for margin in spec.margins.values() if margin.table}
    found |= {table for m in spec.margins.values() for table, _, _ in m.through.values()}
    for table in spec.tables.values():
        found |= {c.codes_from.table for c in table.columns.values() if c.codes_from is not None}
    return tuple(sorted(found))


def statistics_digest(spec: Spec) -> str:
    """A hash of the published tables that a spec reads."""
    text = "\n".join(f"{t} {statistics.sha256(t)}" for t in published_tables(spec))
    return hashlib.sha256(text.encode()).hexdigest()
