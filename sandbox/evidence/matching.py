"""The claims of one execution beside those of another: the same words, and of these the same place.

A name or a sentence that holds a figure is another one on every draw; its claim is then missing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.evidence.work import OWN_ENDS
from sandbox.runs.folder import ExecutionFolder, RunFolder

Claim = Mapping[str, Any]


def results(first: Claim, other: Claim | None) -> Iterator[tuple[Claim, Any]]:
    """Pair each result of a record with its value in another; None where it has none there."""
    for one, found in _matched(first["results"], other["results"] if other else (), "name"):
        yield one, None if found is None else found["value"]


def conclusions(first: Claim, other: Claim | None) -> Iterator[tuple[Claim, bool | None]]:
    """Pair each conclusion of a record with whether it holds in another; None: not said there."""
    given = other["conclusions"] if other else ()
    for one, found in _matched(first["conclusions"], given, "statement"):
        yield one, None if found is None else found["holds"]


def submitted(folder: RunFolder) -> Claim:
    """Give the claims of a run's first execution."""
    return folder.record() or {"results": (), "conclusions": ()}


def claims(place: ExecutionFolder) -> Claim | None:
    """Give the record of an execution, if its notebook came to an end of its own."""
    record = place.record()
    ended = (record or {}).get("reason") or {}
    return record if ended.get("kind") in OWN_ENDS else None


def _matched(
    first: Sequence[Claim], other: Sequence[Claim], said: str
) -> Iterator[tuple[Claim, Claim | None]]:
    found = {key: claim for claim, key in _keyed(other, said)}
    for claim, key in _keyed(first, said):
        yield claim, found.get(key)


def _keyed(claims: Sequence[Claim], said: str) -> Iterator[tuple[Claim, tuple[str, int]]]:
    """Give each claim with its words, and how many before it have the same."""
    seen: Counter[str] = Counter()
    for claim in claims:
        words = json.dumps(claim[said], sort_keys=True)
        yield claim, (words, seen[words])
        seen[words] += 1
