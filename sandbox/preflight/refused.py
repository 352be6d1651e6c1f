"""A submission that is stopped before its run."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.errors import NotebookError
from sandbox.language import ngettext
from sandbox.preflight.finding import Finding


class PreflightError(NotebookError):
    """The check before the run has found what would make it fail."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        told = ngettext(
            "the notebook was not submitted: {n} thing must be mended first",
            "the notebook was not submitted: {n} things must be mended first",
            len(findings),
        ).format(n=len(findings))
        super().__init__("\n".join([told, *(one.to_text() for one in findings)]))
        self.findings = findings
