"""Reproduced: the notebook executed a second time elsewhere, and both executions compared."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from sandbox.errors import RunError
from sandbox.evidence.turns import turn
from sandbox.kernels.folders import remove
from sandbox.kernels.surroundings import others
from sandbox.language import N_, _, language, speaking
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.notebook import is_code, text
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind, Status
from sandbox.runs.supervisor import (
    Job,
    cancelled_by_signals,
    in_words_of,
    told_in,
)
from sandbox.runs.verdicts import Verdict, worst
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.runs.conduct import OnCell

log = logging.getLogger(__name__)

# An end that the notebook's own code made: seen beside a first execution that succeeded, it is a
# difference. Any other end says nothing of the notebook's results.
OWN_ENDS = {Kind.COMPLETED, Kind.CELL_ERROR, Kind.EXIT_CALLED}


def reproduce(settings: Settings, run_id: str, on_cell: OnCell | None = None) -> dict[str, Any]:
    """Execute a run that succeeded once more, in other surroundings; give what both show.

    It waits until no first execution of another run waits. SIGINT, SIGTERM and SIGHUP end it, if
    this is the main thread. The run's report is made again as the evidence arrives.
    """
    folder = RunFolder.find(settings, run_id)
    with folder.locked() as held:
        if not held:
            raise RunError(
                _("run {run} is already being executed by another process").format(run=run_id)
            )
        if folder.status() is not Status.SUCCEEDED:
            evidenced.give_up(folder)
            return _drawn(settings, folder)
        remove(folder.repeat.path.resolve())  # what an earlier one left
        folder.repeat.make()
        job = Job(settings, folder, folder.repeat, in_words_of(language(), on_cell), others())
        with cancelled_by_signals(job.cancel):
            folder.sign(os.getpid())
            evidenced.write(folder, evidenced.reproduced(Verdict.PENDING))
            with told_in(folder.repeat.log_file), speaking("en"):
                with turn(settings, run_id, lambda: job.asked is not None):
                    reason = job.run()
                evidenced.write(folder, _shown(folder, reason))
        return _drawn(settings, folder)


def _drawn(settings: Settings, folder: RunFolder) -> dict[str, Any]:
    with speaking("en"):
        evidenced.draw_report(settings, folder)
    told: dict[str, Any] = evidenced.written(folder)["reproduced"]
    return told


def _shown(folder: RunFolder, reason: Reason) -> dict[str, Any]:
    """Say what both executions show; an execution that was ended from outside shows nothing."""
    if reason.kind not in OWN_ENDS:
        return evidenced.reproduced(Verdict.FAILED, reason, settings=settings_of(folder))
    try:
        return _compared(folder, reason)
    except Exception as error:
        # What a kernel sent is the notebook's to choose, so reading it can fail in any way.
        log.exception("the two executions could not be compared")
        message = N_("the two executions could not be compared ({problem})")
        problem = Reason(
            kind=Kind.OUTPUT_SIZE, message=message.format(problem=type(error).__name__)
        )
        return evidenced.reproduced(Verdict.FAILED, problem, settings=settings_of(folder))


def _compared(folder: RunFolder, reason: Reason) -> dict[str, Any]:
    # Imported here: it takes a moment, and the first execution must not wait for it.
    from sandbox.evidence.closeness import ABSOLUTE, RELATIVE
    from sandbox.evidence.pixels import LEVELS

    settings = settings_of(folder)
    cells = compared_cells(read(folder.first.executed), read(folder.repeat.executed), settings)
    ended = reason.cell if reason.kind is not Kind.COMPLETED else None
    shown = [one for one in cells if ended is None or one["index"] <= ended]
    verdicts = [Verdict(one["verdict"]) for one in shown]
    return evidenced.reproduced(
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
    told = []
    for place, (index, one, other) in enumerate(pairs):
        found = comparing.outputs(one["outputs"], other["outputs"])
        because = None
        if found.verdict is not Verdict.IDENTICAL:
            shown, again = (comparing.seen(side["outputs"]) for side in (one, other))
            because = str(causes.cause(calls.behind(codes, place), shown, again, settings))
        told.append(
            {
                "index": index,
                "id": one.get("id"),
                "verdict": str(found.verdict),
                "claims": str(found.claims),
                "cause": because,
                "differences": [difference.to_record() for difference in found.differences],
            }
        )
    return told


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Give the surroundings and the times of both executions, as their records have them."""
    return {
        place.name: {**record.get("surroundings", {}), "started_at": record["started_at"]}
        for place in (folder.first, folder.repeat)
        if (record := place.record()) is not None
    }
