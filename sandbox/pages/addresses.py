"""Short-lived signed addresses of reports."""

from __future__ import annotations

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from sandbox.pages.configuration import Configuration

LIVES_S = 300
SALT = "sandbox report"


class ExpiredError(Exception):
    """The address was right once."""


class ForgedError(Exception):
    """The address was never given out, or for another run."""


def of_report(run_id: str, configuration: Configuration) -> str:
    """Give the address under which the report of one run can be read for some minutes."""
    signed = _signer(configuration).dumps(run_id)
    return f"{configuration.reports_origin}/report/{run_id}/{signed}/report.html"


def check(run_id: str, signed: str, configuration: Configuration) -> None:
    """Refuse an address that is too old, altered, or made for another run."""
    try:
        signed_for = _signer(configuration).loads(signed, max_age=LIVES_S)
    except SignatureExpired as error:
        raise ExpiredError from error
    except BadData as error:
        raise ForgedError from error
    if signed_for != run_id:
        raise ForgedError


def _signer(configuration: Configuration) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(bytes.fromhex(configuration.key), salt=SALT)
