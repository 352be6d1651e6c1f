"""The page of this installation's key: what signs its packages, and how others check them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sandbox.journal import keys
from sandbox.pages.rendering import page

PEM = "application/x-pem-file"


def show_key(request: Request) -> Response:
    """Show the public key and its fingerprint."""
    found = keys.signer(request.app.state.settings.home).verifier
    return page(
        request,
        "signature.html.j2",
        fingerprint=keys.spaced(found.fingerprint),
        pem=found.pem.decode(),
    )


def download_key(request: Request) -> Response:
    """Give the public key as a file."""
    found = keys.signer(request.app.state.settings.home).verifier
    name = f"sandbox-{found.fingerprint[:8]}.pem"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.pem, media_type=PEM, headers=headers)
