"""What a server is told on its standard input, and what it tells on its standard output."""

from __future__ import annotations

import json
import os
import sys
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from sandbox.errors import ServerError
from sandbox.language import _

STDIN = 0
LONGEST = 100_000  # bytes of the order

Order = TypeVar("Order", bound=BaseModel)


def first_line() -> bytes:
    """Read the first line; the descriptor itself, so that nothing is left in a buffer."""
    line = bytearray()
    while not line.endswith(b"\n"):
        part = os.read(STDIN, 1)
        line += part
        if not part or len(line) > LONGEST:
            raise ServerError(
                _(
                    "this process is started by `sandbox up`, which tells it what to serve on the "
                    "first line of standard input; run `sandbox up` instead"
                )
            )
    return bytes(line)


def read(model: type[Order], line: bytes) -> Order:
    """Read the line, or say which part of it is wrong, never the secrets in it."""
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "line"
        raise ServerError(
            _(
                "the first line of standard input must be one JSON object with {names}; "
                "{place}: {problem}"
            ).format(names=", ".join(model.model_fields), place=place, problem=first["msg"])
        ) from error


def say(**told: object) -> None:
    """Tell who started us, in one line."""
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()
