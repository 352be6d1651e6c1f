"""Null: the notebook executed on a draw whose columns no longer hang together.

Every column that the notebook declares is dealt to the rows by itself; only keys, the place of a
row, and which rows miss a value stay. A conclusion that holds and still does there does not depend
on how columns relate: it follows from single columns, from places and numbers of rows, or from
nothing in the data at all.
"""

from __future__ import annotations

from typing import Any

from sandbox.evidence import drawing, matching
from sandbox.evidence.work import OWN_ENDS, Work
from sandbox.runs import evidenced
from sandbox.runs.evidenced import Evidence
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.verdicts import Verdict


def told(work: Work, evidence: Evidence, name: str, lost: Reason | None) -> dict[str, Any]:
    """Execute a run on the null draw, unless that was lost too often; give what it shows."""
    found = shown(work.folder, lost or drawing.execute(work, name, drawing.null))
    if found["conclusions"]:
        inputs = work.folder.submission()["inputs"]
        found["together"] = list(drawing.kept_together(inputs))
    return found


def shown(folder: RunFolder, reason: Reason) -> dict[str, Any]:
    """Hold the conclusions of the first execution against those on the null draw."""
    if reason.kind not in OWN_ENDS:
        return evidenced.told("null", Verdict.FAILED, reason)
    conclusions = _conclusions(folder)
    verdict = _verdict(conclusions, is_whole=reason.kind is Kind.COMPLETED)
    return evidenced.told("null", verdict, reason, conclusions=conclusions)


def _conclusions(folder: RunFolder) -> list[dict[str, Any]]:
    first = matching.submitted(folder)
    pairs = matching.conclusions(first, matching.claims(folder.execution("null")))
    return [
        {
            "statement": one["statement"],
            "cell": one["cell"],
            "submitted": one["holds"],
            "on_null": holds,
        }
        for one, holds in pairs
    ]


def _verdict(conclusions: list[dict[str, Any]], *, is_whole: bool) -> Verdict:
    """Sum up; where an error kept the notebook from a conclusion, nobody knows of that one."""
    tested = [one["on_null"] for one in conclusions if one["submitted"]]
    if not tested:
        return Verdict.NO_CONCLUSIONS
    if True in tested:
        return Verdict.DOES_NOT_DEPEND
    return Verdict.FAILED if None in tested and not is_whole else Verdict.DEPENDS
