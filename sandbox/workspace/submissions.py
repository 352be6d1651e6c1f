"""From a notebook in the work folder to a run: what the form shows, and what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from sandbox import preflight, runs, worker
from sandbox.errors import NotebookError, SandboxError
from sandbox.language import _, either
from sandbox.look.kinds import kind
from sandbox.preflight import Finding
from sandbox.retold import retold
from sandbox.runs import contents, endings
from sandbox.runs import notebook as notebooks
from sandbox.runs.notebook import Notebook
from sandbox.runs.parameters import Parameter
from sandbox.runs.states import CellState, Status
from sandbox.workspace.order import Order
from sandbox.workspace.travelling import travelling
from sandbox.workspace.tree import Tree

DONE = {str(CellState.SUCCEEDED), str(CellState.FAILED)}


def form(order: Order, tree: Tree, path: str) -> dict[str, Any]:
    """Give what the form of a notebook shows: what it declares, and what the check has found."""
    found = _read(tree, path)
    with travelling(order, tree, path, found) as copies:
        seen = preflight.inspect(order.settings, found, beside=copies.beside, given=copies.files)
    is_declared = not any(
        one.is_error and one.code == preflight.PARAMETERS for one in seen.findings
    )
    return {
        "path": path,
        "title": either(_texts(found.described.get("title"))) or found.name,
        "parameters": [_field(one) for one in found.parameters] if is_declared else [],
        "findings": [finding(one) for one in seen.findings],
        "attachments": [contents.told(one) for one in seen.attachments],
        "team": order.places.team(),
    }


def submit(
    order: Order, tree: Tree, path: str, values: Mapping[str, Any], team: str, why: str
) -> dict[str, Any]:
    """Freeze the notebook as it was saved last and start its run; give its name and address."""
    found = _read(tree, path)
    with travelling(order, tree, path, found) as copies:
        run_id = runs.submit(
            order.settings,
            copies.notebook,
            values,
            team=team.strip() or None,
            why=why.strip() or None,
            attached=copies.files,
            check=partial(preflight.passed, beside=copies.beside, settings=order.settings),
        )
    if order.settings.evidence:
        runs.ask(order.settings, run_id)
    order.places.remember_team(team.strip())
    runs.start(order.settings, run_id)
    trial = preflight.trial_told(runs.show(order.settings, run_id)["trial"])
    return {"id": run_id, "url": order.address(f"/runs/{run_id}"), "trial": trial}


def progress(order: Order, run_id: str) -> dict[str, Any]:
    """Give where a run stands, for who waits for it."""
    facts = runs.show(order.settings, run_id)
    status = Status(facts["status"])
    cells = facts["cells"]
    return {
        "id": run_id,
        "status": str(status),
        "status_title": kind(str(status), "status"),
        "cell": sum(cell["state"] in DONE for cell in cells),
        "n_cells": len(cells),
        "message": endings.told(facts["reason"]) if facts["reason"] else "",
        "text": "" if status.is_final else worker.progress(order.settings, run_id)["text"],
        "url": order.address(f"/runs/{run_id}"),
        "is_final": status.is_final,
    }


def cancel(order: Order, run_id: str) -> dict[str, Any]:
    """End a run; one that has ended by itself meanwhile is as good."""
    try:
        runs.cancel(order.settings, run_id)
    except SandboxError:
        if not progress(order, run_id)["is_final"]:
            raise
    return progress(order, run_id)


def _read(tree: Tree, path: str) -> Notebook:
    if not path.endswith(".ipynb"):
        raise NotebookError(
            _("{path!r} is no notebook; open one (.ipynb) and submit that").format(path=path)
        )
    try:
        data = tree.read(path, most=notebooks.LARGEST_BYTES)
    except OSError as error:
        raise NotebookError(
            _("cannot read the notebook {path!r} in the work folder: {why}").format(
                path=path, why=retold(str(error.strerror))
            )
        ) from error
    return notebooks.parse(PurePosixPath(path).stem, data, place=path)


def _texts(title: Any) -> Mapping[str, str] | str | None:
    if isinstance(title, Mapping):
        return {str(name): words for name, words in title.items() if isinstance(words, str)}
    return title if isinstance(title, str) else None


def finding(finding: Finding) -> dict[str, Any]:
    """Give a finding for the window."""
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "cell": finding.cell,
        "line": finding.line,
        "place": finding.place,
        "why": str(finding.why),
        "remedy": str(finding.remedy),
    }


def _field(parameter: Parameter) -> dict[str, Any]:
    kind = parameter.type
    return {
        "name": parameter.name,
        "type": kind.name,
        "optional": kind.optional,
        "choices": list(kind.choices) or None,
        "default": parameter.default,
        "comment": parameter.comment,
    }
