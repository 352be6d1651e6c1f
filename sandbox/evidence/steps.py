"""The evidence of a run, worked off step by step: each is one more execution of its notebook.

What is to be done next stands in the run's evidence, so whoever holds the run's lock can go on
where another one ended. The repeats of all runs come before all null draws, and these before the
fresh draws, the first of everybody before anybody's second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError, TakenError
from sandbox.evidence import onnull, redrawn, reproduced, tries
from sandbox.evidence.turns import LOOK_S, turn
from sandbox.evidence.work import Ended, Work
from sandbox.language import N_, _
from sandbox.runs import evidenced
from sandbox.runs.evidenced import Evidence
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind, Status
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

if TYPE_CHECKING:
    from sandbox.kernels.pool import Pool
    from sandbox.runs.conduct import OnCell

log = logging.getLogger(__name__)

TRIES = 3  # of a step that was killed, or could not begin, for a cause outside the notebook
LOOKS = ("fidelity", "changed")  # parts that need no execution
TELLERS = {"reproduced": reproduced.told, "null": onnull.told, "redrawn": redrawn.told}
LOST = N_("the supervisor ended without a word (killed, or the machine stopped)")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One further execution: its name, and when its turn is."""

    name: str  # repeat, null, draw-1 and so on
    priority: int  # the lowest of all runs comes first

    @property
    def part(self) -> str:
        """The part of the evidence that it serves."""
        return {"repeat": "reproduced", "null": "null"}.get(self.name, "redrawn")


def next_step(folder: RunFolder) -> Step | None:
    """Give the next step of a run's evidence, or None if nothing is to come; reads one file."""
    return next(_steps(evidenced.written(folder)), None)


def advance(
    settings: Settings, run_id: str, on_cell: OnCell | None = None, kernels: Pool | None = None
) -> Step | None:
    """Do the next step of a run's evidence, here and now; give it, or None if there was none.

    SIGINT, SIGTERM and SIGHUP end it, if this is the main thread: one that was meant for this run
    (`sandbox run cancel`, Ctrl-C) ends the evidence, after another the step waits to be done.

    Raises
    ------
    TakenError
        If another process is at work on the run.
    """
    folder = RunFolder.find(settings, run_id)
    with folder.locked() as held:
        if not held:
            raise TakenError(
                _("run {run} is already being executed by another process").format(run=run_id)
            )
        folder.sweep()
        work = Work(settings, folder, on_cell, kernels)
        with work.attended():
            return _advance(work)


def complete(settings: Settings, run_id: str, on_cell: OnCell | None = None) -> None:
    """Do every step of a run's evidence, each when its turn is, or wait for who does them."""
    folder = RunFolder.find(settings, run_id)
    work = Work(settings, folder, on_cell)
    while work.signal is None and evidenced.is_asked(folder):
        with folder.locked() as held:
            if held:
                with work.attended():
                    _work_off(work)
        if evidenced.is_asked(folder):
            time.sleep(LOOK_S)


def _work_off(work: Work) -> None:
    folder = work.folder
    while work.signal is None and evidenced.is_asked(folder) and folder.status().is_final:
        with turn(work.settings, work.folder.id, lambda: work.signal is not None):
            _advance(work)


def _steps(evidence: Evidence) -> Iterator[Step]:
    """Give the steps that are still to come, in their order."""
    if evidence["reproduced"]["verdict"] == Verdict.PENDING:
        yield Step(name="repeat", priority=0)
    if evidence["null"]["verdict"] == Verdict.PENDING:
        yield Step(name="null", priority=1)
    if evidence["redrawn"]["verdict"] == Verdict.PENDING:
        done = {one["name"] for one in evidence["redrawn"]["executions"]}
        for n in range(1, evidence["asked"]["draws"] + 1):
            if redrawn.name(n) not in done:
                yield Step(name=redrawn.name(n), priority=1 + n)


def _advance(work: Work) -> Step | None:
    """Do the next step, if there is one, and draw the report again."""
    folder, step = work.folder, None
    if evidenced.settle(folder):
        evidenced.draw_report(work.settings, folder)
    if folder.status() is not Status.SUCCEEDED:
        return None
    with _closed_if_cancelled(work):
        _look(work)
        step = next_step(folder)
        if step is not None:
            _execute(work, step)
    evidenced.draw_report(work.settings, folder)
    return step


def _look(work: Work) -> None:
    """Tell what needs no execution; it is done together with the first step."""
    evidence = evidenced.written(work.folder)
    pending = [part for part in LOOKS if evidence[part]["verdict"] == Verdict.PENDING]
    for part in pending:
        evidence[part] = _seen(work, part)
    if pending:
        evidenced.write(work.folder, evidence)


def _seen(work: Work, part: str) -> dict[str, Any]:
    try:
        # Imported here: what only prints a run need not wait for specs and comparisons.
        from sandbox.evidence.changed import changed
        from sandbox.evidence.used import fidelity

        look = fidelity if part == "fidelity" else changed
        return look(work.settings, work.folder)
    except Exception as error:
        # What a notebook wrote and declared is its to choose, so reading it can fail in any way.
        log.exception("the %s of run %s cannot be told", part, work.folder.id)
        message = N_("it could not be told ({problem})").format(problem=type(error).__name__)
        reason = Reason(kind=Kind.OUTPUT_SIZE, message=message)
        return evidenced.told(part, Verdict.FAILED, reason)


def _execute(work: Work, step: Step) -> None:
    """Execute the notebook as a step wants it, and write what that shows."""
    with tries.counted(work.folder, step.name) as n:
        evidence, tell = evidenced.written(work.folder), TELLERS[step.part]
        lost = Reason(kind=Kind.SUPERVISOR_LOST, message=LOST) if n > TRIES else None
        try:
            evidence[step.part] = tell(work, evidence, step.name, lost)
        except Ended as ended:
            if ended.is_asked or n < TRIES:
                raise
            evidence[step.part] = tell(work, evidence, step.name, ended.reason)
        except (SandboxError, SyntheticError, OSError):
            raise  # of this machine, as a full disk; another try may find it mended
        except Exception as error:
            log.exception("step %s of run %s met a defect of our own", step.name, work.folder.id)
            message = N_("a defect of the supervisor ({problem})").format(
                problem=f"{type(error).__name__}: {error}"
            )
            defect = Reason(kind=Kind.COULD_NOT_START, message=message)
            evidence[step.part] = tell(work, evidence, step.name, defect)
        evidenced.write(work.folder, evidence)


@contextmanager
def _closed_if_cancelled(work: Work) -> Iterator[None]:
    """Make an end of all evidence if a person wanted it; else the step waits to be done."""
    try:
        yield
    except Ended as ended:
        if work.is_wanted(ended):
            evidenced.close(work.folder, Verdict.FAILED, ended.reason)
