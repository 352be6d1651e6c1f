"""The end of a server, once whoever started it lets go of its standard input."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

STDIN = 0


def watch(stop: Callable[[], None]) -> None:
    """Call `stop` once standard input is closed, from a thread of its own."""

    def wait() -> None:
        while os.read(STDIN, 4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True, name="lifeline").start()
