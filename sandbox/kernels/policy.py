"""What a kernel may see, do and use: one policy, recorded in each report.

Nothing here starts a process. `bubblewrap.py` turns a policy into a command line, and the
supervisor watches over the limits that no kernel of an operating system holds for us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.errors import SettingsError
from sandbox.kernels import seccomp

MIB = 1024 * 1024
GIB = 1024 * MIB

INSIDE = PurePosixPath("/sandbox")  # everything of ours, as the notebook sees it
WORK = INSIDE / "work"
SOCKETS = INSIDE / "sockets"
DATA = INSIDE / "data"
ATTACHED = INSIDE / "attached"
CATALOG = INSIDE / "catalog.json"
CONNECTION = INSIDE / "connection.json"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one execution may use before it is ended."""

    wall_s: int = 900  # seconds from the kernel's start to its end
    cpu_s: int = 1800  # processor seconds of all its processes together
    memory_bytes: int = 4 * GIB  # proportional share of memory, all processes together
    processes: int = 64  # at one moment
    disk_bytes: int = 1 * GIB  # in the work folder
    files: int = 10_000  # in the work folder
    file_bytes: int = 512 * MIB  # one file
    output_bytes: int = 32 * MIB  # everything that cells send back
    open_files: int = 1024  # per process
    tmp_bytes: int = 512 * MIB  # /tmp, which lies in memory
    shm_bytes: int = 256 * MIB  # /dev/shm, which lies in memory

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise SettingsError(
                    f"limit {field.name} must be a whole number above 0, not {value!r}"
                )

    @property
    def tasks(self) -> int:
        """Processes and threads together: the bound that holds between two looks of the watch.

        Numerical libraries start a thread per processor, so it lies well above `processes`.
        """
        return 8 * self.processes + 256

    def to_record(self) -> dict[str, int]:
        """Give the limits for a record."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, int]) -> Limits:
        """Read limits from a record."""
        return cls(**{field.name: record[field.name] for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A read-only file or folder of the machine, and where the notebook sees it."""

    source: Path
    target: PurePosixPath

    def __post_init__(self) -> None:
        if not self.source.is_absolute() or not self.target.is_absolute():
            raise SettingsError(f"a mount needs absolute paths: {self.source} on {self.target}")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One kernel's world: its only writable folder, the data it may read, its limits."""

    work: Path
    limits: Limits = Limits()
    data: tuple[Mount, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    isolated: bool = True
    host: str = "sandbox"  # the name of the machine, as the notebook sees it
    folder: PurePosixPath = WORK  # where the notebook sees its writable folder

    def __post_init__(self) -> None:
        if self.folder.parent != INSIDE:
            raise SettingsError(f"the work folder must be seen in {INSIDE}, not as {self.folder}")
        for mount in self.data:
            if INSIDE not in mount.target.parents:
                raise SettingsError(f"data must be mounted below {INSIDE}, not on {mount.target}")

    def to_record(self) -> dict[str, Any]:
        """Give the policy as the report states it, in words that name no folder of the machine."""
        if not self.isolated:
            return {"network": True, "writable": ["*"], "readable": ["*"]}
        return {
            "network": False,
            "host_home": False,
            "system_calls": "filtered" if seccomp.program() else "not filtered",
            "privileges": "none, and no new ones; nested user namespaces refused",
            "writable": [str(self.folder), str(SOCKETS), "/tmp", "/dev/shm"],
            "readable": ["system", "interpreter", "packages"]
            + [str(mount.target) for mount in self.data],
            "environment": sorted(name for name, _ in self.environment),
        }
