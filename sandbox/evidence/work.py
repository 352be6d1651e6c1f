"""Further executions of one run, by whoever holds its lock, and the wish that they end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.kernels.surroundings import USUAL, Surroundings
from sandbox.language import language, speaking
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.supervisor import (
    BY_HAND,
    Job,
    asked_by,
    cancelled_by_signals,
    in_words_of,
    told_in,
)
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.catalog import Inputs
    from sandbox.kernels.pool import Pool
    from sandbox.runs.conduct import OnCell

# An end that the notebook's own code made: seen beside a first execution that succeeded, it tells
# of its results. Any other end tells nothing.
OWN_ENDS = {Kind.COMPLETED, Kind.CELL_ERROR, Kind.EXIT_CALLED}


class Ended(Exception):
    """The work came to an end that is none of the notebook's doing, so it shows nothing."""

    def __init__(self, reason: Reason, *, is_asked: bool = True) -> None:
        super().__init__(reason.message)
        self.reason = reason
        self.is_asked = is_asked  # else something failed, and would perhaps not do so again


class Work:
    """The work on one run's evidence; a signal ends what is going on, and nothing is begun then."""

    def __init__(
        self,
        settings: Settings,
        folder: RunFolder,
        on_cell: OnCell | None = None,
        kernels: Pool | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.signal: str | None = None  # that asked for the end
        self._kernels = kernels
        self._on_cell = in_words_of(language(), on_cell)
        self._job: Job | None = None
        self._is_preparing = False

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Sign for the run, and let signals end the work."""
        with cancelled_by_signals(self.end, self.folder), speaking("en"):
            self.folder.sign(os.getpid())
            yield

    def end(self, name: str) -> None:
        """End what goes on, at a signal of this name."""
        self.signal = name
        if self._job is not None:
            self._job.cancel(name)
        elif self._is_preparing and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt  # a build then keeps its finished parts for the next one

    def is_wanted(self, ended: Ended) -> bool:
        """Whether a person wanted the end; what another end leaves undone is done later."""
        return ended.reason.message == BY_HAND or self.folder.cancel_file.exists()

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Do what no kernel does; a signal interrupts it."""
        self._is_preparing = True
        try:
            self._check()
            yield
            self._check()
        except KeyboardInterrupt:
            self._check()
            raise
        finally:
            self._is_preparing = False

    def execute(
        self, name: str, surroundings: Surroundings = USUAL, inputs: Inputs | None = None
    ) -> Reason:
        """Execute the notebook once more, in a folder of this name that begins empty.

        Raises Ended if it was ended, or could not start, for a cause outside the notebook.
        """
        place = self.folder.execution(name)
        place.forget()  # what an earlier one left
        place.make()
        job = Job(
            self.settings,
            self.folder,
            place,
            self._on_cell,
            surroundings,
            inputs,
            kernels=self._kernels,
            stopped_is=Kind.SUPERVISOR_LOST,
        )
        with told_in(place.log_file), self._attending(job):
            reason = job.run()
        if reason.kind is Kind.CANCELLED or job.why_again(reason):
            raise Ended(reason, is_asked=self.signal is not None)
        return reason

    @contextmanager
    def _attending(self, job: Job) -> Iterator[None]:
        self._job = job
        try:
            if self.signal is not None:
                job.cancel(self.signal)
            yield
        finally:
            self._job = None

    def _check(self) -> None:
        if self.signal is not None:
            words = asked_by(self.signal, self.folder)
            raise Ended(Reason(kind=Kind.CANCELLED, message=words))
