"""Runs left to a worker of this home, and asked to end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from contextlib import suppress

from sandbox.errors import RunError, StateError
from sandbox.language import _
from sandbox.runs import evidenced, registry, workers
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status, check_can_move, title
from sandbox.settings import Settings

log = logging.getLogger(__name__)

READY_S = 60  # for a worker to be there after it was started
CANCELLED_S = 60  # for a supervisor to end a run after it was asked
WORKER = ("sandbox.worker", "--until-idle")  # a module, which runs cannot import, and its option
LOOK_S = 0.05
LOG_BYTES = 10_000_000  # a longer log begins anew
STARTED: list[subprocess.Popen[bytes]] = []  # kept until they have ended, to be waited for


def start(settings: Settings, run_id: str) -> None:
    """Leave a queued run to a living worker, or to one that is started and ends when all is done."""
    folder = RunFolder.find(settings, run_id)
    status = folder.status()
    if status is not Status.QUEUED:
        if not workers.living(settings):  # else one has it already
            check_can_move(run_id, status, Status.RUNNING)
        return
    if not workers.living(settings):
        _start_worker(settings, run_id)


def _start_worker(settings: Settings, run_id: str) -> None:
    log_file = settings.home / "worker.log"
    with suppress(OSError):
        if log_file.stat().st_size > LOG_BYTES:
            log_file.unlink()
    with log_file.open("ab") as said:
        before = said.tell()
        process = subprocess.Popen(
            # -P: a file in the present folder must not be taken for one of our modules.
            [sys.executable, "-P", "-m", *WORKER],
            env={**os.environ, "SANDBOX_HOME": str(settings.home)},
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    STARTED[:] = [one for one in STARTED if one.poll() is None] + [process]
    deadline = time.monotonic() + READY_S
    while not workers.living(settings) and time.monotonic() < deadline:
        if process.poll() is not None:
            words = log_file.read_bytes()[before:].decode(errors="replace").strip().splitlines()
            raise RunError(
                _("no worker could be started for run {run}: {problem}").format(
                    run=run_id, problem=words[-1] if words else _("it said nothing")
                )
            )
        time.sleep(0.02)


def cancel(settings: Settings, run_id: str) -> Status:
    """End a run that is queued or running, or its evidence; give the state the run is in then."""
    folder = RunFolder.find(settings, run_id)
    status = registry.look_after(folder)
    evidenced.evidence(settings, folder)
    if status.is_final and evidenced.is_asked(folder):
        _end_evidence(settings, folder)
        return status
    if status.is_final:
        raise StateError(
            _("run {run} has already ended ({status}); nothing to cancel").format(
                run=run_id, status=title(status)
            )
        )
    deadline = time.monotonic() + CANCELLED_S
    while not (status := registry.look_after(folder)).is_final:
        if status is Status.QUEUED and _taken_back(settings, folder):
            return Status.CANCELLED
        _ask_to_end(folder)
        _check_time(folder, deadline)
        time.sleep(LOOK_S)
    return status


def _taken_back(settings: Settings, folder: RunFolder) -> bool:
    """Cancel a run that waits; False if a supervisor has it by now."""
    with folder.locked() as held:
        if not held or folder.status() is not Status.QUEUED:
            return False
        folder.move(Status.CANCELLED, by="cancel")
        registry.note(settings, folder.id)
        return True


def _end_evidence(settings: Settings, folder: RunFolder) -> None:
    """End the execution that goes on for a run's evidence, and all that was to follow."""
    _ask_to_end(folder)
    deadline = time.monotonic() + CANCELLED_S
    while evidenced.is_asked(folder):
        _check_time(folder, deadline)
        evidenced.evidence(settings, folder)
        time.sleep(LOOK_S)


def _ask_to_end(folder: RunFolder) -> None:
    """Leave a word for whoever executes the run, who looks for it all the time."""
    try:
        folder.cancel_file.touch()
    except OSError as error:
        raise RunError(
            _("run {run} belongs to another user; ask them to cancel").format(run=folder.id)
        ) from error


def _check_time(folder: RunFolder, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise RunError(
            _("run {run} did not end within {n} s (process {pid})").format(
                run=folder.id, n=CANCELLED_S, pid=folder.supervisor()
            )
        )
