"""Interactive kernels: started under a policy, watched, and ended with a reason that is told."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import zmq
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import (
    AsyncMappingKernelManager,
    ServerKernelManager,
)
from jupyter_server.services.sessions.sessionmanager import SessionManager
from traitlets import default

from sandbox.kernels.folders import tidy
from sandbox.kernels.provisioner import SandboxProvisioner
from sandbox.kernels.starting import MESSAGE_BYTES
from sandbox.language import _
from sandbox.retold import retold
from sandbox.runs.watch import LOOK_EVERY_S, Watch
from sandbox.workspace.given import Given, give
from sandbox.workspace.specs import kernel_spec

if TYPE_CHECKING:
    from sandbox.workspace.server import Server

log = logging.getLogger(__name__)

RECONNECT_MS = 5
LOOK_AT_REST_S = 0.5
DOCUMENT = "SANDBOX_DOCUMENT"  # the path of the session's notebook, on its way to the kernel


class Kernel(ServerKernelManager):
    """One kernel, with the data of its notebook and under watch."""

    given: Given | None = None
    watch: Watch | None = None
    told = False
    is_untouched = True  # it was asked for nothing yet
    running: dict[str, Any] | None = None  # the header of the request that is being executed

    @property
    def server(self) -> Server:
        """The server that this kernel belongs to."""
        return cast("Server", cast(Kernels, self.parent).parent)

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        self.kernel_spec_manager.get_kernel_spec(self.kernel_name)  # refuses all names but ours
        document = (options.get("env") or {}).get(DOCUMENT, "")
        self._clear()
        try:
            server = self.server
            await asyncio.to_thread(server.warming.wait)
            self.given = await asyncio.to_thread(give, server.order, server.tree, document)
            log_file = server.order.places.kernel_log
            self._kernel_spec = kernel_spec(self.given.policy, log_file)
            if isinstance(self.provisioner, SandboxProvisioner):  # a restart keeps its provisioner
                self.provisioner.policy = self.given.policy
            return await super()._async_pre_start_kernel(**options)
        except BaseException:
            await self._async_cleanup_resources()
            raise

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        try:
            await super()._async_launch_kernel(kernel_cmd, **options)
            self._begin_watch()
        except BaseException:
            await self._async_cleanup_resources()
            raise

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        self._clear()

    def belongs_to(self, document: str) -> bool:
        """Show a kernel what lies beside its document; False if it should begin again for its data.

        Only one that was asked for nothing yet should; others keep what they were given until they
        are restarted.
        """
        if self.given is None:
            return True
        self.given.beside.follow(document)
        return not self.is_untouched or self.given.is_for(self.server.tree, document)

    def count(self, size_bytes: int) -> None:
        """Count what the kernel sends; each request of the user's begins anew."""
        if self.watch is not None:
            self.watch.count_output(size_bytes)

    def begins(self, header: dict[str, Any]) -> None:
        """Note which request is being executed, and start its count of output."""
        self.running, self.is_untouched = header, False
        if self.watch is not None:
            self.watch.forget_output()
            self.watch.every_s = LOOK_EVERY_S

    def rests(self, header: dict[str, Any]) -> None:
        """Note that a request is done; one to the control channel ends in between, and counts not."""
        if self.running is not None and header.get("msg_id") != self.running.get("msg_id"):
            return
        self.running = None
        if self.watch is not None:
            self.watch.every_s = LOOK_AT_REST_S

    def _begin_watch(self) -> None:
        provisioner, given = self.provisioner, self.given
        assert isinstance(provisioner, SandboxProvisioner)
        assert given is not None
        assert provisioner.pid is not None
        assert provisioner.doorway is not None
        loop = asyncio.get_running_loop()
        self.told, self.running, self.is_untouched = False, None, True

        def look() -> None:
            given.beside.refresh()
            loop.call_soon_threadsafe(self._tell_once, watch)

        self.watch = watch = Watch(given.policy.limits, on_tick=look)
        folders = (given.policy.work, provisioner.doorway.sockets)
        watch.start(provisioner.pid, folders, provisioner.end)

    def _tell_once(self, watch: Watch) -> None:
        """Tell the user why the kernel was ended, where its cell's output goes."""
        if watch is not self.watch or watch.verdict is None or self.told:
            return
        self.told = True
        kind, message = watch.verdict
        self.reason = _("The kernel was ended: {message}").format(message=retold(message))
        log.warning("kernel %s was ended (%s): %s", self.kernel_id, kind, message)
        for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
            if connection.kernel_manager is self:
                connection.write_stderr(  # type: ignore[no-untyped-call]
                    self.reason, self.running or {}
                )

    def _clear(self) -> None:
        """Leave nothing of an ended kernel behind but the user's files."""
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
        given, self.given = self.given, None
        if given is None:
            return
        given.clear()
        if not cast(Kernels, self.parent).writes_to(given.policy.work):
            with suppress(OSError):
                for removed in tidy(given.policy.work):
                    log.warning("removed from the kernel's folder: %r", removed[:200])


