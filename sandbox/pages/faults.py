"""What a person reads when something is missing or broken: plain words and what to do."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.language import _, speaking
from sandbox.pages.rendering import page, spoken_by
from sandbox.retold import retold

# What files that were changed by hand raise when they are read.
UNREADABLE = (OSError, KeyError, ValueError, TypeError, AttributeError, LookupError)


def fault(
    request: Request, status: int, title: str, message: str, remedy: str, *, detail: str = ""
) -> Response:
    """Give a page that says what is wrong and what to do."""
    return page(
        request,
        "fault.html.j2",
        status=status,
        title=title,
        message=message,
        remedy=remedy,
        detail=detail,
    )


def refused(request: Request, error: Exception) -> Response:
    """Answer for an address that leads nowhere, or a method that it does not take."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return fault(
            request,
            404,
            _("There is no such page"),
            _("Nothing is found at this address."),
            _("check the address, or begin at the first page."),
        )
    return fault(
        request,
        error.status_code,
        _("This cannot be done here"),
        _("These pages do not answer such a request."),
        _("go back and try again from the page itself."),
        detail=f"{error.status_code} {error.detail}",
    )


def told(request: Request, error: Exception) -> Response:
    """Answer for a mistake or a missing thing that the error itself explains."""
    return fault(
        request,
        409,
        _("This cannot be shown now"),
        _("The sandbox met something that it cannot go on with:"),
        _("mend what is named above, then reload this page."),
        detail=retold(str(error)),
    )


def defect(request: Request, error: Exception) -> Response:
    """Answer for a fault of our own; the log has the traceback."""
    with speaking(spoken_by(request)):
        return fault(
            request,
            500,
            _("The pages met a fault of their own"),
            _("Nothing of your work is lost: these pages only show it."),
            _(
                "reload the page; if it stays, stop and start `sandbox up` and look into the log "
                "of the pages."
            ),
            detail=type(error).__name__,
        )
