"""Start everything, tell the doors, watch, and stop everything."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import ServerError, SettingsError
from sandbox.kernels import available
from sandbox.language import _
from sandbox.settings import Settings
from sandbox.up import browser, leftovers, lock, showcase
from sandbox.up.doors import Doors
from sandbox.up.server import Server
from sandbox.up.showcase import Task
from sandbox.worker import positions
from synthetic.tables.files import make_folder

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_S = 0.2  # between two looks at the processes
DEATHS, WITHIN_S = 3, 60  # a server that dies more often is not started again
WORK = "sandbox-work"

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asked for."""

    work: Path | None = None  # JupyterLab's root; `~/sandbox-work` if none is named
    workspace_port: int | None = None
    pages_port: int | None = None
    open_browser: bool = True
    showcase: bool = True


def conduct(
    settings: Settings,
    wishes: Wishes,
    *,
    tell: Tell,
    ready: Callable[[Mapping[str, str]], None],
) -> None:
    """Keep the sandbox up until somebody stops it; `ready` gets the two addresses once.

    Raises
    ------
    ServerError
        If a port is taken, a server cannot start or keeps dying, or another `up` runs.
    StorageError
        If the home or the work folder cannot be written.
    """
    make_folder(settings.home)
    root = work_folder(settings, wishes.work)
    with lock.alone(settings) as doors_file, stopped_by_signals() as asked:
        doors = Doors.choose(
            settings,
            root,
            workspace_port=wishes.workspace_port,
            pages_port=wishes.pages_port,
            asked=asked,
        )
        try:
            _start(settings, wishes, doors, tell)
            if not asked.is_set():
                lock.tell(doors_file, doors.facts())
                ready(doors.facts())
            _watch(settings, wishes, doors, tell)
        finally:
            tell(_("stopping…"))
            _stop(settings, doors, tell)
            tell(_("stopped; your notebooks are in {folder}").format(folder=root))


def work_folder(settings: Settings, asked: Path | None) -> Path:
    """Make the folder that JupyterLab shows, apart from the home with its keys and records."""
    root = (asked or Path.home() / WORK).expanduser()
    root = Path(os.path.realpath(Path.cwd() / root))
    home = Path(os.path.realpath(settings.home))
    if root.is_relative_to(home) or home.is_relative_to(root):
        raise SettingsError(
            _(
                "the work folder {work} and the home {home} lie in one another; notebooks must not "
                "reach records: choose another folder with --work"
            ).format(work=root, home=home)
        )
    made = make_folder(root)
    if not os.access(made, os.W_OK | os.X_OK):
        raise SettingsError(
            _("no permission to write in {work}; choose another folder with --work").format(
                work=made
            )
        )
    return made


def _start(settings: Settings, wishes: Wishes, doors: Doors, tell: Tell) -> None:
    for server in doors.servers:
        server.start()
    if not (isolation := available()):
        tell(
            _(
                "Notebooks cannot run here yet: {problem}. Until then only the showcase runs, "
                "without isolation, and its report says so."
            ).format(problem=isolation.message)
        )
    if wishes.showcase and showcase.is_needed(settings):
        tell(_("the first time, the default replicas are built and the showcase is run:"))
        doors.task = Task(showcase.demo(), doors.environment, tell)
    for server in doors.servers:
        server.wait(doors.asked.is_set)


def _watch(settings: Settings, wishes: Wishes, doors: Doors, tell: Tell) -> None:
    """Look after the processes until somebody asks for the end."""
    is_open = not wishes.open_browser
    is_rest_wanted = wishes.showcase
    while not doors.asked.wait(LOOK_S):
        # Opened on an empty workspace, the first thing to be seen would be that nothing is there.
        if not is_open and (doors.task is None or showcase.is_built(settings)):
            is_open = True
            if not browser.opened(doors.workspace.url, os.environ):
                tell(_("no browser could be opened; open the workspace's address yourself"))
        if doors.task is not None and doors.task.is_over:
            _task_ended(doors.task, tell)
            doors.task = None
        if doors.task is None and is_rest_wanted:
            is_rest_wanted = False
            if datasets := showcase.missing(settings):
                tell(
                    _("building the other datasets meanwhile: {names}").format(
                        names=", ".join(datasets)
                    )
                )
                doors.task = Task(showcase.rest(settings, datasets), doors.environment, tell)
        for server in doors.servers:
            if not server.is_alive:
                _again(server, doors, tell)


def _task_ended(task: Task, tell: Tell) -> None:
    if code := task.process.returncode:
        tell(
            _(
                "that did not succeed (exit code {code}); the workspace goes on without it, and the "
                "next `sandbox up` tries again"
            ).format(code=code)
        )


def _again(server: Server, doors: Doors, tell: Tell) -> None:
    """Start a server again that died, at the same address."""
    ended = server.how_it_ended()
    server.stop()
    recent = [moment for moment in server.starts if moment > time.monotonic() - WITHIN_S]
    if len(recent) > DEATHS:
        raise ServerError(
            _(
                "{server} ended {n} times within {seconds} s ({how}); its log is {log}. Your "
                "notebooks and runs are kept."
            ).format(
                server=server.title,
                n=len(recent),
                seconds=WITHIN_S,
                how=ended,
                log=server.log_file,
            )
        )
    tell(_("{server} ended ({how}); starting it again").format(server=server.title, how=ended))
    server.start()
    server.wait(doors.asked.is_set)
    if server.url:
        words = _("{server} answers again at the same address; reload its tab")
        tell(words.format(server=server.title))
    else:
        tell(_("{server} is there again").format(server=server.title))


def _stop(settings: Settings, doors: Doors, tell: Tell) -> None:
    if doors.task is not None:
        doors.task.stop()
    for server in doors.servers:
        server.let_go()
    for server in doors.servers:
        server.stop()
    leftovers.end(doors.mark)
    for run_id in positions(settings):
        tell(_("run {run} waits; the next `sandbox up` executes it").format(run=run_id))


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Turn Ctrl-C, a closed terminal and a request to end into an event."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *got: asked.set()) for number in SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
