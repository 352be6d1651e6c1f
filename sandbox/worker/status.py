"""Who works on what, and what waits: read from the runs' folders and the workers that live."""

from __future__ import annotations

import math
from typing import Any

from sandbox.runs import workers
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from sandbox.worker.queue import Look, Queue, Seen


def status(settings: Settings, queue: Queue | None = None) -> dict[str, Any]:
    """Give the workers with what each slot does, and the queue with positions and waits."""
    look = (queue or Queue(settings)).look()
    living = workers.living(settings)
    at_work = _at_work(settings, look)
    return {
        "workers": [
            {
                "pid": one.pid,
                "started_at": one.started_at,
                "slots": [{"pid": pid, **at_work.pop(pid, IDLE)} for pid in one.slots],
            }
            for one in living
        ],
        "others": [{"pid": pid, **work} for pid, work in at_work.items()],
        "waiting": [
            {
                "run": one.run,
                "team": one.team,
                "position": place,
                "wait_s": wait_s(look, place, sum(len(worker.slots) for worker in living)),
            }
            for place, one in enumerate(look.first, 1)
        ],
        "evidence": [{"run": one.run, "step": one.step} for one in look.evidence],
    }


IDLE: dict[str, Any] = {"run": None, "work": None}


def wait_s(look: Look, position: int, n_slots: int) -> float | None:
    """Expect how long the run at this position waits; None if nobody can know.

    Each slot takes one run after the other, and each takes as long as they usually do here.
    """
    n_before = len(look.running) + position - 1
    if not n_slots:
        return None
    if n_before < n_slots:
        return 0.0
    if look.typical_s is None:
        return None
    return round(math.floor(n_before / n_slots) * look.typical_s, 1)


def _at_work(settings: Settings, look: Look) -> dict[int, dict[str, Any]]:
    """Tell by process which run it executes, and what of it."""
    found: dict[int, dict[str, Any]] = {}
    for one in (*look.evidence, *look.running):
        if (pid := _supervisor(settings, one)) is not None:
            found[pid] = {"run": one.run, "work": one.step or "first"}
    return found


def _supervisor(settings: Settings, one: Seen) -> int | None:
    """Give the process that holds a run's lock."""
    folder = RunFolder(settings.runs / one.run)
    return folder.supervisor() if folder.is_taken() else None
