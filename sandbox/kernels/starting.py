"""A kernel that is started under a policy, with a client that is connected to it and counts.

Everything of a kernel belongs to one event loop, and a sandbox ends with the thread that started
it (bubblewrap asks the system for that), so whoever starts a kernel keeps both for as long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Any as AnyTrait
from traitlets import Type

from sandbox.errors import NotReadyError
from sandbox.kernels.policy import MIB, Policy
from sandbox.kernels.provisioner import NAME, SandboxProvisioner, kernel_spec_argv
from sandbox.language import N_

READY_S = 60
LOOK_S = 0.5  # between two looks whether a kernel that does not answer is still there
HEARD_S = 0.2  # for a kernel's words to arrive after its answer
LAST_WORDS_S = 2  # for a kernel to close its files when all went well
POLL_S = 0.01
MESSAGE_BYTES = 256 * MIB  # one message; a larger one is not taken in at all


class CountedChannel(AsyncZMQSocketChannel):
    """A channel that counts what arrives, also what belongs to no cell."""

    count: Callable[[int], None] = staticmethod(lambda size_bytes: None)

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override] # as its parent
        assert self.socket is not None
        parts = await self.socket.recv_multipart(**kwargs)
        self.count(sum(map(len, parts)))
        _, message = self.session.feed_identities(parts)
        told: dict[str, Any] = self.session.deserialize(message)
        return told


class CountedClient(AsyncKernelClient):
    """A client whose incoming messages are counted."""

    iopub_channel_class = Type(CountedChannel)
    shell_channel_class = Type(CountedChannel)


class OneSpec(KernelSpecManager):
    """Knows one kernel: ours, under one policy."""

    spec = AnyTrait()

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Give our kernel, whatever name a notebook asks for."""
        return self.spec


class Kernel:
    """One kernel: launched, then connected, then used and closed."""

    def __init__(
        self, policy: Policy, log_file: Path | None = None, ahead: Sequence[str] = ()
    ) -> None:
        self.policy = policy
        self.manager = AsyncKernelManager(
            kernel_name=NAME, kernel_spec_manager=OneSpec(spec=_spec(policy, log_file, ahead))
        )
        self.client: AsyncKernelClient | None = None
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        self._context.setsockopt(zmq.RCVHWM, 0)  # else what is over a thousand messages is dropped

    @property
    def provisioner(self) -> SandboxProvisioner:
        """What started the kernel and ends it."""
        assert isinstance(self.manager.provisioner, SandboxProvisioner)
        return self.manager.provisioner

    @property
    def is_alive(self) -> bool:
        """Whether it was launched and its process is there."""
        if not isinstance(self.manager.provisioner, SandboxProvisioner):
            return False
        process = self.manager.provisioner.process
        return process is not None and process.poll() is None

    async def launch(self) -> None:
        """Start the process and meet it; it does not answer yet."""
        await self.manager.start_kernel()

    async def connect(self, count: Callable[[int], None] | None = None) -> AsyncKernelClient:
        """Give the client once the kernel answers; everything that arrives is counted."""
        self.manager.client_factory = CountedClient
        client = self.client = self.manager.client(context=self._context)
        if count is not None:
            self.count_with(count)
        client.allow_stdin = False
        client.start_channels(stdin=False, hb=False)
        await self._answered(client)
        return client

    def count_with(self, count: Callable[[int], None]) -> None:
        """Have somebody told the size of everything that arrives from now on."""
        assert self.client is not None
        self.client.iopub_channel.count = count
        self.client.shell_channel.count = count

    async def _answered(self, client: AsyncKernelClient) -> None:
        """Wait until an answer and the words beside it have arrived: both channels then work.

        jupyter_client's own waiting always ends with a fifth of a second of silence.
        """
        deadline = time.monotonic() + READY_S
        while True:
            asked = client.kernel_info(reply=False)
            while not await _heard(client.shell_channel, asked, LOOK_S):
                if not self.is_alive:
                    raise NotReadyError(N_("the kernel ended before it was ready"))
                if time.monotonic() > deadline:
                    raise NotReadyError(
                        N_("the kernel was not ready within {n} s").format(n=READY_S)
                    )
            # What is said before a subscription has arrived is lost, and then asked for again.
            if await _heard(client.iopub_channel, asked, HEARD_S, idle=True):
                return

    async def farewell(self) -> None:
        """Let a kernel that did its work close its files, for a moment."""
        with suppress(RuntimeError, zmq.ZMQError):
            await self.manager.request_shutdown()
            deadline = time.monotonic() + LAST_WORDS_S
            while time.monotonic() < deadline and await self.provisioner.poll() is None:
                await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        """End whatever of it is there, and leave nothing behind."""
        if self.client is not None:
            self.client.stop_channels()
        if isinstance(self.manager.provisioner, SandboxProvisioner):
            self.manager.provisioner.end()
        await self.manager.cleanup_resources()
        self._context.destroy(linger=0)


async def _heard(
    channel: AsyncZMQSocketChannel, asked: str, within_s: float, *, idle: bool = False
) -> bool:
    """Whether an answer to this arrives in time; on iopub, the word that the kernel is idle again."""
    deadline = time.monotonic() + within_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = await channel.get_msg(timeout=left)
        except Empty:
            return False
        is_answer = message["parent_header"].get("msg_id") == asked
        if is_answer and (not idle or message["content"].get("execution_state") == "idle"):
            return True
    return False


def _spec(policy: Policy, log_file: Path | None, ahead: Sequence[str]) -> KernelSpec:
    config = {
        "policy": policy,
        "log_file": "" if log_file is None else str(log_file),
        "ahead": list(ahead),
    }
    return KernelSpec(
        argv=kernel_spec_argv(),
        display_name="Sandbox",
        language="python",
        interrupt_mode="message",
        metadata={"kernel_provisioner": {"provisioner_name": NAME, "config": config}},
    )
