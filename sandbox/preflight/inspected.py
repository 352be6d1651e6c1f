"""A notebook looked at before anybody submits it: what a submission would say, and nothing kept."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import catalog
from sandbox.catalog import PUBLISHED, Inputs
from sandbox.errors import AttachmentError, CatalogError, NotebookError
from sandbox.language import N_, Later, speaking
from sandbox.preflight import attached
from sandbox.preflight.check import Given, checked
from sandbox.preflight.finding import Finding, Retold, error, in_order
from sandbox.preflight.trial import NONE, Trial, attempt
from sandbox.runs import attachments, submission
from sandbox.runs.attachments import Attachment
from sandbox.runs.notebook import Notebook
from sandbox.runs.submission import Offer
from sandbox.settings import Settings

READS = "reads"
NAMES = Later(N_("mend the names in metadata.sandbox.reads"))


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What is found, and what would travel."""

    findings: list[Finding]
    attachments: list[dict[str, Any]] = field(default_factory=list)
    trial: Trial = NONE

    @property
    def n_errors(self) -> int:
        """Count what stops a submission."""
        return sum(one.is_error for one in self.findings)


def inspect(
    settings: Settings,
    notebook: Notebook,
    *,
    beside: Collection[str] = (),
    given: Sequence[Path] = (),
    trial: bool = False,
) -> Inspected:
    """Check a notebook with the files that would travel; try it as well if that is asked for.

    Raises
    ------
    SandboxError
        If a trial is asked for and what is needed for it cannot be had.
    """
    found: list[Finding] = []
    inputs = _inputs(settings, notebook, found)
    told = None if inputs is None else inputs.lab_catalog(None)
    if _reads_nothing(notebook):
        told = {"datasets": []}
    with tempfile.TemporaryDirectory(prefix="sandbox-check-") as folder:
        taken = _taken(settings, given, Path(folder), found)
        looked = checked(
            notebook,
            Given(beside=beside, attachments=taken, catalog=told),
        )
        findings = in_order([*found, *looked.findings])
        made = NONE
        if trial and not any(one.is_error for one in findings):
            values = submission.values_of(notebook, {})
            offer = Offer(
                notebook=notebook, parameters=values, inputs=inputs, attachments=taken or ()
            )
            made = attempt(settings, offer, asked=True)
    return Inspected(
        findings=[*findings, *made.findings],
        attachments=looked.records,
        trial=made,
    )


def _reads_nothing(notebook: Notebook) -> bool:
    with speaking("en"):
        try:
            return notebook.reads == {}
        except NotebookError:
            return False


def _inputs(settings: Settings, notebook: Notebook, found: list[Finding]) -> Inputs | None:
    """Give what the notebook would read; nothing where it is not built on this machine."""
    try:
        with speaking("en"):
            return submission.inputs_of(settings, notebook, None)
    except NotebookError:
        return None  # the declaration cannot be read, which the check tells
    except CatalogError as problem:
        if not _is_unbuilt(settings, notebook):
            found.append(error(READS, Retold(str(problem)), NAMES, None, None))
        return None


def _is_unbuilt(settings: Settings, notebook: Notebook) -> bool:
    """Whether a dataset is declared that this machine could have and has not."""
    from synthetic.spec.load import packaged

    built = {replica.dataset for replica in catalog.replicas(settings)}
    wanted = {table.partition(".")[0] for table in notebook.reads or packaged()} - {PUBLISHED}
    return bool((wanted - built) & set(packaged()))


def _taken(
    settings: Settings, given: Sequence[Path], folder: Path, found: list[Finding]
) -> tuple[Attachment, ...] | None:
    """Copy what would travel; None where that cannot be, which is then among what is found."""
    try:
        with speaking("en"):
            return attachments.take(settings, given, folder / attachments.FOLDER)
    except AttachmentError as problem:
        found.append(error(attached.CODE, Retold(str(problem)), attached.BESIDE, None, None))
        return None
