"""The packaged statistics as the catalogue shows them, beside the replicas."""

from __future__ import annotations

from sandbox.errors import CatalogError
from synthetic import statistics
from synthetic.errors import StatisticsError


def published(name: str | None = None) -> tuple[statistics.Table, ...]:
    """Describe the published tables, or the one of this name."""
    try:
        return tuple(statistics.table(each) for each in ([name] if name else statistics.names()))
    except StatisticsError as error:
        raise CatalogError(f"{error} (`sandbox data list` shows the published tables)") from error
