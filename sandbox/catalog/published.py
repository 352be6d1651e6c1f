"""The packaged statistics as the catalogue shows them, beside the replicas."""

from __future__ import annotations

from sandbox.errors import CatalogError
from sandbox.language import _, nearest
from synthetic import statistics


def published(name: str | None = None) -> tuple[statistics.Table, ...]:
    """Describe the published tables, or the one of this name."""
    if name:
        check_published(name)
    return tuple(statistics.table(each) for each in ([name] if name else statistics.names()))


def check_published(name: str) -> None:
    """Refuse a name that no published table has."""
    if name not in statistics.names():
        raise CatalogError(
            _(
                "there is no published table {name!r}; {hint} (`sandbox data list` shows the "
                "published tables)"
            ).format(name=name, hint=nearest(name, statistics.names()))
        )
