"""What every model of a spec is made of: names, shares and texts for people."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from synthetic.spec.models.keys import by_code


def _share(text: str) -> str:
    if not re.fullmatch(r"0(\.\d{1,9})?|1(\.0{1,9})?", text, re.ASCII):
        raise ValueError('a share is a decimal from 0 to 1, such as "0.03"')
    return text


def check_any(what: str, texts: tuple[str, ...]) -> None:
    """Refuse an empty list of texts."""
    if not texts:
        raise ValueError(f"{what}: at least 1 text is needed")


def check_weights(
    what: str, table: tuple[int, ...] | dict[str, tuple[int, ...]] | None, n: int
) -> None:
    """Refuse weights, or weights by code, that are not as many as needed."""
    for key, weights in by_code(table).items() if table is not None else ():
        where = f"{what} of {key!r}" if key else what
        if len(weights) != n or not any(weights):
            raise ValueError(f"{where}: {n} weights are needed, not all zero; found {len(weights)}")


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Qualified = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,2}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Expression = Annotated[str, StringConstraints(min_length=1)]
Knot = Annotated[int, Field(ge=-(2**31), le=2**31)]  # a draw spans at most 2**32
Weight = Annotated[int, Field(ge=0, le=100_000)]
Weights = tuple[Weight, ...]
Shares = dict[str, int]
Choices = tuple[Words, ...] | dict[str, tuple[Words, ...]]
Share = Annotated[
    str, BeforeValidator(lambda x: repr(x) if isinstance(x, float) else x), AfterValidator(_share)
]


class Model(BaseModel):
    """Refuses keys that it does not know, and changes no more."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Bilingual(Model):
    """A text for people, in Vietnamese and in English."""

    vi: Words
    en: Words
