"""Runs in processes of their own: a supervisor started for one, and asked to end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from sandbox.errors import RunError, StateError
from sandbox.language import _
from sandbox.runs import evidenced, registry
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status, check_can_move, title
from sandbox.settings import Settings

TAKEN_S = 20  # for a supervisor of its own to take its run
CANCELLED_S = 30  # for a supervisor to end a run after it was asked
SUPERVISOR = "sandbox.evidence"  # its command is this package and the run's name
STARTED: list[subprocess.Popen[bytes]] = []  # kept until they have ended, to be waited for


def start(settings: Settings, run_id: str) -> int:
    """Leave a queued run to a process of its own; give its pid once it has taken the run."""
    folder = RunFolder.find(settings, run_id)
    check_can_move(run_id, folder.status(), Status.RUNNING)
    said_file = folder.path / "supervisor.txt"
    with said_file.open("wb") as said:
        process = subprocess.Popen(
            # -P: a file in the present folder must not be taken for one of our modules.
            [sys.executable, "-P", "-m", SUPERVISOR, run_id],
            env={**os.environ, "SANDBOX_HOME": str(settings.home)},
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    folder.sign(process.pid)
    STARTED[:] = [one for one in STARTED if one.poll() is None] + [process]
    deadline = time.monotonic() + TAKEN_S
    while folder.status() is Status.QUEUED and time.monotonic() < deadline:
        if process.poll() is not None:
            words = said_file.read_text(errors="replace").strip().splitlines()
            raise RunError(
                _("the supervisor of run {run} could not start: {problem}").format(
                    run=run_id, problem=words[-1] if words else _("it said nothing")
                )
            )
        time.sleep(0.02)
    return process.pid


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
    if status is Status.QUEUED:
        with folder.locked() as held:
            if held:
                check_can_move(run_id, folder.status(), Status.CANCELLED)
                folder.move(Status.CANCELLED, by="cancel")
                registry.note(settings, run_id)
                return Status.CANCELLED
    asked: int | None = None
    deadline = time.monotonic() + CANCELLED_S
    while not (status := registry.look_after(folder)).is_final:
        if status is Status.RUNNING and asked is None:  # while queued, the lock may name another
            asked = folder.supervisor()
            with suppress(OSError):  # only the words of the reason depend on it
                folder.cancel_file.touch()
            _ask_to_end(run_id, asked)
        if time.monotonic() > deadline:
            raise RunError(
                _("run {run} did not end within {n} s (process {pid})").format(
                    run=run_id, n=CANCELLED_S, pid=asked
                )
            )
        time.sleep(0.05)
    return status


def _end_evidence(settings: Settings, folder: RunFolder) -> None:
    """End the execution that goes on for a run's evidence, or its wait for a turn."""
    with suppress(OSError):  # only the words of the reason depend on it
        folder.cancel_file.touch()
    asked = folder.supervisor()
    _ask_to_end(folder.id, asked)
    deadline = time.monotonic() + CANCELLED_S
    while evidenced.is_asked(folder):
        if time.monotonic() > deadline:
            raise RunError(
                _("run {run} did not end within {n} s (process {pid})").format(
                    run=folder.id, n=CANCELLED_S, pid=asked
                )
            )
        time.sleep(0.05)
        evidenced.evidence(settings, folder)


def _ask_to_end(run_id: str, pid: int | None) -> None:
    if pid is None:
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise RunError(
            _("run {run} belongs to another user; ask them to cancel").format(run=run_id)
        ) from error
