"""How near a replica lies to the published tables: quotas to the last unit, shares by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from synthetic.errors import SyntheticError
from synthetic.evaluation.beside import Beside
from synthetic.evaluation.checks import SAMPLES, Check
from synthetic.evaluation.comparisons import columns_of
from synthetic.evaluation.measured import Distance
from synthetic.evaluation.quotas import check_quota, quota_of
from synthetic.spec.margins import Margin
from synthetic.spec.models import Spec
from synthetic.tables.manifest import Manifest


def check_published(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    specs: Mapping[str, Spec],
    table: str,
    margins: Mapping[str, Margin],
) -> Iterator[Check]:
    """Quotas to the last unit, and every share as near to the published one as chance allows.

    An alarm over shares that are a true sample's comes once in 100,000 times at most, so that
    somebody who verifies every draw is not called for nothing.
    """
    recipe = manifest.recipe
    exact = recipe["margins"] == "exact"
    beside = Beside(connection, specs, manifest.dataset, table, margins, recipe)
    for entry in beside.entries:
        counts = beside.count(entry)
        what = " x ".join(columns_of(entry)) + f" against {entry.margin.table}"
        if entry.quota and exact:
            quota = quota_of(entry, beside.scale, beside.areas)
            yield check_quota(table, what, quota, counts, beside.quotas)
        try:
            far = beside.distance(entry, counts)
        except SyntheticError as error:
            yield Check(table, what, False, str(error), "shares")
            continue
        if far is None:
            continue
        yield _check_shares(table, what, far)
        # A quota that is met to the last unit leaves nothing to ask within an area.
        if "area" in entry.margin.axes and len(entry.by) > 1 and not (entry.quota and exact):
            yield _check_areas(table, what, far)


def _check_shares(table: str, what: str, far: Distance) -> Check:
    found, sampling = far.total_variation, far.sampling
    told = f"total variation {found:.2g}; sampling alone {sampling.expected:.2g}"
    # Rows kept at least once in every cell are no sample of the published shares; their quota says
    # all that can be said. Where the spec says why the rows lie further, that is what there is to say.
    excused = bool(far.comparison.floor) or far.comparison.because is not None
    return Check(table, what, excused or found <= sampling.rarely, told, "shares")


def _check_areas(table: str, what: str, far: Distance) -> Check:
    """Within every area too: what is wrong in one does not show in the country."""
    wrong = []
    for area in far.margin.categories["area"]:
        part = far.within("area", area)
        if part is not None and part.total_variation > part.sampling.rarely:
            told = f"{part.total_variation:.2g} against {part.sampling.expected:.2g}"
            wrong.append(f"{area}: {told}")
    return Check(
        table, f"{what}, within every area", not wrong, "; ".join(wrong[:SAMPLES]), "shares"
    )
