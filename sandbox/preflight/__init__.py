"""What is checked before a run: a typo costs seconds, a secret never reaches a report."""

from sandbox.preflight.admitted import passed
from sandbox.preflight.check import Given, check, checked
from sandbox.preflight.declared import CODE as PARAMETERS
from sandbox.preflight.finding import Finding, Severity, place
from sandbox.preflight.folder import beside, gather, named_beside
from sandbox.preflight.inspected import Inspected, inspect
from sandbox.preflight.refused import PreflightError
from sandbox.preflight.trial import told as trial_told

__all__ = [
    "PARAMETERS",
    "Finding",
    "Given",
    "Inspected",
    "PreflightError",
    "Severity",
    "beside",
    "check",
    "checked",
    "gather",
    "inspect",
    "named_beside",
    "passed",
    "place",
    "trial_told",
]
