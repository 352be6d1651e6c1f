"""What the catalogue's readers take out of a manifest, beyond what running a notebook needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.catalog.replicas import UNREADABLE, Replica, preference, replicas
from sandbox.errors import CatalogError
from sandbox.language import _
from sandbox.retold import retold
from sandbox.settings import Settings
from synthetic import statistics

FIDELITY = ("calibrated", "measured", "derived", "assumed")


def shown(settings: Settings) -> tuple[Replica, ...]:
    """Give every replica that can be shown, those that a run takes by default first."""
    try:
        built = replicas(settings)
    except OSError as error:
        raise cannot_list(settings.replicas, error) from error
    return tuple(sorted(filter(can_show, built), key=preference))


def cannot_list(root: Path, error: OSError) -> CatalogError:
    """Say that the replicas cannot be listed; that must not look like an empty home."""
    return CatalogError(
        _(
            "cannot list the replicas in {folder!r}: {reason}; give yourself the right to read it, "
            "or set SANDBOX_HOME to a folder of yours"
        ).format(folder=str(error.filename or root), reason=retold(str(error.strerror)))
    )


def can_show(replica: Replica) -> bool:
    """Whether all that is shown of a manifest is there."""
    try:
        check_shown(replica.manifest)
    except UNREADABLE:
        return False
    return True


def check_shown(manifest: Mapping[str, Any]) -> None:
    """Touch what is shown of a manifest, so that a broken one is met here alone."""
    for key in ("title", "description", "privacy"):
        _check_text(manifest[key])
    for text in manifest.get("assumptions", ()):
        _check_text(text)
    for key in ("as_of", "licence"):
        _check(manifest[key], str)
    for table in manifest["tables"]:
        _check_table(table)
    for pair in manifest["pairs"]:
        ", ".join((pair["table"], *pair["columns"]))
        _check_fidelity(pair["fidelity"])
    for source in manifest["sources"]:
        _check(source["table"], str)


def code_list(column: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Give a column's codes with their labels, also where they stand in a published table."""
    if column.get("codes"):
        codes: Mapping[str, Mapping[str, str]] = column["codes"]
        return codes
    source = column.get("codes_table")
    if not source or source["table"] not in statistics.names():
        return {}
    english, where = source.get("en") or source["vi"], source.get("where") or {}
    return {
        row[source["code"]]: {"vi": row[source["vi"]], "en": row[english]}
        for row in statistics.rows(source["table"])
        if all(row[key] == value for key, value in where.items())
    }


def _check_table(table: Mapping[str, Any]) -> None:
    _check_text(table["title"])
    _check_text(table["description"])
    _check(table["rows"], int)
    ", ".join(table["key"])
    for file in table["files"]:
        _check(file["bytes"], int)
    for question in table.get("questions", ()):
        _check_text(question)
        _check(question["sql"], str)
    for column in table["columns"]:
        _check(column["name"], str)
        _check_text(column["title"])
        if column["description"] is not None:
            _check_text(column["description"])
        _check(column["type"], str)
        _check(column["sensitivity"], str)
        _check(column["unit"] or "", str)
        _check(column["references"] or "a.b.c", str).split(".", 2)[2]
        _check_codes(column)
        _check_fidelity(column["fidelity"])


def _check_codes(column: Mapping[str, Any]) -> None:
    for title in (column.get("codes") or {}).values():
        _check_text(title)
    source = column.get("codes_table")
    if source and source["table"] in statistics.names():
        english, where = source.get("en") or source["vi"], source.get("where") or {}
        missing = {source["code"], source["vi"], english, *where} - {
            *statistics.header(source["table"])
        }
        if missing:
            raise ValueError(f"{source['table']} has no column {missing}")


def _check_fidelity(fidelity: Mapping[str, Any]) -> None:
    if fidelity["status"] not in FIDELITY:
        raise ValueError(f"fidelity {fidelity['status']!r} is none of {', '.join(FIDELITY)}")
    _check(fidelity["against"] or "", str)
    for key in ("distance", "sampling"):
        _check(fidelity[key] or 0, int, float)
    if fidelity["because"] is not None:
        _check_text(fidelity["because"])


def _check_text(text: Mapping[str, str]) -> None:
    _check(text["vi"], str)
    _check(text["en"], str)


def _check(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds):
        raise TypeError(f"{value!r} where {' or '.join(kind.__name__ for kind in kinds)} is meant")
    return value
