"""Templates to answers, in the language of the request."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import language, look
from sandbox.pages.local import is_local, path_of, query_of
from sandbox.runs.report.characters import visible

TEMPLATES = Path(__file__).resolve().parent / "templates"
CATALOGUE = TEMPLATES.parent / "catalogue" / "templates"
COOKIE = "sandbox-language"


def page(request: Request, template_name: str, status: int = 200, **values: object) -> HTMLResponse:
    """Render a template of ours into an answer.

    Beside `values` a template knows: `path` and `here` (the page's path, and with its query; to
    come back to), `session` (False where the person is not let in) and `workspace` (its address
    or None).
    """
    with language.speaking(spoken_by(request)):
        html = environment().get_template(template_name).render(_shared(request) | values)
    # Once more over the whole page: no character of anybody's text may hide or reorder others.
    return HTMLResponse(visible(html), status_code=status)


@cache
def environment() -> Environment:
    """Give the pages' templates with the shared look."""
    return look.environment(TEMPLATES, CATALOGUE)


def spoken_by(connection: HTTPConnection) -> str:
    """Give the language that a person chose on these pages, else that of the process."""
    chosen = connection.cookies.get(COOKIE)
    return chosen if chosen in language.LANGUAGES else language.language()


class Speaking:
    """Answers each request in its language, also where words are made outside of templates."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak the request's language until it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with language.speaking(spoken_by(HTTPConnection(scope))):
            await self.app(scope, receive, send)


def _shared(request: Request) -> dict[str, Any]:
    here = path_of(request) + query_of(request)
    is_page = request.method in {"GET", "HEAD"} and "token" not in request.query_params
    return {
        "path": request.url.path,
        "here": here if is_page and is_local(here) else "/",
        "session": True,
        "workspace": request.app.state.configuration.workspace,
    }
