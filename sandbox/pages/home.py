"""The first page: the newest runs and the state of the data, in one screen."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox import runs
from sandbox.catalog import states
from sandbox.pages.listing import unreadable
from sandbox.pages.rendering import page
from sandbox.runs.states import Status

NEWEST = 5


def home(request: Request) -> Response:
    """Show what was run last and which data are here."""
    settings = request.app.state.settings
    found = runs.listed(settings)
    data: dict[str, dict[str, Any]] = {}
    for entry in states(settings):
        data.setdefault(entry["dataset"], entry)  # the first is the one that runs take
    return page(
        request,
        "home.html.j2",
        runs=found[:NEWEST],
        n_runs=len(found),
        n_going=sum(not Status(run["status"]).is_final for run in found),
        n_teams=len({run["team"] for run in found if run["team"]}),
        datasets=list(data.values()),
        n_ready=sum(entry["state"] == "ready" for entry in data.values()),
        damaged=unreadable(settings, found),
    )
