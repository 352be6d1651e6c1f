"""What a package's files must have for us to read them; whoever signed may have written anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.catalog.replicas import Recipe
from sandbox.exports import contents, recipes
from sandbox.runs.evidenced import PARTS
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind, Status
from sandbox.runs.verdicts import Verdict

WRONG = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def check(files: Mapping[str, bytes]) -> str | None:
    """Touch all that is read later; name the first file that has it not, or None."""
    for name, look in LOOKS.items():
        try:
            look(json.loads(files[name]))
        except WRONG:
            return name
    return None


def reason(told: Mapping[str, Any]) -> Reason:
    """Read how an execution ended."""
    found = told["reason"]
    if not isinstance(found["message"], str) or type(found["cell"]) not in {int, type(None)}:
        raise ValueError("not a reason")
    return Reason(kind=Kind(found["kind"]), message=found["message"], cell=found["cell"])


def verdicts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Read the verdict of each part of the evidence, as far as there are any."""
    try:
        told = json.loads(files[contents.EVIDENCE])
        return {part: str(Verdict(told[part]["verdict"])) for part in PARTS}
    except WRONG:
        return {}


def _submission(told: Mapping[str, Any]) -> None:
    _texts(told, "id", "notebook_name", "notebook_sha256", "author", "submitted_at")
    for one in told["parameters"]:
        _texts(one, "name")
        one["value"]
    if not isinstance(told["team"], str | None):
        raise TypeError("team")


def _record(told: Mapping[str, Any]) -> None:
    _texts(told, "run", "started_at")
    _texts(told["runner"], "kind")
    _texts(told["environment"], "python")
    _texts(told["environment"]["packages"], *told["environment"]["packages"])
    told["surroundings"].items()
    Status(told["status"])
    reason(told)


def _recipes(told: Mapping[str, Any]) -> None:
    if not isinstance(told["generator"]["version"], str | None):
        raise TypeError("generator")
    for one in told["replicas"]:
        _texts(one, "dataset", "version")
        Recipe.read(one["recipe"])
        for table in one["tables"]:
            _texts(table, "name", "content_hash")


def _texts(told: Mapping[str, Any], *names: str) -> None:
    if not all(isinstance(told[name], str) for name in names):
        raise TypeError("not a text")


LOOKS = {
    contents.SUBMISSION: _submission,
    contents.RECORD: _record,
    recipes.NAME: _recipes,
}
