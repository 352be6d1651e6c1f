"""Ports to listen on: the usual ones, the next free ones, or the very one that was asked for."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.errors import ServerError
from sandbox.language import _
from sandbox.serving.ports import check, refused

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
        if asked in taken:
            raise refused(asked, _("it is the other server's port"), option=option)
        check(asked, option=option)
        return asked
    for port in range(first, first + TRIED):
        if port not in taken and _is_free(port, option):
            return port
    raise ServerError(
        _("no port from {first} to {last} is free; name a free one with {option}").format(
            first=first, last=first + TRIED - 1, option=option
        )
    )


def _is_free(port: int, option: str) -> bool:
    try:
        check(port, option=option)
    except ServerError:
        return False
    return True
