"""Ports of this machine, and of this machine alone: held, or refused with the reason."""

from __future__ import annotations

import socket

from sandbox.errors import ServerError
from sandbox.language import _
from sandbox.retold import retold

HOST = "127.0.0.1"
BACKLOG = 128  # connections that wait to be accepted


def bound(port: int, *, option: str) -> socket.socket:
    """Listen on a port.

    Raises
    ------
    ServerError
        If nobody can; it says why, and `option` is where a person chooses another port.
    """
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port that was closed a moment ago is free.
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        raise refused(port, retold(error.strerror or str(error)), option=option) from error
    return door


def check(port: int, *, option: str) -> None:
    """Raise if nobody can listen on this port now."""
    bound(port, option=option).close()


def refused(port: int, problem: str, *, option: str) -> ServerError:
    """Give the error that says why a port cannot be used, and how to choose another."""
    return ServerError(
        _(
            "port {port} cannot be used ({problem}); choose another one with {option}, or "
            "leave the option out and a free one is found"
        ).format(port=port, problem=problem, option=option)
    )
