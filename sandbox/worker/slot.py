"""A slot of a worker: a process that executes one run at a time, with kernels started ahead.

It holds nothing that its death could lose: a run that it had is queued again by whoever looks.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sandbox import runs
from sandbox.errors import SandboxError, StateError, TakenError
from sandbox.evidence import advance
from sandbox.kernels.pool import Pool
from sandbox.runs import registry
from sandbox.settings import Settings
from sandbox.worker.ahead import ALL, Wanted, wanted
from sandbox.worker.queue import Look, Queue, Seen
from synthetic.errors import SyntheticError

log = logging.getLogger(__name__)

LOOK_S = 0.05  # between two looks whether a new run is there
LOOK_AGAIN_S = 0.5  # after which everything is looked at, new or not
ASIDE_S = 10  # for which a run that could not be begun is left aside
SOON_S = 10  # evidence of a run that took longer is no work for the slot that first runs wait for
KEPT_S = 1800  # for which a kernel waits for a run while nothing happens


@dataclass(kw_only=True, eq=False)
class Slot:
    """One slot; the first of several is there for first executions and short evidence."""

    settings: Settings
    is_reserved: bool
    keeps_a_kernel: bool = True  # for a run to come, while there is nothing to do
    pool: Pool = field(init=False)
    queue: Queue = field(init=False)
    had: Counter[str] = field(default_factory=Counter)  # a team's steps of evidence, done here
    aside: dict[str, float] = field(default_factory=dict)  # runs left alone, until when
    stopping: threading.Event = field(default_factory=threading.Event)
    last: Wanted | None = None
    busy_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.pool = Pool(self.settings.runs / ".ahead")
        self.queue = Queue(self.settings)

    def work(self) -> None:
        """Execute what waits, until somebody asks for the end."""
        signal.signal(signal.SIGTERM, lambda *got: self.stopping.set())
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # they are for the worker, which tells us
        try:
            while not self.stopping.is_set():
                if self._take(self.queue.look(self.had)):
                    self.busy_at = time.monotonic()
                    continue
                self._keep_a_kernel()
                self._wait()
        finally:
            self.pool.close()

    def _take(self, look: Look) -> bool:
        """Do the first thing that nobody else has; False if there is none."""
        waiting = [one for one in look.first if not self._is_aside(one)]
        for place, one in enumerate(waiting):
            following = waiting[place + 1] if len(waiting) > place + 1 else None
            if self._tried(one, partial(self._execute, one, following)):
                return True
        for one in look.evidence:
            step = partial(advance, self.settings, one.run, kernels=self.pool)
            if self._may_take_evidence(one) and self._tried(one, step):
                self.had[one.team] += 1
                return True
        return False

    def _execute(self, one: Seen, following: Seen | None) -> None:
        this = wanted(self.settings, one.run)
        self.last = this if this and this.is_usual else self.last
        ahead = wanted(self.settings, following.run) if following else None

        def begun(position: int, n_cells: int, state: str) -> None:
            if ahead is not None and position == 1:
                ahead.start(self.pool)

        runs.execute(self.settings, one.run, begun, kernels=self.pool)

    def _tried(self, one: Seen, do: Callable[[], object]) -> bool:
        """Do a piece of work; False if another process has it, or it cannot be done now."""
        try:
            do()
        except (TakenError, StateError):
            return False
        except (SandboxError, SyntheticError, OSError) as error:
            log.error("run %s is left aside for a moment: %s", one.run, error)
        except Exception:
            # A slot must outlive what is wrong with one run.
            log.exception("run %s is left aside for a moment", one.run)
        else:
            return True
        self.aside[one.run] = time.monotonic() + ASIDE_S
        return False

    def _is_aside(self, one: Seen) -> bool:
        return self.aside.get(one.run, 0.0) > time.monotonic()

    def _may_take_evidence(self, one: Seen) -> bool:
        is_short = (one.seconds or 0.0) <= SOON_S
        return not self._is_aside(one) and (is_short or not self.is_reserved)

    def _keep_a_kernel(self) -> None:
        """Have one kernel wait for the likeliest run: one like the last."""
        if not self.keeps_a_kernel:
            return
        if self.last is None:
            self.last = self._likely()
        if self.last is not None and time.monotonic() - self.busy_at < KEPT_S:
            self.last.start(self.pool, ALL)
        else:
            self.pool.clear()

    def _likely(self) -> Wanted | None:
        """Give what the newest run needed, before this slot has had any."""
        names = sorted(registry.names(self.settings), reverse=True)
        found = (wanted(self.settings, name) for name in names[:3])
        return next((one for one in found if one and one.is_usual), None)

    def _wait(self) -> None:
        """Wait until a run may be there, or it is time to look at all of them."""
        deadline = time.monotonic() + LOOK_AGAIN_S
        before = self._changed()
        while time.monotonic() < deadline and self._changed() == before:
            if self.stopping.wait(LOOK_S):
                return

    def _changed(self) -> int:
        try:
            return self.settings.runs.stat().st_mtime_ns
        except OSError:
            return 0
