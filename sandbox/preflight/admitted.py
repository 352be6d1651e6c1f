"""What lets a submission pass: no error is found in it, and it was tried where that saves time."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.preflight.check import Given, checked
from sandbox.preflight.finding import Finding
from sandbox.preflight.refused import PreflightError
from sandbox.preflight.trial import NONE, attempt
from sandbox.runs.submission import Checked, Offer
from sandbox.settings import Settings


def passed(
    offer: Offer,
    *,
    beside: Collection[str] = (),
    settings: Settings | None = None,
    trial: bool | None = None,
) -> Checked:
    """Give what is kept of the check of a submission; without settings it is not tried.

    Raises
    ------
    PreflightError
        If something would stop it.
    """
    looked = checked(offer.notebook, given(offer, beside))
    _refuse(looked.findings)
    made = NONE if settings is None else attempt(settings, offer, asked=trial)
    found = [*looked.findings, *made.findings]
    _refuse(found)
    return Checked(
        findings=[one.to_record() for one in found],
        attachments=looked.records,
        trial=made.to_record(),
    )


def given(offer: Offer, beside: Collection[str]) -> Given:
    """Give what goes with the notebook of a submission."""
    catalog = {"datasets": []} if offer.inputs is None else offer.inputs.lab_catalog(None)
    return Given(beside=beside, attachments=offer.attachments, catalog=catalog)


def _refuse(found: list[Finding]) -> None:
    if errors := [one for one in found if one.is_error]:
        raise PreflightError(errors)
