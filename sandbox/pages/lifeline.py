"""The order on standard input, and the end when whoever started us lets go of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from sandbox.errors import ServerError
from sandbox.language import _

STDIN = 0
LONGEST = 100_000  # bytes of the order


def first_line() -> bytes:
    """Read the first line; the descriptor itself, so that nothing is left in a buffer."""
    line = bytearray()
    while not line.endswith(b"\n"):
        part = os.read(STDIN, 1)
        line += part
        if not part or len(line) > LONGEST:
            raise ServerError(
                _(
                    "this process is started by `sandbox up`, which tells it port, token and key "
                    "on the first line of standard input; run `sandbox up` instead"
                )
            )
    return bytes(line)


def watch(stop: Callable[[], None]) -> None:
    """Call `stop` once standard input is closed."""

    def wait() -> None:
        while os.read(STDIN, 4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True, name="lifeline").start()
