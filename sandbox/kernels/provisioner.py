"""A kernel provisioner for Jupyter that starts kernels under a policy.

It serves the runs' supervisor, and any Jupyter server whose kernel spec names it. The connection
goes over Unix sockets in a folder of the kernel's own: there is no network inside.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Instance, List, Unicode

from sandbox.errors import IsolationError, NotReadyError
from sandbox.kernels import isolation
from sandbox.kernels.doorway import PORTS, Doorway, give
from sandbox.kernels.environment import environment
from sandbox.kernels.policy import CONNECTION, MIB, Policy
from sandbox.kernels.processes import kill_tree
from sandbox.language import _

log = logging.getLogger(__name__)

NAME = "sandbox-provisioner"
START_TIMEOUT_S = 60
END_TIMEOUT_S = 10
# The kernel without its debugger, which takes 0.6 s to import and which nobody in a run uses, and
# with outputs that wait for a slow reader: by default what is over a thousand is dropped unseen.
# What it is to import ahead stands in its connection file, so that its command line and its
# environment say nothing of it; what such an import leaves in /tmp would say it as well.
# At the end everything of the notebook is closed as Python would do it; the kernel's own channels
# and the modules are not taken apart, which takes half a second and which nobody could see.
START = """
import atexit, gc, importlib, io, json, os, shutil, sys, threading, zmq
sys.modules['debugpy'] = None
from ipykernel.kernelapp import IPKernelApp
import ipykernel.ipkernel, ipykernel.debugger
del sys.modules['debugpy']
class Kernel(IPKernelApp):
    name = 'ipython-kernel'
    def init_iopub(self, context):
        context.setsockopt(zmq.SNDHWM, 0)
        super().init_iopub(context)
app = Kernel.instance()
app.initialize()
with open(sys.argv[2]) as file:
    ahead = json.load(file).get('ahead', ())
before = os.listdir('/tmp') if ahead else []
for module in ahead:
    try:
        importlib.import_module(module)
    except Exception:
        pass  # the notebook will meet it where it can be seen
if ahead:
    for name in set(os.listdir('/tmp')) - set(before):
        shutil.rmtree(f'/tmp/{name}', ignore_errors=True)
    sys.stdout.flush(); sys.stderr.flush()
gc.collect()
gc.freeze()
app.start()
threading._shutdown()
atexit.unregister(app.close)
atexit._run_exitfuncs()
app.shell.user_ns.clear()
gc.collect()
for one in gc.get_objects():
    if issubclass(type(one), (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)):
        try:
            one.flush()
        except Exception:
            pass  # it was closed, or never for writing
