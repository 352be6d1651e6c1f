"""A whole spec: one dataset."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator

from synthetic.spec.models.base import Bilingual, Identifier, Model, Words
from synthetic.spec.models.margins import MarginSpec
from synthetic.spec.models.pools import PoolSpec
from synthetic.spec.models.tables import TableSpec

RESERVED = ("main", "temp", "system", "information_schema", "pg_catalog", "published", "search")


class Spec(Model):
    """One dataset."""

    spec: Literal[1]
    dataset: Identifier
    title: Bilingual
    description: Bilingual
    as_of: dt.date
    licence: Words
    uses: tuple[Identifier, ...] = ()
    margins: dict[Identifier, MarginSpec] = Field(default={})
    pools: dict[Identifier, PoolSpec] = Field(default={})
    tables: dict[Identifier, TableSpec] = Field(min_length=1)

    @field_validator("dataset")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in RESERVED:  # DuckDB's schemas, our published tables and search page
            raise ValueError(f"a reserved name; choose another than {', '.join(RESERVED)}")
        return name
