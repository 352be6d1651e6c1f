"""A worker: slots that are forked off it, looked after, and ended with it.

Slots come from a process that has imported what they need and has one thread, so a slot that was
killed is there again at once. Nothing of the queue is kept here.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn

from sandbox.runs import workers
from sandbox.runs.workers import Place
from sandbox.settings import Settings
from sandbox.worker.preloading import end_with, preload
from sandbox.worker.queue import Queue
from sandbox.worker.slot import Slot

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LOOK_S = 0.5
LINGER_S = 3  # without anything to do before a worker ends that was asked to end then
SOON_S = 1  # a slot that lives no longer is not replaced at once
STOP_S = 30  # for slots to end what they do; then they are killed


def usual_slots() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(kw_only=True, eq=False)
class Worker:
    """The process that slots are forked off."""

    settings: Settings
    n_slots: int
    until_idle: bool
    lifeline: int | None = None  # a handle that is closed when the worker shall end
    slots: dict[int, int] = field(default_factory=dict)  # pid -> place
    begun: dict[int, float] = field(default_factory=dict)  # place -> when its slot began
    asked: bool = False
    wakeup: int = -1

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Keep the slots at work until somebody asks for the end, or there is nothing to do.

        `ready` is called once runs can be left to this worker.
        """
        queue = Queue(self.settings)
        with self._signals():
            try:
                while not self.asked:
                    with workers.registered(self.settings, self._pids()) as place:
                        ready()
                        preload(self.settings)
                        self._keep(place, queue)
                    # Who submits from now on starts another worker; who did before is seen here.
                    if queue.look().is_empty:
                        return
            finally:
                self._stop()

    def _keep(self, place: Place, queue: Queue) -> None:
        """Look after the slots until somebody asks for the end, or nothing is left to do."""
        busy_at = time.monotonic()
        while not self.asked and time.monotonic() - busy_at < LINGER_S:
            self._replace(place)
            self._sleep(LOOK_S)
            self._reap()
            if not self.until_idle or not queue.look().is_empty:
                busy_at = time.monotonic()

    def _replace(self, place: Place) -> None:
        """Fork the slots that are missing off this process."""
        missing = [one for one in range(self.n_slots) if one not in self.slots.values()]
        for one in missing:
            if time.monotonic() - self.begun.get(one, 0.0) > SOON_S:
                self.begun[one] = time.monotonic()
                self.slots[self._fork(one, place)] = one
        if missing:
            place.tell(self._pids())

    def _pids(self) -> list[int]:
        return sorted(self.slots, key=lambda pid: self.slots[pid])

    def _fork(self, number: int, place: Place) -> int:
        parent = os.getpid()
        return os.fork() or self._be_a_slot(number, place, parent)

    def _be_a_slot(self, number: int, place: Place, parent: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for one in (*SIGNALS, signal.SIGCHLD):
                signal.signal(one, signal.SIG_DFL)
            os.setsid()  # Ctrl-C in the terminal is for the worker alone
            end_with(parent)
            place.let_go()
            is_reserved = number == 0 and self.n_slots > 1
            Slot(
                settings=self.settings,
                is_reserved=is_reserved,
                keeps_a_kernel=not self.until_idle,
            ).work()
            code = 0
        except BaseException:
            log.exception("a slot ended")
        finally:
            logging.shutdown()
            os._exit(code)

    def _reap(self) -> None:
        """Notice slots that have ended."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if (place := self.slots.pop(pid, None)) is not None and not self.asked:
                    code = os.waitstatus_to_exitcode(status)
                    log.warning("slot %d (process %d) ended with %d", place, pid, code)

    def _stop(self) -> None:
        """Tell the slots to end, as often as needed: a run that ends at that moment hears it not."""
        self.asked = True
        deadline = time.monotonic() + STOP_S
        while self.slots:
            number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
            for pid in self.slots:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            self._sleep(LOOK_S)
            self._reap()

    def _sleep(self, seconds: float) -> None:
        """Wait for a signal, the end of a slot or the lifeline, for a while at most."""
        watched = [self.wakeup] + ([self.lifeline] if self.lifeline is not None else [])
        ready, _, _ = select.select(watched, [], [], seconds)
        if self.wakeup in ready:
            os.read(self.wakeup, 4096)
        if self.lifeline is not None and self.lifeline in ready and not os.read(self.lifeline, 64):
            self.lifeline, self.asked = None, True

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note who asks for the end, and wake up for it and for slots that end."""

        def ask(*got: object) -> None:
            self.asked = True

        read, write = os.pipe()
        os.set_blocking(write, False)
        self.wakeup = read
        former_handle = signal.set_wakeup_fd(write)
        before = {number: signal.signal(number, ask) for number in SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *got: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(former_handle)
            os.close(read)
            os.close(write)
