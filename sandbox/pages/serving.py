"""One server on one port of this machine, from the ready line to a clean stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from sandbox.pages.application import application
from sandbox.pages.configuration import Configuration
from sandbox.serving import lifeline, ports
from sandbox.serving.told import say
from sandbox.settings import Settings

STOP_S = 2  # for answers that are under way


class _Server(uvicorn.Server):
    """A server whose end is ours to decide, so that SIGTERM is a clean end too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`."""
        yield


def serve(settings: Settings, configuration: Configuration) -> None:
    """Serve until standard input closes or SIGTERM comes."""
    door = ports.bound(configuration.port, option="--pages-port")
    asyncio.run(_serve(settings, configuration, door))


async def _serve(settings: Settings, configuration: Configuration, door: socket.socket) -> None:
    stopping = asyncio.Event()
    server = _Server(
        uvicorn.Config(
            application(settings, configuration, stopping),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # addresses may carry the token
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
    )

    def stop() -> None:
        stopping.set()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal's Ctrl-C is for `up`

    def let_go() -> None:
        with suppress(RuntimeError):  # the loop is over already
            loop.call_soon_threadsafe(stop)

    serving = asyncio.create_task(server.serve(sockets=[door]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0.01)
    if server.started:
        say(ready=True, url=f"{configuration.session_origin}/?token={configuration.token}")
        lifeline.watch(let_go)
    await serving
