"""Command lines of bubblewrap, for an ordinary user and for root.

An ordinary user needs one stage: a user namespace of the kernel's own. Root needs two, because
process limits do not bind uid 0, not even behind a user namespace that root made: an outer
bubblewrap makes the mounts (only root may reach an interpreter below a closed home), `setpriv`
drops to an ordinary uid without capabilities, and an inner bubblewrap makes the user namespace,
closes further ones and turns everything read-only but the places that are meant to be written.

Options travel through a pipe (`--args`), because the first process of the sandbox shows its
command line to everything inside, and the options name folders of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.kernels import interpreter
from sandbox.kernels.policy import CONNECTION, SOCKETS, Limits, Mount, Policy

NOBODY = 65534  # the uid and gid that root's kernels run as
INSIDE_ID = 1000  # the uid and gid that a notebook sees itself as

# Top folders that are links into /usr on merged systems and folders on the others.
TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Nothing else of /etc is needed, and much of it tells about the machine.
ETC = ("/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives", "/etc/localtime")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What to run: the program's own arguments, and those given through a pipe."""

    program: Path
    options: tuple[str, ...]  # through --args
    command: tuple[str, ...]  # what runs inside


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The system's programs that isolation is made of."""

    bwrap: Path
    prlimit: Path
    setpriv: Path | None  # only root needs it


@dataclass(frozen=True, kw_only=True)
class Private:
    """Files of one kernel on the machine's side, in a folder that only the supervisor can enter."""

    connection: Path
    sockets: Path
    passwd: Path
    group: Path


def launch(
    policy: Policy,
    private: Private,
    command: Sequence[str],
    *,
    tools: Tools,
    as_root: bool,
    filter_handle: int | None,
) -> Launch:
    """Give the command line that starts this command inside the policy's world.

    `filter_handle` is an open file with the filter of system calls, if there is one.
    """
    filtered = () if filter_handle is None else ("--seccomp", str(filter_handle))
    limited = (*prlimit(policy.limits, tools), "--", *command)
    if not as_root:
        options = (
            *("--unshare-all", "--unshare-user", "--disable-userns"),
            *("--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID)),
            *filtered,
            *common(policy),
            *mounts(policy, private, as_root=False),
        )
        return Launch(program=tools.bwrap, options=options, command=limited)
    options = (
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        "--unshare-cgroup-try",
        *common(policy),
        *(part for cap in ("SETUID", "SETGID", "SETPCAP") for part in ("--cap-add", f"CAP_{cap}")),
        *mounts(policy, private, as_root=True),
    )
    return Launch(
        program=tools.bwrap,
        options=options,
        command=(*dropped(tools, filtered, str(policy.folder)), *limited),
    )


def common(policy: Policy) -> tuple[str, ...]:
    """Give what both kinds share: a host name of our own, no capabilities, an environment of our own."""
    return (
        *("--hostname", policy.host, "--die-with-parent", "--new-session"),
        *("--clearenv", "--cap-drop", "ALL"),
        *(part for name, value in policy.environment for part in ("--setenv", name, value)),
    )


def mounts(policy: Policy, private: Private, *, as_root: bool) -> tuple[str, ...]:
    """Give the file system: system and data read-only, one work folder, sized memory disks."""
    limits = policy.limits
    parts: list[str] = ["--ro-bind", "/usr", "/usr"]
    for name in TOP:
        parts += top(Path("/", name))
    parts += ["--perms", "0755", "--dir", "/etc"]
    for path in ETC:
        parts += ["--ro-bind-try", path, path]
    parts += ["--proc", "/proc", "--dev", "/dev"]
    parts += ["--perms", "1777", "--size", str(limits.shm_bytes), "--tmpfs", "/dev/shm"]
    parts += ["--remount-ro", "/dev"]
    parts += ["--perms", "1777", "--size", str(limits.tmp_bytes), "--tmpfs", "/tmp"]
    read_only = [
        *(Mount(source=path, target=PurePosixPath(path)) for path in interpreter.folders()),
        Mount(source=private.passwd, target=PurePosixPath("/etc/passwd")),
        Mount(source=private.group, target=PurePosixPath("/etc/group")),
        Mount(source=private.connection, target=CONNECTION),
        *policy.data,
    ]
    hops = [(str(to), PurePosixPath(link)) for link, to in interpreter.hops()]
    targets = [
        *(mount.target for mount in read_only),
        *(link for _, link in hops),
        SOCKETS,
        policy.folder,
    ]
    if as_root:  # else the folders on the way are closed to everybody but root
        parts += [part for way in ways(targets) for part in ("--perms", "0755", "--dir", str(way))]
    for mount in read_only:
        parts += ["--ro-bind", str(mount.source), str(mount.target)]
    for to, link in hops:
        parts += ["--symlink", to, str(link)]
    parts += ["--bind", str(private.sockets), str(SOCKETS)]
    parts += ["--bind", str(policy.work), str(policy.folder)]
    # Without its capabilities even uid 0 cannot enter the work folder: it is the kernel's.
    return (*parts, "--remount-ro", "/", "--chdir", "/" if as_root else str(policy.folder))


def top(path: Path) -> list[str]:
    """Give a top folder as it is on this machine: a link, a folder, or nothing."""
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def ways(targets: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """List the folders that lead to these targets, parents first, without the system's own."""
    found = {parent for target in targets for parent in target.parents}
    found -= {PurePosixPath("/"), PurePosixPath("/tmp")}
    return sorted(found, key=lambda way: (len(way.parts), str(way)))


def dropped(tools: Tools, filtered: tuple[str, ...], work: str) -> tuple[str, ...]:
    """Give the second stage: an ordinary uid, then a closed user namespace on a read-only world."""
    assert tools.setpriv is not None
    return (
        *(str(tools.setpriv), "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
        *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
        *(str(tools.bwrap), "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
        *("--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID), "--die-with-parent", *filtered),
        *("--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--bind", "/dev/shm", "/dev/shm"),
        *("--bind", "/tmp", "/tmp", "--bind", str(SOCKETS), str(SOCKETS)),
        *("--bind", work, work, "--chdir", work, "--"),
    )


def prlimit(limits: Limits, tools: Tools) -> tuple[str, ...]:
    """Give the limits that the operating system holds by itself, set inside."""
    return (
        str(tools.prlimit),
        # Above what the supervisor ends a run for, so that the reason told is the true one.
        f"--cpu={limits.cpu_s + 10}",
        f"--nproc={limits.tasks}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        "--core=0",
        "--memlock=0",
    )
