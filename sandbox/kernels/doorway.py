"""The folder through which a supervisor and a kernel meet: Unix sockets and a secret.

The kernel may write in the folder of sockets, so it could put a link to some other socket of the
machine in place of its own, and the supervisor would then speak to that with its own rights.
So each socket is pinned once, as an open handle on the very file, before anything is sent, and
the client connects through the handle.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import IsolationError
from sandbox.kernels.bubblewrap import INSIDE_ID, NOBODY, Private
from sandbox.kernels.folders import remove
from sandbox.kernels.policy import SOCKETS
from sandbox.kernels.processes import started

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
SHORT = "/tmp"  # a socket's path ends at 107 bytes; the folder in it is closed
LONGEST = 60  # bytes of the base folder's path, so that a socket's stays below 107


@dataclass(kw_only=True)
class Doorway:
    """One kernel's folder on the machine's side, closed to everybody but the supervisor."""

    folder: Path
    handles: list[int] = field(default_factory=list)

    @classmethod
    def open(cls, *, as_root: bool) -> Doorway:
        """Make the folder; for root, the sockets in it belong to the kernel's ordinary uid."""
        base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        if len(os.fsencode(base)) > LONGEST or not os.access(base, os.W_OK | os.X_OK):
            base = SHORT
        sweep(Path(base))
        doorway = cls(folder=Path(tempfile.mkdtemp(prefix=f"{owner(os.getpid())}-", dir=base)))
        doorway.sockets.mkdir(mode=0o700)
        give(doorway.sockets, as_root=as_root)
        doorway.private.passwd.write_text(
            f"root:x:0:0::/:/sbin/nologin\nsandbox:x:{INSIDE_ID}:{INSIDE_ID}::/tmp:/bin/sh\n"
        )
        doorway.private.group.write_text(f"root:x:0:\nsandbox:x:{INSIDE_ID}:\n")
        # Readable inside for another uid; outside, the folder around them is closed.
        for path in (doorway.private.passwd, doorway.private.group):
            path.chmod(0o444)
        return doorway

    @property
    def sockets(self) -> Path:
        """The only folder here that the kernel sees and may write in."""
        return self.folder / "s"

    @property
    def private(self) -> Private:
        """The files that bubblewrap mounts."""
        return Private(
            connection=self.folder / "kernel.json",
            sockets=self.sockets,
            passwd=self.folder / "passwd",
            group=self.folder / "group",
        )

    @property
    def client_prefix(self) -> str:
        """What the client puts before `-<port>` to find a socket."""
        return str(self.folder / "k")

    def client_socket(self, port: int) -> Path:
        """Where the client finds a socket."""
        return Path(f"{self.client_prefix}-{port}")

    def write_connection(
        self, info: dict[str, Any], *, isolated: bool, ahead: Sequence[str] = ()
    ) -> None:
        """Write the kernel's half of the connection, with paths as the kernel sees them.

        `ahead` names the modules that it imports before it answers.
        """
        prefix = str(SOCKETS / "k") if isolated else str(self.sockets / "k")
        key = info["key"]
        text = json.dumps(
            {
                **{name: info[name] for name in (*PORTS, "transport", "signature_scheme")},
                "ip": prefix,
                "key": key.decode() if isinstance(key, bytes) else key,
                "kernel_name": "",
                "ahead": list(ahead),
            }
        )
        path = self.private.connection
        path.write_text(text)
        path.chmod(0o444)

    def clear(self) -> None:
        """Forget the sockets of a kernel that has ended."""
        while self.handles:
            os.close(self.handles.pop())
        for port in PORTS.values():
            self.client_socket(port).unlink(missing_ok=True)
        for entry in self.sockets.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                remove(entry)
            else:
                entry.unlink(missing_ok=True)

    def pin(self) -> bool:
        """Pin the kernel's sockets; False while they are not all there yet.

        Raises
        ------
        IsolationError
            If something that is not a socket lies in a socket's place.
        """
        handles: list[int] = []
        try:
            for port in PORTS.values():
                path = self.sockets / f"k-{port}"
                handles.append(os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC))
                if not stat.S_ISSOCK(os.fstat(handles[-1]).st_mode):
                    raise IsolationError(f"the kernel put something else in the place of {path}")
        except OSError as error:
            close(handles)
            if error.errno == errno.ENOENT:
                return False
            raise
        except IsolationError:
            close(handles)
            raise
        self.handles = handles
        for handle, port in zip(handles, PORTS.values(), strict=True):
            self.client_socket(port).symlink_to(f"/proc/{os.getpid()}/fd/{handle}")
        return True

    def close(self) -> None:
        """Remove the folder and everything in it, without following links."""
        close(self.handles)
        self.handles = []
        remove(self.folder)


def owner(pid: int) -> str:
    """Name a process for good: the namespace of its number, the number, and when it started."""
    return f"sandbox-{Path('/proc/self/ns/pid').stat().st_ino}-{pid}-{started(pid)}"


def sweep(base: Path) -> None:
    """Remove the folders of supervisors that were killed."""
    for folder in base.glob("sandbox-*-*-*-*"):
        told = folder.name.split("-")
        with suppress(OSError, ValueError):
            mine = folder.lstat().st_uid == os.geteuid() and not folder.is_symlink()
            # One of another namespace may live: its number means nothing here.
            here = told[1] == owner(os.getpid()).split("-")[1]
            is_number = told[2].isascii() and told[2].isdecimal()
            alive = is_number and folder.name.startswith(f"{owner(int(told[2]))}-")
            if mine and here and not alive:
                remove(folder)


def give(folder: Path, *, as_root: bool) -> None:
    """Let a kernel write in this folder: root's kernels have another uid."""
    folder.chmod(0o700)
    if as_root:
        os.chown(folder, NOBODY, NOBODY)


def close(handles: list[int]) -> None:
    """Close open handles."""
    for handle in handles:
        os.close(handle)