os._exit(0)
"""
LOG_BYTES = 1 * MIB  # what a kernel says outside its cells; the rest is read and dropped


class SandboxProvisioner(KernelProvisionerBase):
    """Start, watch and end one kernel inside its policy."""

    policy = Instance(Policy, allow_none=True, help="What the kernel may see, do and use.")
    work = Unicode("", help="The kernel's writable folder, where no policy is given.")
    log_file = Unicode("", help="Where the kernel's own words go; dropped without.")
    ahead = List(Unicode(), help="Modules that the kernel imports before it answers.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.process: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        self.exit_code: int | None = None
        self.doorway: Doorway | None = None
        self._first: int | None = None  # a handle on the first process inside
        self._listener: threading.Thread | None = None
        self._ending = threading.Lock()

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and not yet cleared away."""
        return self.process is not None

    async def poll(self) -> int | None:
        """Give None while the kernel lives, else a number."""
        if self.process is None:
            return 0 if self.exit_code is None else self.exit_code
        return self.process.poll()

    async def wait(self) -> int | None:
        """Wait for the kernel's end and clear it away."""
        if self.process is None:
            return self.exit_code
        while self.process.poll() is None:
            await asyncio.sleep(0.02)
        self._clear()
        return self.exit_code

    async def send_signal(self, signum: int) -> None:
        """Kill if asked to; a sandbox takes no other signal, it is interrupted by message."""
        if signum in (signal.SIGKILL, signal.SIGTERM):
            self.end()

    async def kill(self, restart: bool = False) -> None:
        """End everything inside at once."""
        self.end()

    async def terminate(self, restart: bool = False) -> None:
        """End everything inside at once: a kernel that is still there ignored the request."""
        self.end()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Make the meeting place, and tell the manager of it."""
        policy = self.policy or self._policy_of_spec(kwargs.get("cwd"))
        self.policy = policy
        if policy.isolated:
            availability = isolation.available()
            if not availability:
                raise IsolationError(availability.message)
        if self.doorway is None:  # else a restart, which keeps address and ports
            self.doorway = Doorway.open(as_root=self._as_root)
        manager: Any = self.parent
        manager.transport = "ipc"
        manager.ip = self.doorway.client_prefix
        for name, port in PORTS.items():
            setattr(manager, name, port)
        manager.connection_file = str(self.doorway.folder / "client.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        self.doorway.clear()
        self.doorway.write_connection(
            dict(self.connection_info), isolated=policy.isolated, ahead=self.ahead
        )
        given = kwargs.pop("extra_arguments", [])
        connection = str(CONNECTION if policy.isolated else self.doorway.private.connection)
        command = [part.replace("{connection_file}", connection) for part in self.kernel_spec.argv]
        if command[0] in {"python", "python3"}:
            command[0] = sys.executable
        return await super().pre_launch(cmd=[*command, *given], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel and wait until its sockets are there."""
        assert self.policy is not None
        assert self.doorway is not None
        self.exit_code = None
        give(self.policy.work, as_root=self._as_root)
        try:
            self._start(cmd)
            await self._meet()
        except BaseException:
            self.end()
            self._clear()
            raise
        return self.connection_info

    def end(self) -> None:
        """Kill everything inside and wait until nothing of it is left; from any thread."""
        with self._ending:
            process = self.process
            if process is None or process.poll() is not None:
                return
            if self._first is not None:
                # The first process inside ends only when all the others have.
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._first, signal.SIGKILL)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(END_TIMEOUT_S)
            else:
                kill_tree(process.pid)
            process.kill()
            process.wait(END_TIMEOUT_S)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the meeting place, unless the kernel comes back to it."""
        self.end()
        self._clear()
        if self.doorway is not None and not restart:
            self.doorway.close()
            self.doorway = None

    def resolve_path(self, path: str) -> str | None:
        """Give no path of the machine away."""
        return None

    @property
    def _as_root(self) -> bool:
        isolated = self.policy is not None and self.policy.isolated
        return isolated and isolation.available().as_root

    def _policy_of_spec(self, cwd: str | None) -> Policy:
        work = Path(self.work or cwd or "").resolve()
        return Policy(work=work, environment=environment(catalog=""))

    def _start(self, command: list[str]) -> None:
        assert self.policy is not None
        assert self.doorway is not None
        if not self.policy.isolated:
            self.process = subprocess.Popen(
                command,
                # So that the kernel ends itself when the supervisor is killed.
                env={**dict(self.policy.environment), "JPY_PARENT_PID": str(os.getpid())},
                cwd=self.policy.work,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        else:
            self.process = self._start_isolated(command)
        self.pid = self.process.pid
        self._listen()

    def _start_isolated(self, command: list[str]) -> subprocess.Popen[bytes]:
        assert self.policy is not None
        assert self.doorway is not None
        availability = isolation.available()
        assert availability.tools is not None
        told, tell = os.pipe()
        try:
            process = isolation.begin(
                self.policy,
                self.doorway.private,
                command,
                tools=availability.tools,
                as_root=availability.as_root,
                info=tell,
            )
        except OSError as error:
            os.close(told)
            raise IsolationError(
                _("bubblewrap cannot be started: {problem}").format(problem=error)
            ) from error
        finally:
            os.close(tell)
        with os.fdopen(told, "rb") as info:
            facts = info.read()
        with suppress(ValueError, KeyError, ProcessLookupError):
            self._first = os.pidfd_open(json.loads(facts)["child-pid"])
        return process

    def _listen(self) -> None:
        assert self.process is not None
        stream = self.process.stdout
        assert isinstance(stream, io.BufferedReader)

        def copy() -> None:
            left = LOG_BYTES
            with stream:
                while said := stream.read1(65536):
                    # By its present name: who takes a started kernel has a log of its own.
                    with suppress(OSError), Path(self.log_file or os.devnull).open("ab") as file:
                        file.write(said[:left])
                    left -= len(said[:left])

        self._listener = threading.Thread(target=copy, name="kernel-log", daemon=True)
        self._listener.start()

    async def _meet(self) -> None:
        assert self.doorway is not None
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.doorway.pin():
            if self.process.poll() is not None:
                raise NotReadyError(
                    _(
                        "the kernel ended before it was ready (exit code {code}); see log.txt of "
                        "the execution"
                    ).format(code=self.process.returncode)
                )
            if time.monotonic() > deadline:
                raise NotReadyError(
                    _("the kernel was not ready within {n} s").format(n=START_TIMEOUT_S)
                )
            await asyncio.sleep(0.01)

    def _clear(self) -> None:
        with self._ending:
            if self.process is None:
                return
            self.exit_code = self.process.poll()
            if self._listener is not None:
                self._listener.join(END_TIMEOUT_S)
            if self._first is not None:
                os.close(self._first)
                self._first = None
            self.process = None


def kernel_spec_argv() -> list[str]:
    """Give the command of the Python kernel that we start."""
    extension = "--IPKernelApp.extra_extensions=sandbox.lab"  # brings %%sql
    quiet = "--HistoryManager.enabled=False"
    return ["python", "-c", START, "-f", "{connection_file}", quiet, extension]
