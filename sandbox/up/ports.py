"""Ports to listen on: the usual ones, the next free ones, or the very one that was asked for."""

from __future__ import annotations

import socket
from collections.abc import Collection

from sandbox.errors import ServerError
from sandbox.language import _
from sandbox.retold import retold

HOST = "127.0.0.1"
WORKSPACE, PAGES = 8600, 8700  # where a search begins
TRIED = 50  # ports in a row before we give up


def choose(asked: int | None, first: int, *, option: str, taken: Collection[int] = ()) -> int:
    """Give the port that was asked for, or the first free one from `first` on.

    Raises
    ------
    ServerError
        If the port that was asked for is taken or may not be used, or none is free.
    """
    if asked is not None:
        problem = why_not(asked)
        if asked in taken:
            problem = _("it is the other server's port")
        if problem is not None:
            raise ServerError(
                _(
                    "port {port} cannot be used ({problem}); choose another one with {option}, or "
                    "leave the option out and a free one is found"
                ).format(port=asked, problem=problem, option=option)
            )
        return asked
    for port in range(first, first + TRIED):
        if port not in taken and why_not(port) is None:
            return port
    raise ServerError(
        _("no port from {first} to {last} is free; name a free one with {option}").format(
            first=first, last=first + TRIED - 1, option=option
        )
    )


def why_not(port: int) -> str | None:
    """Say why nobody can listen on this port now; None if one can."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            # As servers do: a port that was closed a moment ago is free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((HOST, port))
            trial.listen(1)
    except OSError as error:
        return retold(error.strerror or str(error))
    return None
