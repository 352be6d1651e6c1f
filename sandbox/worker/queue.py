"""The queue: the runs' own folders, read in the order in which they are to be worked on.

First executions of everybody come before anybody's evidence. Among first executions a team that
has had little done comes before one that has had much, then the oldest comes first; so a team with
many submissions keeps nobody waiting for all of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from sandbox.errors import SandboxError
from sandbox.evidence import next_step
from sandbox.runs import registry
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.states import Status
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

log = logging.getLogger(__name__)

RECENT_S = 600  # executions that a team has begun within this time count as had
MOST_ENDED = 20  # of the last executions, whose times tell how long one takes
UNREADABLE = (SandboxError, SyntheticError, OSError, KeyError, ValueError, TypeError)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the queue has to know of one run."""

    run: str
    team: str  # or the author, who then stands alone
    submitted_at: str
    status: Status
    begun: tuple[float, ...]  # moments at which its first execution began, in seconds of the epoch
    seconds: float | None  # that the last of them took, if it has ended
    step: str | None = None  # of its evidence, to be done next
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class Look:
    """The queue at one moment."""

    first: tuple[Seen, ...]  # runs that wait for their first execution, the next one first
    evidence: tuple[Seen, ...]  # runs that wait for a step of their evidence
    running: tuple[Seen, ...]
    typical_s: float | None  # the usual time of a first execution here

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing being done."""
        return not (self.first or self.evidence or self.running)


class Queue:
    """Looks at the runs of a home; what has not changed is not read again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._known: dict[str, tuple[int, Seen | None]] = {}
        self._named: dict[str, tuple[str, str]] = {}
        self._looking = threading.Lock()  # pages ask from many threads

    def look(self, had: Mapping[str, int] | None = None) -> Look:
        """Give everything that waits, in order; `had` counts a team's steps of evidence."""
        with self._looking:
            seen = [one for name in self._names() if (one := self._seen(name)) is not None]
        since = time.time() - RECENT_S
        load = Counter(
            one.team
            for one in seen
            for begun in one.begun
            if begun > since or one.status is Status.RUNNING
        )
        waiting = [one for one in seen if one.status is Status.QUEUED]
        steps = [one for one in seen if one.step is not None]
        had = had or {}
        return Look(
            first=tuple(_fair(waiting, load)),
            evidence=tuple(
                sorted(steps, key=lambda one: (one.priority, had.get(one.team, 0), _age(one)))
            ),
            running=tuple(one for one in seen if one.status is Status.RUNNING),
            typical_s=_typical(seen),
        )

    def _names(self) -> list[str]:
        present = registry.names(self.settings)
        for gone in set(self._known) - present:
            del self._known[gone]
        return sorted(present)

    def _seen(self, name: str) -> Seen | None:
        """Look at one run; one whose files are damaged waits for nothing."""
        folder = RunFolder(self.settings.runs / name)
        try:
            known = self._known.get(name)
            if known is not None and known[1] is not None and known[1].status is Status.RUNNING:
                registry.look_after(folder)
            changed = folder.path.stat().st_mtime_ns
            if known is None or known[0] != changed:
                known = (changed, self._read(folder))
                # Within one tick of the clock a second change has the same time.
                if time.time_ns() - changed > 100_000_000:
                    self._known[name] = known
        except UNREADABLE as error:
            log.debug("run %s cannot be read: %s", name, error)
            return None
        return known[1]

    def _read(self, folder: RunFolder) -> Seen | None:
        registry.look_after(folder)
        state = read(folder.state_file)
        status = Status(state["status"])
        step = next_step(folder) if status is Status.SUCCEEDED else None
        if folder.id not in self._named:
            submission = folder.submission()
            team = submission["team"] or submission["author"]
            self._named[folder.id] = (str(team), str(submission["submitted_at"]))
        team, submitted_at = self._named[folder.id]
        begun = [_moment(one) for one in state["history"] if one["to"] == Status.RUNNING]
        ended = _moment(state["history"][-1]) if status.is_final else None
        return Seen(
            run=folder.id,
            team=team,
            submitted_at=submitted_at,
            status=status,
            begun=tuple(begun),
            seconds=ended - begun[-1] if ended is not None and begun else None,
            step=step.name if step else None,
            priority=step.priority if step else 0,
        )


def _fair(waiting: list[Seen], load: Counter[str]) -> list[Seen]:
    """Order runs as they will be taken, each of which adds to what its team has had."""
    left: dict[str, list[Seen]] = {}
    for one in sorted(waiting, key=_age):
        left.setdefault(one.team, []).append(one)
    had, order = Counter(load), []
    while left:
        team = min(left, key=lambda name: (had[name], _age(left[name][0])))
        order.append(left[team].pop(0))
        had[team] += 1
        if not left[team]:
            del left[team]
    return order


def _age(one: Seen) -> tuple[str, str]:
    return one.submitted_at, one.run


def _typical(seen: list[Seen]) -> float | None:
    """Give the usual time of a first execution, from those that began last."""
    ended = [one for one in seen if one.seconds is not None]
    last = sorted(ended, key=lambda one: one.begun[-1])[-MOST_ENDED:]
    return median(one.seconds or 0.0 for one in last) if last else None


def _moment(step: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(step["at"]).astimezone(UTC).timestamp()
