"""Serve the workspace until standard input ends: `python -P -m sandbox.workspace`."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from sandbox import language
from sandbox.errors import SandboxError, ServerError
from sandbox.kernels import bytecode
from sandbox.language import _
from sandbox.retold import retold
from sandbox.runs.imports import quick
from sandbox.serving import lifeline, ports
from sandbox.serving.told import first_line, say
from sandbox.settings import Settings
from sandbox.workspace import surroundings
from sandbox.workspace.order import Order
from synthetic.errors import SyntheticError

if TYPE_CHECKING:
    from sandbox.workspace.server import Server

log = logging.getLogger(__name__)

PATIENCE_S = 10  # for kernels to close their files
FAULT = 2  # the exit code of a fault that was told


def main() -> int:
    """Read what is asked for, serve it, and stop when told to or left alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us decides
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("sandbox").setLevel(logging.INFO)
    try:
        language.use(language.choose(None, os.environ))
        order = Order.read(first_line(), Settings.from_environ(os.environ))
        surroundings.close(order.places)
        ports.check(order.port, option="--port")
        server = _made(order)
    except (SandboxError, SyntheticError) as error:
        say(ready=False, message=retold(str(error)))
        return FAULT
    _serve(server)
    return 0


def _made(order: Order) -> Server:
    with quick():
        from sandbox.workspace.server import make
    try:
        return make(order)
    except SystemExit as error:  # Jupyter's way to give up; its log has the words
        raise ServerError(_("the workspace could not start; see its log")) from error


def _serve(server: Server) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: _end(server))
    lifeline.watch(lambda: _end(server))
    server.io_loop.add_callback(_greet, server)
    try:
        server.start()
    finally:
        server.warming.stop()


def _greet(server: Server) -> None:
    say(ready=True, url=server.order.url)
    # After the first answers, because it takes a processor for some seconds.
    server.warming = bytecode.warm(server.order.settings.home)


def _end(server: Server) -> None:
    """Stop gently, but not for ever; asked twice, it is done once."""
    if server._stopping:
        return
    server.stop(from_signal=True)
    insisting = threading.Timer(PATIENCE_S, _insist, (server,))
    insisting.daemon = True
    insisting.start()


def _insist(server: Server) -> None:
    """End at once, and leave nothing behind all the same."""
    log.error("the server did not stop within %d s and is ended", PATIENCE_S)
    faulthandler.dump_traceback(all_threads=True)
    server.end_kernels()
    server.warming.stop()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
