"""The list of runs, filtered by state, team and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sandbox import runs
from sandbox.catalog.folding import fold, words
from sandbox.pages.rendering import page
from sandbox.runs import registry
from sandbox.runs.states import Status
from sandbox.settings import Settings
from sandbox.worker.progress import positions

PAGE = 50  # runs on one page
LONGEST = 200  # characters of what is looked for
MOST_TEAMS = 200  # to choose from


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for; empty words match everything."""

    state: str = ""
    team: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wanted:
        """Read the form's fields; what makes no sense is left out."""
        state = query.get("state", "")
        number = query.get("page", "1")
        return cls(
            state=state if state in set(Status) else "",
            team=query.get("team", "")[:LONGEST],
            text=query.get("text", "")[:LONGEST].strip(),
            page=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
        )

    def fits(self, run: Mapping[str, Any]) -> bool:
        """Whether a run is looked for."""
        return (
            self.state in ("", run["status"])
            and self.team in ("", run["team"] or "")
            and all(word in _said(run) for word in words(self.text))
        )

    def query(self, number: int) -> str:
        """Give the query of another page of the same list."""
        fields = {"state": self.state, "team": self.team, "text": self.text, "page": number}
        return urlencode({name: value for name, value in fields.items() if value})

    def __bool__(self) -> bool:
        return bool(self.state or self.team or self.text)


def _said(run: Mapping[str, Any]) -> str:
    title = run["title"] or {}
    told = [
        *(run["id"], run["notebook"], run["author"], run["team"] or ""),
        *(title.values() if isinstance(title, dict) else [str(title)]),
        (run["template"] or {}).get("name", ""),
    ]
    return fold(" ".join(map(str, told)))


def unreadable(settings: Settings, found: list[dict[str, Any]]) -> list[str]:
    """Name the runs that have a folder but cannot be listed, the newest first."""
    return sorted(registry.names(settings) - {run["id"] for run in found}, reverse=True)


def placed(settings: Settings, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add its place in the queue to each run that waits."""
    if not any(run["status"] == Status.QUEUED for run in found):
        return found
    places = positions(settings)
    return [{**run, "position": places.get(run["id"])} for run in found]


def list_runs(request: Request) -> Response:
    """Show the runs that somebody looks for."""
    settings = request.app.state.settings
    found = runs.listed(settings)
    wanted = Wanted.read(request.query_params)
    fitting = [run for run in found if wanted.fits(run)]
    n_pages = max(1, -(-len(fitting) // PAGE))
    number = min(max(wanted.page, 1), n_pages)
    return page(
        request,
        "runs.html.j2",
        runs=placed(settings, fitting[(number - 1) * PAGE : number * PAGE]),
        n_fitting=len(fitting),
        n_all=len(found),
        wanted=wanted,
        number=number,
        n_pages=n_pages,
        states=[str(state) for state in Status],
        teams=sorted({run["team"] for run in found if run["team"]})[:MOST_TEAMS],
        damaged=unreadable(settings, found),
    )