class Kernels(AsyncMappingKernelManager):
    """All kernels of the workspace."""

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return f"{Kernel.__module__}.{Kernel.__qualname__}"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        # A restarted kernel comes back to the same sockets; whoever listens must be connected
        # again before it answers, or the first cell's output is lost.
        self.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._counted: dict[str, Any] = {}

    def cwd_for_path(self, path: str, **options: Any) -> str:
        """Give the work folder: where a kernel really works is decided by its policy."""
        return str(self.root_dir)

    def writes_to(self, work: Path) -> bool:
        """Whether a kernel that lives writes to this folder."""
        lives = (kernel.given for kernel in self._kernels.values() if isinstance(kernel, Kernel))
        return any(given is not None and given.policy.work == work for given in lives)

    def end_all(self) -> None:
        """Kill every kernel at once, from any thread."""
        for kernel in list(self._kernels.values()):
            if isinstance(kernel.provisioner, SandboxProvisioner):
                kernel.provisioner.end()
            if isinstance(kernel, Kernel) and kernel.given is not None:
                kernel.given.clear()

    def start_watching_activity(self, kernel_id: str) -> None:
        """Watch what the kernel sends: its state, as ever, and how much it is."""
        super().start_watching_activity(kernel_id)  # type: ignore[no-untyped-call]
        kernel = self._kernels[kernel_id]
        stream = self._counted[kernel_id] = kernel.connect_iopub()

        def count(parts: list[bytes]) -> None:
            session = kernel.session
            header, parent, _metadata, content = session.feed_identities(parts)[1][1:5]
            kind = session.unpack(header)["msg_type"]
            if kind == "execute_input":
                kernel.begins(session.unpack(parent))
            kernel.count(sum(map(len, parts)))
            if kind == "status" and session.unpack(content)["execution_state"] == "idle":
                kernel.rests(session.unpack(parent))

        stream.on_recv(count)

    def stop_watching_activity(self, kernel_id: str) -> None:
        """Stop watching what the kernel sends."""
        super().stop_watching_activity(kernel_id)  # type: ignore[no-untyped-call]
        stream = self._counted.pop(kernel_id, None)
        if stream is not None and not stream.closed():
            stream.close()


class Sessions(SessionManager):
    """Tells each kernel which notebook it is for, and nothing of this process's environment.

    JupyterLab names a session by a random path, and tells its notebook's a moment later.
    """

    async def update_session(self, session_id: str, **changes: Any) -> None:
        """Let a kernel follow its notebook, and begin with its data."""
        await super().update_session(session_id, **changes)  # type: ignore[no-untyped-call]
        if path := changes.get("path"):
            model = await self.get_session(session_id=session_id)  # type: ignore[no-untyped-call]
            kernel_id = model["kernel"]["id"]
            kernel = self.kernel_manager.get_kernel(kernel_id)
            if isinstance(kernel, Kernel) and not kernel.belongs_to(path):
                await self.kernel_manager.restart_kernel(kernel_id, now=True)

    def get_kernel_env(self, path: str | None, name: str | None = None) -> dict[str, str]:
        """Give the path of the session's document."""
        return {DOCUMENT: path or ""}
