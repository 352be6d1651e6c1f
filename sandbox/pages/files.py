"""What a person may take home: the notebook as submitted and as executed, and the record.

They hold what others wrote, so they go out as files without a type that a browser would open.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from sandbox.errors import SandboxError
from sandbox.language import N_, _
from sandbox.pages.faults import fault
from sandbox.runs.folder import RunFolder

NEUTRAL = "application/octet-stream"
TITLES = {
    "submitted.ipynb": N_("the notebook as submitted"),
    "executed.ipynb": N_("the notebook as executed"),
    "record.json": N_("the supervisor’s record"),
    "evidence.json": N_("the evidence: both executions compared"),
}


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that is there."""

    name: str
    title: str
    n_bytes: int


def path_of(folder: RunFolder, name: str) -> Path:
    """Give where a file of a run lies."""
    return {
        "submitted.ipynb": folder.notebook,
        "executed.ipynb": folder.executed,
        "record.json": folder.record_file,
        "evidence.json": folder.evidence_file,
    }[name]


def downloads(folder: RunFolder) -> list[Download]:
    """List the files of a run that are there."""
    found = []
    for name, title in TITLES.items():
        path = path_of(folder, name)
        if path.is_file():
            found.append(Download(name=name, title=_(title), n_bytes=path.stat().st_size))
    return found


def download(request: Request) -> Response:
    """Give one file, under a name that only we chose."""
    run_id, name = request.path_params["run"], request.path_params["name"]
    try:
        path = path_of(RunFolder.find(request.app.state.settings, run_id), name)
    except (SandboxError, KeyError):
        path = None
    if path is None or not path.is_file():
        return fault(
            request,
            404,
            _("This file is not there"),
            _("The run has no such file, or it was removed."),
            _("open the run’s page; it lists the files that are there."),
        )
    return FileResponse(path, media_type=NEUTRAL, filename=f"{run_id}-{name}")
