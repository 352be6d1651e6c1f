"""A run's folder: where its files lie, its state, and the lock that its supervisor holds.

The folder is the truth. A supervisor holds a lock on it as long as it lives; the operating system
lets go of the lock whatever way the supervisor ends, so a run that says it is running without a
locked folder has lost its supervisor.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox import journal
from sandbox.errors import RunError
from sandbox.kernels.folders import remove
from sandbox.kernels.processes import started
from sandbox.language import _
from sandbox.runs.states import Status, check_can_move
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, storage_error, write_json
from synthetic.tables.manifest import sha256

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
SIGNED_BYTES = 160  # more than the longest signature, so that a new one covers the old
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ExecutionFolder:
    """One execution on disk; `path` is a name for readers, a link to where the files are.

    A kernel can read from where its mounts come, so the folder itself has a name by chance.
    """

    path: Path

    def make(self) -> None:
        """Make the folder, unless it is there."""
        if self.path.exists():
            return
        made = make_folder(self.path.parent / secrets.token_hex(4))
        try:
            self.path.unlink(missing_ok=True)  # a link to what was removed
            self.path.symlink_to(made.name)
        except OSError as error:
            raise storage_error("make the link", self.path, error) from error

    def adopt(self, fresh: Path) -> None:
        """Take a folder that a kernel was started in for this execution's; the log goes with it."""
        former = self.path.resolve()
        made = self.path.parent / fresh.name
        link = self.path.with_name(f".{self.path.name}-{fresh.name}")
        try:
            fresh.rename(made)
            if self.log_file.exists():
                self.log_file.rename(made / self.log_file.name)
            link.symlink_to(made.name)
            link.replace(self.path)
        except OSError as error:
            raise storage_error("use the folder", fresh, error) from error
        remove(former)

    def forget(self) -> None:
        """Remove the folder and all that is in it; its name then leads nowhere."""
        former = self.path.resolve()
        self.path.unlink(missing_ok=True)
        remove(former)

    @property
    def name(self) -> str:
        """Which execution it is."""
        return self.path.name

    @property
    def record_file(self) -> Path:
        """What the supervisor saw."""
        return self.path / "record.json"

    @property
    def executed(self) -> Path:
        """The notebook with its outputs."""
        return self.path / "executed.ipynb"

    @property
    def work(self) -> Path:
        """The kernel's only folder to write in, by its own name."""
        return self.path.resolve() / "work"

    @property
    def staged(self) -> Path:
        """The data as the kernel gets them, while it runs, by its own name."""
        return self.path.resolve() / "data"

    @property
    def catalog_file(self) -> Path:
        """The catalogue as the kernel gets it, by its own name."""
        return self.path.resolve() / "catalog.json"

    @property
    def log_file(self) -> Path:
        """What the kernel and the supervisor said beside the cells."""
        return self.path / "log.txt"

    def record(self) -> dict[str, Any] | None:
        """Read the record, if there is one yet."""
        return read(self.record_file) if self.record_file.is_file() else None


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @classmethod
    def find(cls, settings: Settings, run_id: str) -> RunFolder:
        """Find a run by its name."""
        if not RUN_ID.fullmatch(run_id):
            raise RunError(
                _(
                    "{run!r} is not the name of a run; `sandbox run list` shows them, such as "
                    "20261122-154500-0a1b2c"
                ).format(run=run_id)
            )
        path = settings.runs / run_id
        if not (path / "run.json").is_file():
            raise RunError(
                _("there is no run {run}; `sandbox run list` shows those there are").format(
                    run=run_id
                )
            )
        return cls(path)

    @property
    def id(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def state_file(self) -> Path:
        """Status and history."""
        return self.path / "run.json"

    @property
    def notebook(self) -> Path:
        """The frozen notebook."""
        return self.path / "submission" / "notebook.ipynb"

    @property
    def submission_file(self) -> Path:
        """Who submitted what, with which parameters and inputs."""
        return self.path / "submission" / "submission.json"

    @property
    def first(self) -> ExecutionFolder:
        """The first execution: its claims are the run's."""
        return ExecutionFolder(self.path / "executions" / "first")

    @property
    def repeat(self) -> ExecutionFolder:
        """The second execution, in other surroundings."""
        return self.execution("repeat")

    def execution(self, name: str) -> ExecutionFolder:
        """Give an execution by its name: first, repeat, null, draw-1 and so on."""
        return ExecutionFolder(self.path / "executions" / name)

    def further(self) -> list[ExecutionFolder]:
        """Give the executions after the first that have begun."""
        found = sorted((self.path / "executions").glob("*"))
        return [ExecutionFolder(one) for one in found if one.is_symlink() and one.name != "first"]

    @property
    def record_file(self) -> Path:
        """What the supervisor saw of the first execution."""
        return self.first.record_file

    @property
    def executed(self) -> Path:
        """The notebook with its outputs."""
        return self.first.executed

    @property
    def work(self) -> Path:
        """The kernel's only folder to write in."""
        return self.first.work

    @property
    def staged(self) -> Path:
        """The data as the kernel gets them, while it runs."""
        return self.first.staged

    @property
    def log_file(self) -> Path:
        """What the kernel and the supervisor said beside the cells."""
        return self.first.log_file

    @property
    def evidence_file(self) -> Path:
        """What further executions show; not there if none was asked for."""
        return self.path / "evidence.json"

    @property
    def report(self) -> Path:
        """The report for readers."""
        return self.path / "report.html"

    @property
    def lock_file(self) -> Path:
        """Locked by the supervisor; says which process that is, or will be while it is queued."""
        return self.path / "supervisor.lock"

    @property
    def cancel_file(self) -> Path:
        """There if somebody asked for the end with `sandbox run cancel`."""
        return self.path / "cancel"

    def status(self) -> Status:
        """Read where the run stands."""
        try:
            return Status(read(self.state_file)["status"])
        except (KeyError, ValueError) as error:
            raise damaged(self.state_file, _("no known status")) from error

    def submission(self) -> dict[str, Any]:
        """Read the submission."""
        return read(self.submission_file)

    def record(self) -> dict[str, Any] | None:
        """Read the first execution's record, if there is one yet."""
        return self.first.record()

    def move(self, wanted: Status, *, by: str) -> None:
        """Move the run to a state and write the step into its history."""
        state = read(self.state_file)
        present = Status(state["status"])
        check_can_move(self.id, present, wanted)
        # Before the step itself: who dies between the two leaves a run that somebody moves on.
        number = self.log(
            "state",
            **{"from": str(present), "to": str(wanted), "by": role(by)},
            **(self.hashes() if wanted.is_final else {}),
        )
        step = {"at": now(), "from": str(present), "to": str(wanted), "by": by, "log": number}
        write_json(
            self.state_file,
            {**state, "status": str(wanted), "history": [*state["history"], step]},
        )

    def log(self, event: str, **facts: str | int | None) -> int | None:
        """Write into the installation's log what happens to the run; give the line's number."""
        return journal.append(self.path.parent.parent, event, self.id, **facts)

    def hashes(self) -> dict[str, str]:
        """Hash what is final once the first execution has ended, by the names that the log has."""
        files = {
            "notebook": self.notebook,
            "submission": self.submission_file,
            "record": self.record_file,
            "executed": self.executed,
        }
        return {name: sha256(path) for name, path in files.items() if path.is_file()}

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the supervisor's lock; False if another process has it."""
        try:
            handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise storage_error("lock", self.lock_file, error) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def sweep(self) -> None:
        """Remove what a killed writer left beside its file; only who holds the lock may."""
        for file in (self.record_file, self.state_file, self.evidence_file, self.report):
            for left in self.path.glob(f".{file.name}-*"):
                with suppress(OSError):
                    left.unlink()

    def is_taken(self) -> bool:
        """Whether a process holds the lock now."""
        try:
            handle = os.open(self.lock_file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def sign(self, pid: int) -> None:
        """Write into the lock which process supervises the run, or is about to."""
        text = json.dumps({"pid": pid, "started": started(pid), "boot": boot()})
        try:
            # In place, since the lock is on this very file, and in one piece for who reads it now.
            handle = os.open(self.lock_file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(handle, text.ljust(SIGNED_BYTES).encode(), 0)
            finally:
                os.close(handle)
        except OSError as error:
            raise storage_error("sign", self.lock_file, error) from error

    def supervisor(self) -> int | None:
        """Give the pid of the supervisor, if it is still that very process."""
        try:
            told = json.loads(self.lock_file.read_text())
            pid, start = int(told["pid"]), int(told["started"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return pid if told.get("boot") == boot() and started(pid) == start else None


def read(path: Path) -> dict[str, Any]:
    """Read a JSON object that we wrote."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error("read", path, error) from error
    except ValueError as error:
        raise damaged(path, str(error)) from error
    if not isinstance(value, dict):
        raise damaged(path, _("not an object"))
    return value


def damaged(path: Path, problem: str) -> RunError:
    """Say that a file of ours is not as we wrote it."""
    return RunError(
        _("{path} is damaged ({problem}); remove its run's folder").format(
            path=path, problem=problem
        )
    )


def role(by: str) -> str:
    """Give who moved a run as a role: the first word of what its history has."""
    return by.split(maxsplit=1)[0].rstrip(":") if by.strip() else "unknown"


def now() -> str:
    """Give the time as records write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_id(moment: datetime) -> str:
    """Name a run: its second, in UTC, and then digits that sort runs of one second by time.

    Three digits tell 1/4096 s, so lists of names are in order of submission; three are random.
    """
    part = moment.microsecond * 4096 // 1_000_000
    return f"{moment:%Y%m%d-%H%M%S}-{part:03x}{secrets.randbelow(4096):03x}"


def boot() -> str | None:
    """Name this start of the machine: pids mean nothing across two."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return None
