"""Fields of our small forms, read with a limit."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 10_000
MOST_FIELDS = 20


async def fields(request: Request) -> dict[str, str]:
    """Read a posted form; the last of several fields of one name counts."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "the form is too long")
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(400, "the form cannot be read") from error
