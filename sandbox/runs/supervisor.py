"""Take a queued run to its end, from outside the kernel, and write down what was seen.

Whatever happens, the run's folder says truly where the run stands: a record is written before the
first cell and brought up to date, and a lock tells others that somebody is there.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import RunError, SandboxError, TakenError
from sandbox.kernels import Limits, Policy, available, bytecode
from sandbox.kernels.folders import tidy
from sandbox.kernels.surroundings import USUAL, Surroundings
from sandbox.language import N_, _, language, speaking
from sandbox.runs import attachments, record, registry, staging
from sandbox.runs import notebook as notebooks
from sandbox.runs.evidenced import CANCELLED, draw_report
from sandbox.runs.executed import prepared, written
from sandbox.runs.folder import ExecutionFolder, RunFolder, now
from sandbox.runs.notebook import Notebook
from sandbox.runs.record import Reason
from sandbox.runs.registry import queue_again
from sandbox.runs.states import Kind, Status, check_can_move, end_of
from sandbox.runs.submission import check_can_run
from sandbox.runs.world import World
from sandbox.settings import Settings
from synthetic.errors import StorageError, SyntheticError
from synthetic.tables.files import write_atomically, write_json

if TYPE_CHECKING:
    from sandbox.catalog import Inputs
    from sandbox.kernels.pool import Pool
    from sandbox.kernels.starting import Kernel
    from sandbox.runs.conduct import Execution, OnCell

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OWN_SIGNAL = signal.SIGUSR1  # by which this process interrupts itself
CANCEL_LOOK_S = 0.1
USAGE_S = 1.0  # after which a record shows what an execution uses now
BY_HAND = N_("stopped by Ctrl-C")
STOPPED = N_("the worker was stopped")
UNISOLATED = N_(
    "an unchanged template of this program, run without isolation because this machine has none: "
    "{problem}"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    run: str
    status: Status
    reason: Reason

    @property
    def succeeded(self) -> bool:
        """Whether every cell ran to its end."""
        return self.status is Status.SUCCEEDED

    @property
    def stopped(self) -> bool:
        """Whether the worker was told to stop, which is no end of the run."""
        return self.status is Status.QUEUED and self.reason.kind is Kind.SUPERVISOR_LOST

    @property
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self.status is Status.CANCELLED and self.reason.message == BY_HAND


def execute(
    settings: Settings, run_id: str, on_cell: OnCell | None = None, kernels: Pool | None = None
) -> Outcome:
    """Execute a queued run here and now, and give its end.

    `on_cell` is called with (position from 1, number of cells, state) as cells begin and end.
    SIGINT, SIGTERM and SIGHUP cancel the run while it lasts, if this is the main thread. Of a
    worker, whose `kernels` are given, SIGTERM is no matter of the run: it is queued again.

    Raises
    ------
    TakenError
        If another process executes it.
    """
    folder = RunFolder.find(settings, run_id)
    with folder.locked() as held:
        if not held:
            raise TakenError(
                _("run {run} is already being executed by another process").format(run=run_id)
            )
        folder.sweep()
        outcome = _execute(settings, folder, on_cell, kernels)
        while outcome.status is Status.QUEUED and not outcome.stopped:
            outcome = _execute(settings, folder, on_cell, kernels)
    registry.note(settings, run_id)
    return outcome


def _execute(
    settings: Settings, folder: RunFolder, on_cell: OnCell | None, kernels: Pool | None
) -> Outcome:
    """Execute a run whose lock is held; it ends, or is queued again."""
    check_can_move(folder.id, folder.status(), Status.RUNNING)
    folder.first.make()
    job = Job(
        settings,
        folder,
        folder.first,
        in_words_of(language(), on_cell),
        kernels=kernels,
        stopped_is=Kind.CANCELLED if kernels is None else Kind.SUPERVISOR_LOST,
    )
    by = f"supervisor {os.getpid()}"
    # Before anybody can know whom to send a signal.
    with cancelled_by_signals(job.cancel, folder):
        folder.sign(os.getpid())
        folder.move(Status.RUNNING, by=by)
        # What is written down must not depend on the language of whoever wanted the run.
        with told_in(folder.log_file), speaking("en"):
            reason = job.run(meanwhile=_load_report)
            again = job.why_again(reason)
            # A worker that is told to stop has tried nothing in vain.
            if again and queue_again(folder, by=by, why=again, is_counted=again != STOPPED):
                return Outcome(run=folder.id, status=Status.QUEUED, reason=reason)
            draw_report(settings, folder)
        folder.move(end_of(reason.kind), by=by)
    return Outcome(run=folder.id, status=end_of(reason.kind), reason=reason)


def in_words_of(tongue: str, on_cell: OnCell | None) -> OnCell:
    """Call somebody back in the language that they speak."""

    def call(position: int, n_cells: int, state: str) -> None:
        if on_cell is not None:
            with speaking(tongue):
                on_cell(position, n_cells, state)

    return call


class Job:
    """One execution of one run, by the supervisor that holds its lock."""

    def __init__(
        self,
        settings: Settings,
        folder: RunFolder,
        place: ExecutionFolder,
        on_cell: OnCell,
        surroundings: Surroundings = USUAL,
        inputs: Inputs | None = None,  # other ones than those that were submitted
        *,
        kernels: Pool | None = None,  # one of them is taken, if it fits
        stopped_is: Kind = Kind.CANCELLED,  # what a signal that was not meant for the run makes of it
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.place = place
        self.surroundings = surroundings
        self.submission = folder.submission()
        self.inputs = inputs
        self.kernels = kernels
        self.stopped_is = stopped_is
        self.started_at = now()
        self._began = time.monotonic()
        self.asked: str | None = None  # to end, and by whom
        self.execution: Execution | None = None
        self.isolation: dict[str, Any] = {}
        self.usage = record.Usage()
        self._on_cell = on_cell
        self._changed = threading.Event()
        self._written = 0.0  # when the record was written last

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> Reason:
        """Execute, write record and executed notebook, and give the end.

        `meanwhile` is called while a kernel that did its work ends.
        """
        try:
            reason = self._execute(meanwhile)
        except (SandboxError, SyntheticError) as error:
            log.error("the run could not start: %s", error)
            reason = Reason(kind=Kind.COULD_NOT_START, message=str(error))
        except Exception as error:
            log.exception("the supervisor met a defect of its own")
            reason = Reason(
                kind=Kind.COULD_NOT_START if self.execution is None else Kind.KERNEL_DIED,
                message=N_("a defect of the supervisor ({problem})").format(
                    problem=f"{type(error).__name__}: {error}"
                ),
            )
        return self._finish(reason)

    def cancel(self, name: str) -> None:
        """End the execution, now or as soon as it begins; safe in a signal handler."""
        self.asked = asked_by(name, self.folder)
        if self.execution is not None:
            self.execution.watch.ask(self._kind_asked, self.asked)

    def why_again(self, reason: Reason) -> str | None:
        """Say why the run is to be queued again, if its end was none of the notebook's doing."""
        if reason.kind is Kind.SUPERVISOR_LOST:
            return STOPPED
        if self.execution is not None and self.execution.may_start_later and not self.asked:
            return reason.message
        return None

    @property
    def _kind_asked(self) -> Kind:
        is_meant = self.asked in {BY_HAND, CANCELLED}
        return Kind.CANCELLED if is_meant else self.stopped_is

    def _execute(self, meanwhile: Callable[[], None]) -> Reason:
        from sandbox.runs.conduct import Execution
        from sandbox.runs.engine import SandboxEngine

        data = self.folder.notebook.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.submission["notebook_sha256"]:
            raise RunError(
                _("the frozen notebook is not the one that was submitted; submit it again")
            )
        attachments.check_frozen(self.folder.submission_file, self.submission)
        found = notebooks.parse(self.submission["notebook_name"], data)
        world = self._world(found)
        notebook = prepared(found, self.submission["parameters"])
        kernel, policy = self._kernel(world)
        self._describe(policy)
        self.execution = Execution(
            policy=policy,
            log_file=self.place.log_file,
            on_cell=self._cell_changed,
            on_tick=self._write_if_changed,
            meanwhile=meanwhile,
            kernels=self.kernels,
            kernel=kernel,
        )
        try:
            if self.asked:
                self.execution.watch.ask(self._kind_asked, self.asked)
            self._write_record()
            bytecode.warm(self.settings.home).wait()
            SandboxEngine.execute_notebook(notebook, "python3", execution=self.execution)
        except BaseException:
            self.execution.close()
            raise
        assert self.execution.reason is not None
        return self.execution.reason

    def _world(self, found: Notebook) -> World:
        """Give what the notebook is to find around it, or refuse to run it on this machine."""
        # To be a template matters only where nothing can be isolated; all of them have to be read.
        unchanged = not available() and notebooks.is_unchanged_template(found)
        check_can_run(self.settings, unchanged=unchanged)
        return World.of(
            Limits.from_record(self.submission["limits"]),
            self.surroundings,
            self._inputs(),
            isolated=bool(available()),
            attached=attachments.mounts(self.folder.submission_file, self.submission),
        )

    def _kernel(self, world: World) -> tuple[Kernel | None, Policy]:
        """Take a kernel that waits in such a world, with its folder, or furnish this one."""
        warm = self.kernels.take(world.key) if self.kernels and world.isolated else None
        if self.kernels is None or warm is None:
            return None, world.furnish(self.place.path.resolve())
        try:
            self.place.adopt(warm.folder)
        except BaseException:
            self.kernels.run(warm.kernel.close())
            raise
        warm.kernel.provisioner.log_file = str(self.place.log_file)
        return warm.kernel, replace(warm.kernel.policy, work=self.place.work)

    def _describe(self, policy: Policy) -> None:
        """Write down how the notebook is isolated."""
        isolation = available()
        self.isolation = {
            "mechanism": "bubblewrap" if policy.isolated else "none",
            "version": isolation.version if policy.isolated else None,
            "as_root": isolation.as_root,
            "policy": policy.to_record(),
            "note": None if policy.isolated else UNISOLATED.format(problem=isolation.message),
        }

    def _inputs(self) -> Any:
        if not self.submission["inputs"]:
            return None
        from sandbox import catalog

        inputs = self.inputs or catalog.restore(self.settings, self.submission["inputs"])
        inputs.check_files()
        return inputs

    def _cell_changed(self, position: int, n_cells: int, state: str) -> None:
        self._changed.set()
        self._on_cell(position, n_cells, state)

    def _write_if_changed(self) -> None:
        usage = self.execution.usage if self.execution else self.usage
        is_due = time.monotonic() > self._written + USAGE_S and usage != self.usage
        if self._changed.is_set() or is_due:
            self._changed.clear()
            self.usage = usage
            self._write_record()

    def _write_record(self, reason: Reason | None = None) -> None:
        self._written = time.monotonic()
        execution = self.execution
        ended = now() if reason else None
        results, conclusions = (
            record.claims(execution.notebook)
            if reason and execution and execution.notebook
            else ([], [])
        )
        write_json(
            self.place.record_file,
            {
                "format": record.FORMAT,
                "run": self.folder.id,
                "execution": self.place.name,
                "status": str(end_of(reason.kind)) if reason else str(Status.RUNNING),
                "reason": reason.to_record() if reason else None,
                "started_at": self.started_at,
                "ended_at": ended,
                "seconds": round(time.monotonic() - self._began, 3) if ended else None,
                "cells": [cell.to_record() for cell in execution.cells] if execution else [],
                "parameters": self.submission["parameters"],
                "inputs": self.inputs.to_record() if self.inputs else self.submission["inputs"],
                "environment": record.environment(),
                "limits": self.submission["limits"],
                "isolation": self.isolation,
                "surroundings": self.surroundings.to_record(isolated=self._isolated),
                "usage": (execution.usage if execution else self.usage).to_record(),
                "results": results,
                "conclusions": conclusions,
                "runner": record.runner(),
            },
        )

    @property
    def _isolated(self) -> bool:
        return bool(self.isolation) and self.isolation["mechanism"] != "none"

    def _finish(self, reason: Reason) -> Reason:
        reason = self._keep_outputs() or reason
        staging.clear(self.place.staged)
        for removed in tidy(self.place.work):
            log.warning("removed from the work folder: %r", removed[:200])
        self._write_record(reason)
        return reason

    def _keep_outputs(self) -> Reason | None:
        """Write the executed notebook; where that cannot be, the run has not succeeded."""
        if self.execution is None or self.execution.notebook is None:
            return None
        try:
            write_atomically(self.place.executed, written(self.execution.notebook))
        except StorageError as error:
            cause = error.__cause__
            is_full = isinstance(cause, OSError) and cause.errno == errno.ENOSPC
            return Reason(kind=Kind.DISK_FULL if is_full else Kind.DISK, message=str(error))
        except Exception as error:
            # What a kernel sent is the notebook's to choose, so writing it can fail in any way.
            log.exception("the cells' outputs could not be written")
            message = N_("the cells' outputs could not be written ({problem})").format(
                problem=type(error).__name__
            )
            self.execution.notebook = None  # nothing is claimed by what nobody can read
            return Reason(kind=Kind.OUTPUT_SIZE, message=message)
        return None


