"""Redrawn: the notebook executed on fresh draws of the same replicas, and what stays the same.

The margins of a fresh draw are sampled, so that draws differ as samples of a country would. This
measures what chance the replica's generator leaves; it says nothing of Viet Nam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sandbox.evidence import drawing, matching
from sandbox.evidence.spread import is_number, spread
from sandbox.evidence.work import Work
from sandbox.runs import evidenced
from sandbox.runs.evidenced import Evidence
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind, end_of
from sandbox.runs.verdicts import Verdict

PREFIX = "draw-"
OUTSIDE = {Kind.COULD_NOT_START, Kind.SUPERVISOR_LOST, Kind.CANCELLED, Kind.DISK_FULL}
Told = dict[str, Any]
Claims = Sequence[matching.Claim | None]  # of each draw; None: it did not come to its end


def name(n: int) -> str:
    """Name the execution on the nth fresh draw, from 1."""
    return f"{PREFIX}{n}"


def told(work: Work, evidence: Evidence, name: str, lost: Reason | None) -> Told:
    """Execute a run on a fresh draw, unless that was lost too often; give what all so far show."""
    n = int(name.removeprefix(PREFIX))
    reason = lost or drawing.execute(work, name, partial(drawing.fresh, n=n))
    done = {
        "name": name,
        "status": str(end_of(reason.kind)),
        "reason": None if reason.kind is Kind.COMPLETED else reason.to_record(),
    }
    executions = [*evidence["redrawn"]["executions"], done]
    return shown(work.folder, executions, evidence["asked"]["draws"])


def shown(folder: RunFolder, executions: list[Told], draws: int) -> Told:
    """Hold the claims of the first execution against those on the draws that are done."""
    first = matching.submitted(folder)
    claims = [matching.claims(folder.execution(one["name"])) for one in executions]
    conclusions = _conclusions(first, claims, n_executed({"executions": executions}))
    if len(executions) < draws:
        verdict = Verdict.PENDING
    elif all(one is None for one in claims):
        verdict = Verdict.FAILED
    else:
        verdict = _verdict(conclusions)
    facts = evidenced.told("redrawn", verdict, draws=draws, executions=executions)
    facts |= {"results": _results(first, claims), "conclusions": conclusions}
    return facts | {"reason": executions[0]["reason"] if verdict is Verdict.FAILED else None}


def _results(first: matching.Claim, claims: Claims) -> list[Told]:
    pairs = [list(matching.results(first, one)) for one in claims]
    return [
        _result(one, [found[at][1] for found in pairs]) for at, one in enumerate(first["results"])
    ]


def _result(one: matching.Claim, values: list[Any]) -> Told:
    said = [value for value in values if value is not None]
    numbers = is_number(one["value"])
    return {
        **{key: one[key] for key in ("name", "unit", "cell")},
        "submitted": one["value"],
        "values": values,
        **spread(said if numbers else []),
        "equal": None if numbers else said.count(one["value"]),
    }


def _conclusions(first: matching.Claim, claims: Claims, n_executed: int) -> list[Told]:
    pairs = [list(matching.conclusions(first, one)) for one in claims]
    return [
        {
            **{key: one[key] for key in ("statement", "cell")},
            "submitted": one["holds"],
            "holds": (draws := [found[at][1] for found in pairs]).count(True),
            "of": n_executed,
            "draws": draws,
        }
        for at, one in enumerate(first["conclusions"])
    ]


def _verdict(conclusions: list[Told]) -> Verdict:
    if not conclusions:
        return Verdict.NO_CONCLUSIONS
    return Verdict.HOLDS if all(map(is_steady, conclusions)) else Verdict.FLIPS


def is_steady(conclusion: Mapping[str, Any]) -> bool:
    """Whether a conclusion is on every draw that was executed what it is on the submitted one."""
    same = conclusion["draws"].count(conclusion["submitted"])
    return bool(same == conclusion["of"])


def n_executed(told: Mapping[str, Any]) -> int:
    """Count the draws on which the notebook was executed; where it died or broke a limit, too.

    Else it could have its kernel die wherever its conclusion would not hold.
    """
    kinds = [(one["reason"] or {"kind": Kind.COMPLETED})["kind"] for one in told["executions"]]
    return sum(kind not in OUTSIDE for kind in kinds)
