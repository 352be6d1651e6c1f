"""Addresses that stay on these pages."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

# One slash, then no second one and no backslash, which browsers read as one; nothing unprintable.
LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
LONGEST = 2000


def is_local(address: str) -> bool:
    """Whether an address leads to a page of ours and nowhere else."""
    return len(address) <= LONGEST and LOCAL.fullmatch(address) is not None


def path_of(connection: HTTPConnection) -> str:
    """Give the path as it was sent, still quoted."""
    raw: bytes = connection.scope.get("raw_path", b"/")
    return raw.decode("latin-1").partition("?")[0]


def query_of(connection: HTTPConnection) -> str:
    """Give the query as it was sent, with its question mark, if there is one."""
    raw: bytes = connection.scope.get("query_string", b"")
    return f"?{raw.decode('latin-1')}" if raw else ""