def asked_by(name: str, folder: RunFolder) -> str:
    """Say who asked for the end, from the name of the signal."""
    if name == signal.SIGINT.name:
        return BY_HAND
    if folder.cancel_file.exists():
        return CANCELLED
    return N_("stopped by {name}").format(name=name)


def _load_report() -> None:
    """Import what makes the report, half a second, before it is needed."""
    try:
        from sandbox.runs import report  # noqa: F401
    except Exception:
        log.exception("the report cannot be loaded")  # and the run goes on to its end without


@contextmanager
def cancelled_by_signals(cancel: Callable[[str], None], folder: RunFolder) -> Iterator[None]:
    """Let `sandbox run cancel`, Ctrl-C and its like cancel the run instead of ending this process."""
    if threading.current_thread() is not threading.main_thread():
        with cancelled_by_file(folder, lambda: cancel(signal.SIGTERM.name)):
            yield
        return
    heard: list[int] = []

    def end(number: int, frame: object) -> None:
        heard.append(number)
        cancel(signal.Signals(number).name)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    before[OWN_SIGNAL] = signal.signal(
        OWN_SIGNAL, lambda number, frame: cancel(signal.SIGTERM.name)
    )
    main = threading.get_ident()
    try:
        with cancelled_by_file(folder, lambda: signal.pthread_kill(main, OWN_SIGNAL)):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # A worker's slot was meant as well, not the run alone.
        if signal.SIGTERM in heard and callable(handler := before[signal.SIGTERM]):
            handler(signal.SIGTERM, None)


@contextmanager
def cancelled_by_file(folder: RunFolder, cancel: Callable[[], None]) -> Iterator[None]:
    """Cancel a run once its cancel file is there: a signal could meet a process that left it."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(CANCEL_LOOK_S):
            if folder.cancel_file.exists():
                cancel()
                return

    thread = threading.Thread(target=look, name="cancel", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def told_in(path: Path) -> Iterator[None]:
    """Write this program's own messages into the execution's log."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("sandbox")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):  # a full disk is told by what could not be written there
            handler.close()
