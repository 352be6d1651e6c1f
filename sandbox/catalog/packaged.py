"""The datasets whose specs travel with the code, built on this machine or not."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def packaged() -> dict[str, dict[str, Any]]:
    """Describe each packaged dataset by its spec: title, description, licence, tables."""
    # Specs are read with pydantic, which a notebook's import need not wait for.
    from synthetic.spec.load import load
    from synthetic.spec.load import packaged as files

    specs = {name: load(path) for name, path in files().items()}
    return {
        name: {
            "title": spec.title.model_dump(),
            "description": spec.description.model_dump(),
            "as_of": spec.as_of.isoformat(),
            "licence": spec.licence,
            "uses": list(spec.uses),
            "tables": [
                {
                    "name": table,
                    "title": described.title.model_dump(),
                    "description": described.description.model_dump(),
                }
                for table, described in spec.tables.items()
            ],
        }
        for name, spec in specs.items()
    }
