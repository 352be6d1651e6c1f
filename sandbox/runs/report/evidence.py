"""The evidence of a run as the report tells it: one verdict for each part, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.runs.report import verdicts
from sandbox.runs.report.changes import Changes, changes
from sandbox.runs.report.reading import mapping, text, whole
from sandbox.runs.report.redrawn import Null, Redrawn, null, redrawn
from sandbox.runs.report.reproduced import Reproduced, reproduced
from sandbox.runs.report.used import Used, used
from sandbox.runs.report.verdicts import Part

NOT_RUN = "not run"
ANY = {"pending", "failed", NOT_RUN}  # verdicts that every part may have
KNOWN = {
    "reproduced": {"identical", "equal within tolerance", "differs"},
    "redrawn": {"holds", "flips", "no conclusions"},
    "null": {"depends", "does not depend", "no conclusions"},
    "fidelity": {"measured", "partly assumed", "assumed", "no data"},
    "changed": {"unchanged", "changed", "no template"},
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What further executions show of a run, what it used, and what it changed."""

    reproduced: Reproduced
    redrawn: Redrawn
    null: Null
    fidelity: Used
    changed: Changes
    parts: tuple[Part, ...]  # in the order in which they are told

    def part(self, name: str) -> Part:
        """Give one part by its name."""
        return next(part for part in self.parts if part.name == name)

    @property
    def is_asked(self) -> bool:
        """Whether there is, or will be, anything to say."""
        return any(part.verdict != NOT_RUN for part in self.parts)

    @property
    def is_pending(self) -> bool:
        """Whether something is still to come."""
        return any(part.verdict == "pending" for part in self.parts)

    @property
    def kind(self) -> str:
        """The worst of its parts, for who looks at one colour."""
        found = {part.kind for part in self.parts}
        return next(kind for kind in ("bad", "warns", "open", "good", "plain") if kind in found)


def evidence(given: dict[str, Any], *, has_claims: bool) -> Evidence:
    """Read what the supervisor wrote; a part that is missing says `not run`."""
    told = {name: mapping(given.get(name)) for name in KNOWN}
    verdict = {name: _verdict(name, told[name]) for name in KNOWN}
    repeat = reproduced(told["reproduced"], verdict["reproduced"], has_claims=has_claims)
    n_asked = whole(mapping(given.get("asked")).get("draws")) or 0
    draws = redrawn(told["redrawn"], verdict["redrawn"], asked=n_asked)
    shuffled = null(told["null"], verdict["null"])
    columns = used(told["fidelity"], verdict["fidelity"])
    cells = changes(told["changed"], verdict["changed"])
    words = {
        "reproduced": verdicts.REPRODUCED[verdict["reproduced"]],
        "redrawn": verdicts.of_draws(draws),
        "null": verdicts.of_null(shuffled),
        "fidelity": verdicts.of_columns(columns),
        "changed": verdicts.of_changes(cells),
    }
    return Evidence(
        reproduced=repeat,
        redrawn=draws,
        null=shuffled,
        fidelity=columns,
        changed=cells,
        parts=tuple(
            Part(
                name=name,
                verdict=verdict[name],
                words=words[name],
                has_remarks=name == "fidelity" and bool(columns.remarks),
            )
            for name in KNOWN
        ),
    )


def _verdict(name: str, told: dict[str, Any]) -> str:
    found = text(told.get("verdict"))
    return found if found in KNOWN[name] | ANY else NOT_RUN
