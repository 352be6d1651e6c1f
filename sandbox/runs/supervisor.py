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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import RunError, SandboxError
from sandbox.kernels import Limits, Mount, Policy, available, bytecode
from sandbox.kernels.environment import environment
from sandbox.kernels.folders import tidy
from sandbox.kernels.policy import CATALOG, DATA
from sandbox.kernels.surroundings import USUAL, Surroundings
from sandbox.language import N_, _, language, speaking
from sandbox.runs import notebook as notebooks
from sandbox.runs import record, registry, staging
from sandbox.runs.evidenced import draw_report
from sandbox.runs.executed import prepared, written
from sandbox.runs.folder import ExecutionFolder, RunFolder, now
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind, Status, check_can_move, end_of
from sandbox.runs.submission import check_can_run
from sandbox.settings import Settings
from synthetic.errors import StorageError, SyntheticError
from synthetic.tables.files import make_folder, write_atomically, write_json

if TYPE_CHECKING:
    from sandbox.runs.conduct import Execution, OnCell

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_HAND = N_("stopped by Ctrl-C")
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
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self.status is Status.CANCELLED and self.reason.message == BY_HAND


def execute(settings: Settings, run_id: str, on_cell: OnCell | None = None) -> Outcome:
    """Execute a queued run here and now, and give its end.

    `on_cell` is called with (position from 1, number of cells, state) as cells begin and end.
    SIGINT, SIGTERM and SIGHUP cancel the run while it lasts, if this is the main thread.
    """
    folder = RunFolder.find(settings, run_id)
    with folder.locked() as held:
        if not held:
            raise RunError(
                _("run {run} is already being executed by another process").format(run=run_id)
            )
        check_can_move(run_id, folder.status(), Status.RUNNING)
        folder.first.make()
        job = Job(settings, folder, folder.first, in_words_of(language(), on_cell))
        # Before anybody can know whom to send a signal.
        with cancelled_by_signals(job.cancel):
            folder.sign(os.getpid())
            folder.move(Status.RUNNING, by=f"supervisor {os.getpid()}")
            registry.note(settings, run_id)
            # What is written down must not depend on the language of whoever wanted the run.
            with told_in(folder.log_file), speaking("en"):
                reason = job.run(meanwhile=_load_report)
                draw_report(settings, folder)
            folder.move(end_of(reason.kind), by=f"supervisor {os.getpid()}")
    registry.note(settings, run_id)
    return Outcome(run=run_id, status=end_of(reason.kind), reason=reason)


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
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.place = place
        self.surroundings = surroundings
        self.submission = folder.submission()
        self.started_at = now()
        self._began = time.monotonic()
        self.asked: str | None = None  # to end, and by whom
        self.execution: Execution | None = None
        self.isolation: dict[str, Any] = {}
        self.usage = record.Usage()
        self._on_cell = on_cell
        self._changed = threading.Event()

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
        if name == signal.SIGINT.name:
            self.asked = BY_HAND
        elif name == signal.SIGTERM.name and self.folder.cancel_file.exists():
            self.asked = N_("stopped by sandbox run cancel")
        else:
            self.asked = N_("stopped by {name}").format(name=name)
        if self.execution is not None:
            self.execution.watch.ask(Kind.CANCELLED, self.asked)

    def _execute(self, meanwhile: Callable[[], None]) -> Reason:
        from sandbox.runs.conduct import Execution
        from sandbox.runs.engine import SandboxEngine

        data = self.folder.notebook.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.submission["notebook_sha256"]:
            raise RunError(
                _("the frozen notebook is not the one that was submitted; submit it again")
            )
        found = notebooks.parse(self.submission["notebook_name"], data)
        make_folder(self.place.work)
        policy = self._policy(unchanged=notebooks.is_unchanged_template(found))
        notebook = prepared(found, self.submission["parameters"])
        self.execution = Execution(
            policy=policy,
            log_file=self.place.log_file,
            on_cell=self._cell_changed,
            on_tick=self._write_if_changed,
            meanwhile=meanwhile,
        )
        if self.asked:
            self.execution.watch.ask(Kind.CANCELLED, self.asked)
        self._write_record()
        bytecode.warm(self.settings.home).wait()
        SandboxEngine.execute_notebook(notebook, "python3", execution=self.execution)
        assert self.execution.reason is not None
        return self.execution.reason

    def _policy(self, *, unchanged: bool) -> Policy:
        """Decide how this notebook runs, and write the decision down."""
        check_can_run(self.settings, unchanged=unchanged)
        isolation = available()
        isolated = bool(isolation)
        inputs = self._inputs()
        data: tuple[Mount, ...] = ()
        catalog_file = self.place.catalog_file
        told: dict[str, Any] = {"datasets": []}
        if inputs is not None:
            told = inputs.lab_catalog(Path(DATA) if isolated else None)
            data = staging.mounted(self.place.staged, inputs) if isolated else ()
        write_json(catalog_file, told)
        around = self.surroundings
        policy = Policy(
            work=self.place.work,
            limits=Limits.from_record(self.submission["limits"]),
            data=(*data, Mount(source=catalog_file, target=CATALOG)) if isolated else (),
            environment=environment(catalog=str(CATALOG), surroundings=around)
            if isolated
            else environment(
                catalog=str(catalog_file), tmp=str(self._own_tmp()), surroundings=around
            ),
            isolated=isolated,
            host=around.host,
            folder=around.folder,
        )
        self.isolation = {
            "mechanism": "bubblewrap" if isolated else "none",
            "version": isolation.version if isolated else None,
            "as_root": isolation.as_root,
            "policy": policy.to_record(),
            "note": None if isolated else UNISOLATED.format(problem=isolation.message),
        }
        return policy

    def _own_tmp(self) -> Path:
        return make_folder(self.place.work / ".tmp")

    def _inputs(self) -> Any:
        if not self.submission["inputs"]:
            return None
        from sandbox import catalog

        inputs = catalog.restore(self.settings, self.submission["inputs"])
        inputs.check_files()
        return inputs

    def _cell_changed(self, position: int, n_cells: int, state: str) -> None:
        self._changed.set()
        self._on_cell(position, n_cells, state)

    def _write_if_changed(self) -> None:
        if self._changed.is_set():
            self._changed.clear()
            self._write_record()

    def _write_record(self, reason: Reason | None = None) -> None:
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
                "inputs": self.submission["inputs"],
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


def _load_report() -> None:
    """Import what makes the report, half a second, before it is needed."""
    try:
        from sandbox.runs import report  # noqa: F401
    except Exception:
        log.exception("the report cannot be loaded")  # and the run goes on to its end without


@contextmanager
def cancelled_by_signals(cancel: Callable[[str], None]) -> Iterator[None]:
    """Let Ctrl-C and its like cancel the run instead of ending this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda got, frame: cancel(signal.Signals(got).name))
        for number in SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
