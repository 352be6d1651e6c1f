"""Can this machine isolate a kernel? Tried with a real sandbox, told with the remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.kernels import seccomp
from sandbox.kernels.bubblewrap import Private, Tools, launch
from sandbox.kernels.doorway import Doorway, give
from sandbox.kernels.environment import environment
from sandbox.kernels.policy import Policy
from sandbox.language import N_, Later, _

OLDEST = (0, 8)  # the first that can close further user namespaces (--disable-userns)
INSTALL = N_(
    "install it (Debian and Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap)"
)
# The first process of the sandbox shows its environment to everything inside, so it gets none.
BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
PROBE_TIMEOUT_S = 20
CANNOT = N_("bubblewrap cannot start a sandbox here ({problem})")
SWITCHES = {
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        N_("user namespaces are switched off: {command}"),
        "sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    "/proc/sys/user/max_user_namespaces": (
        "0",
        N_("user namespaces are switched off: {command}"),
        "sysctl -w user.max_user_namespaces=10000",
    ),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        N_(
            "AppArmor keeps user namespaces from programs without a profile: install the profile "
            "bwrap-userns-restrict (package apparmor-profiles), or {command}"
        ),
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Availability:
    """What isolation this machine can give, or why none and what mends it."""

    tools: Tools | None
    version: str | None
    as_root: bool
    problem: Later | None  # one sentence
    remedy: Later | None  # what to do about it

    def __bool__(self) -> bool:
        return self.problem is None

    @property
    def message(self) -> str:
        """The problem and its remedy, in one line."""
        return f"{self.problem}; {self.remedy}" if self.problem else _("bubblewrap works")


@cache
def available() -> Availability:
    """Start a trivial sandbox and say whether that worked."""
    return probe()


def probe() -> Availability:
    """Try now, without remembering."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not sys.platform.startswith("linux"):
        return Availability(
            tools=None,
            version=None,
            as_root=as_root,
            problem=Later(
                N_("kernels are isolated on Linux only, and this is {system}"),
                {"system": sys.platform},
            ),
            remedy=Later(
                N_("on Windows use WSL2; on macOS use a Linux virtual machine or container")
            ),
        )
    found = {name: shutil.which(name) for name in ("bwrap", "prlimit", "setpriv")}
    needed = ["bwrap", "prlimit"] + (["setpriv"] if as_root else [])
    version = version_of(found["bwrap"])
    problem: Later | None = None
    remedy: Later | None = None
    for name in needed:
        if found[name] is None and problem is None:
            problem = Later(N_("the program {name} is not installed"), {"name": name})
            remedy = Later(INSTALL if name == "bwrap" else N_("install the package util-linux"))
    if problem is None and version is not None and parsed(version) < OLDEST:
        problem = Later(
            N_("bubblewrap {version} is too old: {oldest} or newer is needed"),
            {"version": version, "oldest": ".".join(map(str, OLDEST))},
        )
        remedy = Later(N_("install a newer one, such as that of Debian 12 or Ubuntu 24.04"))
    tools = None
    if problem is None:
        tools = Tools(
            bwrap=Path(str(found["bwrap"])),
            prlimit=Path(str(found["prlimit"])),
            setpriv=Path(found["setpriv"]) if found["setpriv"] else None,
        )
        problem = trial(tools, as_root=as_root)
        remedy = advice() if problem else None
    return Availability(
        tools=tools, version=version, as_root=as_root, problem=problem, remedy=remedy
    )


def trial(tools: Tools, *, as_root: bool) -> Later | None:
    """Start Python in a sandbox; None if it ran, else what was said."""
    with tempfile.TemporaryDirectory(prefix="sandbox-probe-") as folder:
        work = Path(folder)
        give(work, as_root=as_root)
        doorway = Doorway.open(as_root=as_root)
        try:
            doorway.private.connection.write_text("{}")
            policy = Policy(work=work, environment=environment(catalog=""))
            command = (sys.executable, "-S", "-c", "print('alive')")
            process = begin(policy, doorway.private, command, tools=tools, as_root=as_root)
            said = heard(process)
        except subprocess.TimeoutExpired:
            return Later(
                N_("bubblewrap did not start a sandbox within {n} s"), {"n": PROBE_TIMEOUT_S}
            )
        except OSError as error:
            return Later(CANNOT, {"problem": error})
        finally:
            doorway.close()
    if process.returncode == 0 and said.strip() == b"alive":
        return None
    words = said.decode(errors="replace").strip().splitlines()
    return Later(CANNOT, {"problem": words[-1] if words else Later(N_("it said nothing"))})


def heard(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for a process's end and give its words."""
    with process:
        try:
            return process.communicate(timeout=PROBE_TIMEOUT_S)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def begin(
    policy: Policy,
    private: Private,
    command: Sequence[str],
    *,
    tools: Tools,
    as_root: bool,
    info: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command inside; its words come out of one pipe. `info` is told the first process."""
    program = seccomp.program()
    handles = [] if program is None else [in_memory(program)]
    try:
        ready = launch(
            policy,
            private,
            command,
            tools=tools,
            as_root=as_root,
            filter_handle=handles[0] if handles else None,
        )
        options = in_memory(b"".join(os.fsencode(option) + b"\0" for option in ready.options))
        handles.append(options)
        told = () if info is None else ("--info-fd", str(info))
        return subprocess.Popen(
            [str(ready.program), "--args", str(options), *told, "--", *ready.command],
            env=BARE,
            cwd="/",
            pass_fds=(*handles, *(() if info is None else (info,))),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    finally:
        for handle in handles:
            os.close(handle)


def in_memory(data: bytes) -> int:
    """Put bytes into memory and give the handle to read them from."""
    handle = os.memfd_create("sandbox", 0)
    os.write(handle, data)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def advice() -> Later:
    """Say what probably keeps a sandbox from starting on this machine."""
    for switch, (closed, words, command) in SWITCHES.items():
        try:
            if Path(switch).read_text().strip() == closed:
                return Later(words, {"command": command})
        except OSError:
            continue
    return Later(
        N_(
            "it needs user namespaces and mounts: in a container start it with {options}, or use a "
            "virtual machine"
        ),
        {"options": "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"},
    )


def version_of(program: str | None) -> str | None:
    """Give bubblewrap's version as it states it."""
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\d+(\.\d+)+", done.stdout)
    return match.group() if match else None


def parsed(version: str) -> tuple[int, ...]:
    """Turn a version into numbers that compare."""
    return tuple(int(part) for part in version.split("."))
