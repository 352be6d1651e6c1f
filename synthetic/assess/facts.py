"""An assessment as one JSON object, every section of it marked as not releasable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from synthetic.assess.assessment import Assessment
from synthetic.assess.words import WHY, note_text

FORMAT = 1


def facts(found: Assessment) -> dict[str, Any]:
    """Everything that was measured, as JSON knows it."""
    tables = found.tables
    held = {"train": tables.train, "holdout": tables.holdout, "synthetic": tables.synthetic}
    columns = zip(tables.train.names, tables.train.kinds, tables.train.levels, strict=True)
    return {
        "format": FORMAT,
        "seed": found.seed,
        **_marked("all"),
        "tables": _marked("tables")
        | {
            "rows": {name: None if one is None else len(one) for name, one in held.items()},
            "columns": [
                {"name": name, "kind": str(kind), "levels": levels}
                for name, kind, levels in columns
            ],
            "bins": "spec" if tables.has_spec else "quantiles of the real table",
            "notes": [
                _plain(asdict(note)) | {"text": note_text(note, "en")} for note in found.notes
            ],
        },
        "fidelity": _marked("fidelity")
        | {
            "marginals": [_plain(asdict(one)) for one in found.marginals],
            "associations": _told(found.associations),
            "conditional_independence": _told(found.independence),
        },
        "utility": _marked("utility")
        | {
            "predictions": _told(found.utility),
            "conclusions": _told(found.conclusions),
        },
        "privacy": _marked("privacy") | _plain(asdict(found.privacy)),
    }


def _marked(section: str) -> dict[str, Any]:
    return {"releasable": False, "why": WHY[section]["en"]}


def _told(value: Any) -> Any:
    return None if value is None else _plain(asdict(value))


def _plain(value: Any) -> Any:
    """The same without what JSON lacks: NaN and infinity become null, tuples lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, str) else value
