"""Everything that is known of a run, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.language import _
from sandbox.runs import attachments, evidenced, registry
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import reason_of
from sandbox.settings import Settings


def show(settings: Settings, run_id: str) -> dict[str, Any]:
    """Say where a run stands, why, and where its files are."""
    folder = RunFolder.find(settings, run_id)
    status = registry.look_after(folder)
    submission = folder.submission()
    record = folder.record() or {}
    return {
        "id": run_id,
        "status": str(status),
        "reason": reason_of(status, record),
        "notebook": submission["notebook_name"],
        "template": submission["template"],
        "title": submission["title"],
        "question": submission["question"],
        "author": submission["author"],
        "team": submission["team"],
        "why": submission["why"],
        "submitted_at": submission["submitted_at"],
        "started_at": record.get("started_at"),
        "ended_at": record.get("ended_at"),
        "seconds": record.get("seconds"),
        "parameters": submission["parameters"],
        "inputs": submission["inputs"],
        "notes": partial(submission["inputs"]),
        "attachments": attachments.facts(submission),
        "findings": submission.get("findings", []),
        "trial": submission.get("trial"),
        "isolation": record.get("isolation"),
        "limits": submission["limits"],
        "usage": record.get("usage"),
        "cells": record.get("cells", []),
        "results": record.get("results", []),
        "conclusions": record.get("conclusions", []),
        "evidence": evidenced.evidence(settings, folder),
        "executed_notebook": _there(folder.executed),
        "report": _there(folder.report),
        "record": _there(folder.record_file),
        "log": _there(folder.log_file),
        "folder": str(folder.path),
    }


def partial(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which of the replicas that a run reads hold less than the whole country."""
    return [
        _("reads {dataset} {version}: only province {area}").format(
            dataset=one["dataset"], version=one["version"], area=one["recipe"]["area"]
        )
        for one in inputs
        if one["recipe"]["area"] is not None
    ]


def _there(path: Path) -> str | None:
    return str(path) if path.is_file() else None
