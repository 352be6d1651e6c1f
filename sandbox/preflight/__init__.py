"""What is checked before a run: a typo costs seconds, a secret never reaches a report."""

from sandbox.preflight.check import beside, check, passed
from sandbox.preflight.declared import CODE as PARAMETERS
from sandbox.preflight.finding import Finding, Severity, place
from sandbox.preflight.refused import PreflightError

__all__ = [
    "PARAMETERS",
    "Finding",
    "PreflightError",
    "Severity",
    "beside",
    "check",
    "passed",
    "place",
]
