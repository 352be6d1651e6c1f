"""Serve the workspace until standard input ends: `python -P -m sandbox.workspace`."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from sandbox import language
from sandbox.errors import SandboxError, ServerError
from sandbox.kernels import bytecode
from sandbox.language import _
from sandbox.retold import retold
from sandbox.runs.imports import quick
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
        order = Order.read(sys.stdin.readline(), Settings.from_environ(os.environ))
        surroundings.close(order.places)
        _check_port(order.port)
        server = _made(order)
    except (SandboxError, SyntheticError) as error:
        _say({"ready": False, "message": retold(str(error))})
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
    threading.Thread(target=_wait_for_end, args=(server,), name="lifeline", daemon=True).start()
    server.io_loop.add_callback(_greet, server)
    try:
        server.start()
    finally:
        server.warming.stop()


def _greet(server: Server) -> None:
    _say(server.order.ready())
    # After the first answers, because it takes a processor for some seconds.
    server.warming = bytecode.warm(server.order.settings.home)


def _wait_for_end(server: Server) -> None:
    """Stop once nobody holds the other end of standard input."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    _end(server)


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


def _check_port(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                _("port {port} cannot be used ({why}); choose another one").format(
                    port=port, why=retold(str(error.strerror))
                )
            ) from error


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
