"""Reproduced: the notebook executed a second time elsewhere, and both executions compared."""

from __future__ import annotations

import logging
from typing import Any

from sandbox.evidence.work import OWN_ENDS, Work
from sandbox.kernels.surroundings import others
from sandbox.language import N_
from sandbox.runs import evidenced
from sandbox.runs.evidenced import Evidence
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.notebook import is_code, text
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.verdicts import Verdict, worst

log = logging.getLogger(__name__)

Told = dict[str, Any]  # what is known of one part of the evidence


def told(work: Work, evidence: Evidence, name: str, lost: Reason | None) -> Told:
    """Execute a run once more elsewhere, unless that was lost too often; give what both show."""
    reason = lost or work.execute(name, others())
    return _shown(work.folder, reason)


def _shown(folder: RunFolder, reason: Reason) -> Told:
    """Say what both executions show; an execution that was ended from outside shows nothing."""
    if reason.kind not in OWN_ENDS:
        return evidenced.told("reproduced", Verdict.FAILED, reason, settings=settings_of(folder))
    try:
        return _compared(folder, reason)
    except Exception as error:
        # What a kernel sent is the notebook's to choose, so reading it can fail in any way.
        log.exception("the two executions could not be compared")
        message = N_("the two executions could not be compared ({problem})")
        problem = Reason(
            kind=Kind.OUTPUT_SIZE, message=message.format(problem=type(error).__name__)
        )
        return evidenced.told("reproduced", Verdict.FAILED, problem, settings=settings_of(folder))


def _compared(folder: RunFolder, reason: Reason) -> Told:
    # Imported here: it takes a moment, and the first execution must not wait for it.
    from sandbox.evidence.closeness import ABSOLUTE, RELATIVE, value_difference
    from sandbox.evidence.pixels import LEVELS

    settings = settings_of(folder)
    cells = compared_cells(read(folder.first.executed), read(folder.repeat.executed), settings)
    ended = reason.cell if reason.kind is not Kind.COMPLETED else None
    shown = [one for one in cells if ended is None or one["index"] <= ended]
    for one in shown:
        if one["index"] == ended and not one["differences"]:  # exit() ends a cell without a word
            told = value_difference("error", "", "—", reason.message).to_record()
            one |= {"verdict": str(Verdict.DIFFERS), "cause": "unknown", "differences": [told]}
    verdicts = [Verdict(one["verdict"]) for one in shown]
    return evidenced.told(
        "reproduced",
        worst(verdicts) if ended is None else Verdict.DIFFERS,
        reason,
        claims=str(worst([Verdict(one["claims"]) for one in shown])),
        cells=shown,
        tolerance={"relative": RELATIVE, "absolute": ABSOLUTE, "colour_levels_of_255": LEVELS},
        settings=settings,
    )


def compared_cells(
    first: dict[str, Any], repeat: dict[str, Any], settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Compare two executed notebooks; give each code cell's verdict, differences and likely cause."""
    from sandbox.evidence import calls, causes, comparing

    pairs = [
        (index, one, other)
        for index, (one, other) in enumerate(zip(first["cells"], repeat["cells"], strict=True))
        if is_code(one) and text(one).strip()
    ]
    codes = calls.read([text(one) for _, one, _ in pairs])
    compared = []
    for place, (index, one, other) in enumerate(pairs):
        found = comparing.outputs(one["outputs"], other["outputs"])
        because = None
        if found.verdict is not Verdict.IDENTICAL:
            shown, again = (comparing.seen(side["outputs"]) for side in (one, other))
            because = str(causes.cause(calls.behind(codes, place), shown, again, settings))
        compared.append(
            {
                "index": index,
                "id": one.get("id"),
                "verdict": str(found.verdict),
                "claims": str(found.claims),
                "cause": because,
                "differences": [difference.to_record() for difference in found.differences],
            }
        )
    return compared


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Give the surroundings and the times of both executions, as their records have them."""
    return {
        place.name: {**record.get("surroundings", {}), "started_at": record["started_at"]}
        for place in (folder.first, folder.repeat)
        if (record := place.record()) is not None
    }
