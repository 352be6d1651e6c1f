"""The small doors: coming in with a token by hand, choosing a language, being asked if healthy."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sandbox.language import LANGUAGES
from sandbox.pages.access import admission, is_right, refusal
from sandbox.pages.forms import fields
from sandbox.pages.local import is_local
from sandbox.pages.rendering import COOKIE

YEAR_S = 365 * 24 * 3600


async def healthy(request: Request) -> Response:
    """Say that the pages answer, and nothing else."""
    return PlainTextResponse("ok")


async def enter(request: Request) -> Response:
    """Take a token that somebody wrote into the form."""
    if request.method != "POST":
        return RedirectResponse("/", status_code=303)
    given = await fields(request)
    wanted = given.get("next", "/")
    to = wanted if is_local(wanted) else "/"
    if not is_right(given.get("token", "").strip(), request.app.state.configuration):
        return refusal(request, to, wrong=True)
    return admission(to, request.app.state.configuration)


async def choose_language(request: Request) -> Response:
    """Remember the language that somebody chose, and go back to where they were."""
    given = await fields(request) if request.method == "POST" else {}
    wanted = given.get("next", "/")
    answer = RedirectResponse(wanted if is_local(wanted) else "/", status_code=303)
    if given.get("language") in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            given["language"],
            max_age=YEAR_S,
            httponly=True,
            samesite="strict",
            path="/",
        )
    return answer
