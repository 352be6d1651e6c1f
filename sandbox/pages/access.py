"""Who may come in: the right host name, then the token, then the cookie that it was traded for."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.language import _
from sandbox.pages.configuration import Configuration
from sandbox.pages.local import is_local, path_of
from sandbox.pages.rendering import page

OPEN = ("/healthy", "/enter", "/language")  # beside /static/: they tell nothing of anybody's work
COOKIE = "sandbox-session"


class Hosts:
    """Sends a request to the pages or to the reports by its host name, and refuses all others.

    A page elsewhere may point its own name at this machine; the browser then sends that name.
    """

    def __init__(self, pages: ASGIApp, reports: ASGIApp, configuration: Configuration) -> None:
        self.apps = {configuration.session_host: pages, configuration.reports_host: reports}
        self.remedy = f"wrong host name; open {configuration.session_origin}/ instead\n"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by the one `Host` header that there must be."""
        named = [value for name, value in scope.get("headers", ()) if name == b"host"]
        host = named[0].decode("latin-1").lower() if len(named) == 1 else ""
        app = self.apps.get(host, PlainTextResponse(self.remedy, status_code=400))
        await app(scope, receive, send)


class Access:
    """Lets in who has the session's cookie, and gives it to who shows the token."""

    def __init__(self, app: ASGIApp, configuration: Configuration) -> None:
        self.app = app
        self.configuration = configuration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a redirection or a refusal, or pass the request on."""
        answer = self._answer(Request(scope)) if scope["type"] == "http" else None
        await (answer or self.app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        if request.method not in {"GET", "HEAD"} and not self._is_from_here(request):
            message = _("this form was not sent from these pages; open them and try again")
            return PlainTextResponse(message, status_code=403)
        path = request.url.path
        if path in OPEN or path.startswith("/static/"):
            return None
        is_known = has_session(request, self.configuration)
        shown = request.query_params.get("token")
        if shown is None:
            return None if is_known else refusal(request, address(request))
        if is_right(shown, self.configuration):
            return admission(address(request), self.configuration)
        if is_known:
            return RedirectResponse(address(request), status_code=303)
        return refusal(request, address(request), wrong=True)

    def _is_from_here(self, request: Request) -> bool:
        """Whether our own page sent a form. Browsers tell it in a header that no script can set."""
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return request.headers.get("origin") == self.configuration.session_origin


def is_right(token: str, configuration: Configuration) -> bool:
    """Compare a token with ours, in a time that tells nothing of it."""
    return hmac.compare_digest(token.encode(errors="replace"), configuration.token.encode())


def has_session(connection: HTTPConnection, configuration: Configuration) -> bool:
    """Whether a request carries the cookie of this installation."""
    wanted = session_value(configuration)
    given = connection.cookies.get(cookie_name(configuration), "")
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def cookie_name(configuration: Configuration) -> str:
    """Name the cookie; with the port, since cookies know none and two may be open at once."""
    return f"{COOKIE}-{configuration.port}"


def session_value(configuration: Configuration) -> str:
    """Give the cookie's value: proof of the token, from which the token cannot be had."""
    text = f"session {configuration.port} {configuration.token}".encode()
    return hmac.new(bytes.fromhex(configuration.key), text, hashlib.sha256).hexdigest()


def admission(to: str, configuration: Configuration) -> Response:
    """Set the cookie and go on to an address without the token."""
    answer = RedirectResponse(to, status_code=303)
    answer.set_cookie(
        cookie_name(configuration),
        session_value(configuration),
        httponly=True,
        samesite="strict",
        path="/",
    )
    return answer


def refusal(request: Request, to: str, *, wrong: bool = False) -> Response:
    """Ask for the token, and say where it is to be found."""
    return page(request, "enter.html.j2", status=403, session=False, wrong=wrong, to=to)


def address(request: Request) -> str:
    """Give where a request wants to go in the end, without the token."""
    wanted = request.query_params.get("next")
    if "token" in request.query_params and wanted is not None and is_local(wanted):
        return wanted
    if request.method not in {"GET", "HEAD"}:
        return "/"
    rest = [pair for pair in request.query_params.multi_items() if pair[0] not in {"token", "next"}]
    whole = path_of(request) + (f"?{urlencode(rest)}" if rest else "")
    return whole if is_local(whole) else "/"
