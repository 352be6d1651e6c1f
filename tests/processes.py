"""Other processes: waiting for what they do, and finding a port for them.

A wait is as short as what it waits for, and long where a machine is busy.
"""

from __future__ import annotations

import socket
import time

PATIENCE_S = 180  # of a wait that a machine with nothing else to do ends within seconds
LOOK_S = 0.05


def until(holds, timeout_s=PATIENCE_S):
    """Look again until something holds; give what it gave."""
    deadline = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"still not so after {timeout_s} s"
        time.sleep(LOOK_S)
    return found


def free_port():
    """Find a port that nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]
