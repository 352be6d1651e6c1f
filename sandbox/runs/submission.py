"""Freeze what somebody submits: the notebook, its parameters, its inputs, who and why.

Everything is checked before anything is written, and the run's folder appears whole or not at
all. A submission is never edited.
"""

from __future__ import annotations

import getpass
import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import journal
from sandbox.errors import IsolationError
from sandbox.kernels import Limits, available, interpreter
from sandbox.kernels.doorway import owner, sweep
from sandbox.language import _
from sandbox.runs import attachments, contents, evidenced, parameters, registry
from sandbox.runs import notebook as notebooks
from sandbox.runs.attachments import Attachment
from sandbox.runs.evidenced import Asked
from sandbox.runs.folder import RunFolder, new_id, now
from sandbox.runs.notebook import Notebook
from sandbox.runs.states import Status
from sandbox.runs.texts import fit
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, storage_error, write_atomically, write_json

if TYPE_CHECKING:
    from sandbox.catalog import Inputs

log = logging.getLogger(__name__)

LONGEST = 2000  # characters of a name or a reason
MOST = 20  # languages of a title
LAB = re.compile(r"^\s*(from\s+sandbox\s+import\s.*\blab\b|(from|import)\s+sandbox\.lab\b)", re.M)
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer:
    """What is about to be frozen, for who checks it."""

    notebook: Notebook
    parameters: list[dict[str, Any]]
    inputs: Inputs | None
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check that lets a submission pass has to say of it."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)  # with rows and columns
    trial: dict[str, Any] | None = None  # on a small replica, if there was one


def submit(
    settings: Settings,
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    team: str | None = None,
    author: str | None = None,
    why: str | None = None,
    *,
    limits: Limits | None = None,
    recipe: Mapping[str, Any] | None = None,
    attached: Sequence[Path] = (),
    check: Callable[[Offer], Checked] | None = None,
    asked: Asked | None = None,
) -> str:
    """Freeze a notebook with its parameters, inputs and attached files as a queued run.

    `check` looks at what is frozen: it raises, or gives what to keep. `asked` says which evidence
    the run is to have. Gives the run's name.

    Raises
    ------
    SandboxError
        If the notebook, a parameter or an input is not right, or the notebook is not an
        unchanged template and this machine cannot isolate it. Nothing is then written.
    """
    found = notebooks.find(notebook)
    template = notebooks.match(found)
    values = values_of(found, parameters or {})
    inputs = inputs_of(settings, found, recipe)
    check_can_run(settings, unchanged=bool(template and template["unchanged"]))
    run_id = new_id(datetime.now(UTC))
    sweep(settings.runs)  # what a killed submission left
    fresh = settings.runs / f"{owner(os.getpid())}-{run_id}"
    try:
        taken = attachments.take(settings, attached, fresh / "submission" / attachments.FOLDER)
        offer = Offer(notebook=found, parameters=values, inputs=inputs, attachments=taken)
        checked = Checked() if check is None else check(offer)
        facts = {
            "id": run_id,
            "notebook_name": fit(found.name, longest=LONGEST),
            "notebook_sha256": hashlib.sha256(found.data).hexdigest(),
            "template": template,
            "title": _words(found, "title"),
            "question": _words(found, "question"),
            "parameters": values,
            "inputs": [] if inputs is None else inputs.to_record(),
            "attachments": checked.attachments or [contents.to_record(one) for one in taken],
            "findings": checked.findings,
            "trial": checked.trial,
            "limits": (limits or Limits()).to_record(),
            "author": _line(author) or _user(),
            "team": _line(team),
            "why": _line(why),
            "submitted_at": now(),
        }
        _freeze(settings, fresh, found, facts, asked)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    registry.note(settings, run_id)
    return run_id


def check_can_run(settings: Settings, *, unchanged: bool) -> None:
    """Refuse other people's code where it cannot be isolated, from us and from each other."""
    isolation = available()
    if isolation and (shown := interpreter.holding(settings.home)):
        raise IsolationError(
            _(
                "the home {home!r} lies in {folder!r}, which every notebook can read; set "
                "SANDBOX_HOME to a folder outside of it"
            ).format(home=str(settings.home), folder=str(shown))
        )
    if not isolation and not unchanged:
        raise IsolationError(
            _(
                "this notebook is not an unchanged template, so it runs only in an isolated "
                "kernel, and this machine cannot isolate one: {problem}"
            ).format(problem=isolation.message)
        )


def values_of(found: Notebook, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the declared parameters with their values."""
    declared = found.parameters
    chosen = parameters.chosen(declared, given)
    return [one.to_record(chosen.get(one.name, one.default)) for one in declared]


def inputs_of(
    settings: Settings, found: Notebook, recipe: Mapping[str, Any] | None
) -> Inputs | None:
    """Choose the replicas that a notebook reads; None if it says that it reads none."""
    reads = found.reads
    if reads is not None and not reads:
        return None
    from sandbox import catalog

    inputs = catalog.select(settings, reads, recipe=recipe)
    if not inputs.replicas and (dataset := _expected(found)):
        raise catalog.not_built(dataset, set())
    return inputs


def _expected(found: Notebook) -> str | None:
    """Name a dataset that a notebook without a declaration is about to read through lab."""
    code = "\n".join(map(notebooks.text, filter(notebooks.is_code, found.cells)))
    if not LAB.search(code):
        return None
    from synthetic.spec.load import packaged

    named = [dataset for dataset in packaged() if re.search(rf"\b{dataset}\.\w", code)]
    if named or "published." in code:  # the published tables are always there
        return named[0] if named else None
    return "population"


def _freeze(
    settings: Settings, fresh: Path, found: Notebook, facts: dict[str, Any], asked: Asked | None
) -> None:
    run_id = facts["id"]
    try:
        make_folder(fresh / "submission")
        write_atomically(fresh / "submission" / "notebook.ipynb", found.data)
        write_json(fresh / "submission" / "submission.json", facts)
        if asked is not None:
            evidence = evidenced.to_record(run_id, evidenced.asked_for(asked, facts["inputs"]))
            write_json(RunFolder(fresh).evidence_file, evidence)
        hashes = RunFolder(fresh).hashes()
        number = journal.append(
            settings.home, "state", run_id, to=str(Status.QUEUED), by="author", **hashes
        )
        step = {
            **{"at": now(), "from": None, "to": str(Status.QUEUED)},
            **{"by": facts["author"], "log": number},
        }
        write_json(
            fresh / "run.json", {"id": run_id, "status": str(Status.QUEUED), "history": [step]}
        )
        RunFolder(fresh).sign(os.getpid())  # until another process takes it over
        for path in (fresh / "submission").glob("*.*"):
            path.chmod(0o444)
        fresh.rename(settings.runs / run_id)
    except OSError as error:
        raise storage_error("freeze the submission in", fresh, error) from error


def _words(found: Notebook, name: str) -> dict[str, str] | None:
    said = found.described.get(name)
    if isinstance(said, str):
        said = {"vi": said, "en": said}
    if isinstance(said, dict) and said:
        return {
            language: fit(words, longest=LONGEST)
            for language, words in list(said.items())[:MOST]
            if isinstance(words, str) and LANGUAGE.fullmatch(language)
        } or None
    return None


def _line(given: str | None) -> str | None:
    return None if given is None else fit(" ".join(given.split()), longest=LONGEST)


def _user() -> str:
    with suppress(KeyError, OSError, ImportError):
        return fit(getpass.getuser(), longest=LONGEST)
    return "unknown"
