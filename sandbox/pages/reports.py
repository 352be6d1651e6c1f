"""Reports, on their own host name: one file for one signed address, and nothing else."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.errors import SandboxError
from sandbox.language import _, speaking
from sandbox.pages import addresses
from sandbox.pages.rendering import environment
from sandbox.runs.folder import RunFolder


def report(request: Request) -> Response:
    """Give a report to who has its signed address."""
    run_id, signed = request.path_params["run"], request.path_params["signed"]
    try:
        addresses.check(run_id, signed, request.app.state.configuration)
        folder = RunFolder.find(request.app.state.settings, run_id)
        return HTMLResponse(folder.report.read_bytes())
    except addresses.ExpiredError:
        return away(request, 410)
    except addresses.ForgedError:
        return away(request, 403)
    except (SandboxError, OSError):
        return away(request, 404)


def away(request: Request, status: int, *, elsewhere: bool = False) -> Response:
    """Say in both languages why there is no report here; no cookie tells which one is read."""
    origin = request.app.state.configuration.session_origin
    shown = []
    for language in ("vi", "en"):
        with speaking(language):
            shown.append((language, *(_elsewhere() if elsewhere else _words(status))))
    html = environment().get_template("away.html.j2").render(shown=shown, origin=origin)
    return HTMLResponse(html, status_code=status)


def _words(status: int) -> tuple[str, str]:
    if status == 410:
        return (
            _("This address of a report is no longer valid"),
            _("It is given for a few minutes only. Reload the run’s page to see its report."),
        )
    if status == 403:
        return (
            _("This address of a report is not valid"),
            _("It was altered, or made for another run. Open the report from its run’s page."),
        )
    return (
        _("There is no report here"),
        _("It was removed since. The run’s page says how to make it again."),
    )


def _elsewhere() -> tuple[str, str]:
    return (
        _("Only reports are served under this name"),
        _("The pages themselves have another address; open that one:"),
    )


def application() -> Starlette:
    """Give the reports' own application, which shares no route and no cookie with the pages."""

    def refused(request: Request, error: Exception) -> Response:
        return away(request, 404, elsewhere=True)

    return Starlette(
        routes=[Route("/report/{run}/{signed}/report.html", report)],
        exception_handlers={404: refused, 405: refused},
    )
