"""A run's results and conclusions on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.lab.wording import written
from sandbox.language import _, either, language


def claimed(facts: Mapping[str, Any]) -> Iterator[str]:
    """Write each result with its unit, and each conclusion with whether it holds."""
    for one in facts["results"]:
        value = written(one["value"], language=language())
        yield f"{either(one['name'])}: {value}{_unit(one['unit'])}"
    for one in facts["conclusions"]:
        verdict = _("holds") if one["holds"] else _("does not hold")
        yield f"{verdict}: {either(one['statement'])}"


def _unit(unit: Mapping[str, str] | str | None) -> str:
    return "%" if unit == "%" else f" {either(unit)}" if unit else ""
