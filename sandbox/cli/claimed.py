"""A run's results and conclusions on a terminal: Vietnamese first, English after a stroke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.lab.wording import written


def claimed(facts: Mapping[str, Any]) -> Iterator[str]:
    """Write each result with its unit, and each conclusion with whether it holds."""
    for one in facts["results"]:
        yield f"{_both(one['name'])}: {written(one['value'])}{_unit(one['unit'])}"
    for one in facts["conclusions"]:
        verdict = "đúng / holds" if one["holds"] else "không đúng / does not hold"
        yield f"{verdict}: {_both(one['statement'])}"


def _unit(unit: object) -> str:
    return "" if not unit else "%" if unit == "%" else f" {_both(unit)}"


def _both(words: object) -> str:
    return f"{words['vi']} / {words['en']}" if isinstance(words, Mapping) else str(words)
