"""Puts the pages and the reports together into one application."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sandbox import look
from sandbox.errors import SandboxError
from sandbox.pages import catalogue, doors, faults, reports
from sandbox.pages.access import Access, Hosts
from sandbox.pages.configuration import Configuration
from sandbox.pages.files import download
from sandbox.pages.headers import SCRIPT, Headers, for_pages, for_reports
from sandbox.pages.home import home
from sandbox.pages.listing import list_runs
from sandbox.pages.progress import events
from sandbox.pages.rendering import TEMPLATES, Speaking
from sandbox.pages.run import make_report, show_report, show_run
from sandbox.pages.signature import download_key, show_key
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

OWN_STATIC = TEMPLATES.parent / "static"


def application(
    settings: Settings, configuration: Configuration, stopping: asyncio.Event
) -> ASGIApp:
    """Give the whole application; `stopping` ends its open streams."""
    pages = _pages(configuration)
    inner = reports.application()
    for app in (pages, inner):
        app.state.settings = settings
        app.state.configuration = configuration
        app.state.stopping = stopping
    return Hosts(
        pages=Headers(pages, for_pages(configuration)),
        reports=Headers(inner, for_reports(configuration)),
        configuration=configuration,
    )


def _pages(configuration: Configuration) -> Starlette:
    return Starlette(
        routes=[
            Route("/", home),
            Route("/runs", list_runs),
            Route("/runs/{run}", show_run),
            Route("/runs/{run}/events", events),
            Route("/runs/{run}/report", show_report, methods=["GET"]),
            Route("/runs/{run}/report", make_report, methods=["POST"]),
            Route("/runs/{run}/{name}", download),
            *catalogue.routes(),
            Route("/key", show_key),
            Route("/key.pem", download_key),
            Route("/enter", doors.enter, methods=["GET", "POST"]),
            Route("/language", doors.choose_language, methods=["GET", "POST"]),
            Route("/healthy", doors.healthy),
            Route(SCRIPT, _script),
            Mount("/static", StaticFiles(directory=look.STATIC)),
        ],
        middleware=[Middleware(Speaking), Middleware(Access, configuration=configuration)],
        exception_handlers={
            HTTPException: faults.refused,
            SandboxError: faults.told,
            SyntheticError: faults.told,
            Exception: faults.defect,
        },
    )


def _script(request: Request) -> Response:
    return FileResponse(OWN_STATIC / "progress.js", media_type="text/javascript")
