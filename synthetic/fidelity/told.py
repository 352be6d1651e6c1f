"""The same for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synthetic.evaluation import fitted
from synthetic.evaluation.measured import Distance
from synthetic.evaluation.reasons import reason
from synthetic.fidelity.facts import Measured


def lines(measured: Measured) -> Iterator[str]:
    """One line for each published table, then what contradicts and what is assumed."""
    yield f"{measured.manifest.dataset} {measured.manifest.version}"
    for table, far in measured.distances:
        yield (
            f"  {_verdict(far):<6} {table}: {' x '.join(far.columns)} against {far.margin.table}: "
            f"total variation {far.total_variation:.2g}, sampling alone {far.sampling.expected:.2g}"
        )
        because = reason(far)
        if because is not None:
            yield f"         {because.en}"
    for odd in measured.contradictions:
        yield (
            f"  {odd.bent} contradicts {odd.kept} by {odd.between:.2g}; {odd.kept} is followed, the "
            f"replica is {odd.to_bent:.2g} from the other"
        )
    for told in measured.manifest.tables:
        drawn = _of(told, "measured")
        if drawn:
            yield f"  measured under differential privacy: {', '.join(drawn)}"
            yield f"         {fitted.measured(told['model']).en}"
    columns = [name for table in measured.manifest.tables for name in _of(table, "assumed")]
    if columns:
        yield f"  assumed: {', '.join(columns)}"


def _of(table: Mapping[str, Any], status: str) -> list[str]:
    """The columns of a table with this fidelity."""
    return [
        f"{table['name']}.{column['name']}"
        for column in table["columns"]
        if column["fidelity"]["status"] == status
    ]


def _verdict(far: Distance) -> str:
    if far.exact:
        return "exact"
    if far.met:
        return "floors"
    return "near" if far.holds else "FAR"
