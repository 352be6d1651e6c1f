"""The headers of every answer: what a page may load, who may frame it, what it tells others."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.pages.configuration import Configuration

SCRIPT = "/static/progress.js"  # the only script there is
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
}


class Headers:
    """Adds headers to each answer that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sent)


def for_pages(configuration: Configuration) -> dict[str, str]:
    """Give the headers of pages: our own style sheet and script, reports in frames, no more."""
    session = configuration.session_origin
    return EVERYWHERE | {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "style-src 'self'",
                # Its whole address, so that nothing else that is served here can be a script.
                f"script-src {session}{SCRIPT}",
                "require-trusted-types-for 'script'",
                "img-src 'self'",
                "connect-src 'self'",
                f"frame-src 'self' {configuration.reports_origin}",
                "form-action 'self'",
                "base-uri 'none'",
                f"frame-ancestors {' '.join(_around(configuration))}",
            )
        ),
    }


def for_reports(configuration: Configuration) -> dict[str, str]:
    """Give the headers of reports: nothing runs, nothing is fetched, no form, no way out."""
    return EVERYWHERE | {
        "Content-Security-Policy": "; ".join(
            (
                "sandbox",
                "default-src 'none'",
                "img-src data:",
                "style-src 'unsafe-inline'",  # the report's own policy narrows it to one hash
                "form-action 'none'",
                "base-uri 'none'",
                # Every page around the frame counts: ours, and the workspace around ours.
                f"frame-ancestors {' '.join(_around(configuration))}",
            )
        ),
        "X-Robots-Tag": "noindex",
    }


def _around(configuration: Configuration) -> list[str]:
    return [*filter(None, (configuration.session_origin, configuration.workspace))]
