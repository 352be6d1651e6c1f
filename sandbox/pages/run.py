"""The page of one run: what was asked, what became of it, and what everything rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox import preflight
from sandbox.errors import SandboxError
from sandbox.language import _
from sandbox.look import spoken
from sandbox.pages import addresses
from sandbox.pages.catalogue.links import how_true
from sandbox.pages.faults import UNREADABLE, fault
from sandbox.pages.files import downloads
from sandbox.pages.progress import drawn_at
from sandbox.pages.rendering import page
from sandbox.retold import retold
from sandbox.runs import registry
from sandbox.runs.folder import RUN_ID, RunFolder, read
from sandbox.runs.record import reason_of
from sandbox.runs.registry import look_after
from sandbox.runs.report import render
from sandbox.runs.report.data import datasets
from sandbox.runs.report.facts import Facts, Folder, facts
from sandbox.runs.report.reading import mapping, objects, text
from sandbox.runs.report.summary import headline, sentences, template
from sandbox.runs.report.words import REASONS
from sandbox.runs.show import show
from sandbox.runs.states import CellState, Status
from sandbox.settings import Settings
from sandbox.worker.progress import progress
from synthetic.errors import SyntheticError
from synthetic.spec.load import packaged

MOST = 100  # results and conclusions on the page; the record has them all
RELOAD_S = 3  # without a script, while the run goes on
REREAD_S = 30  # without a script, while evidence arrives and somebody reads


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of a run's history."""

    at: str
    to: str
    by: str


def of_a_run(
    answer: Callable[[Request, RunFolder], Response],
) -> Callable[[Request], Response]:
    """Answer for the run that an address names; one that is not here is said to be missing."""

    @wraps(answer)
    def found(request: Request) -> Response:
        run_id = request.path_params["run"]
        try:
            folder = RunFolder.find(request.app.state.settings, run_id)
        except SandboxError:
            return missing(request, run_id)
        return answer(request, folder)

    return found


@of_a_run
def show_run(request: Request, folder: RunFolder) -> Response:
    """Show a run, whatever state it is in."""
    try:
        return page(request, "run.html.j2", **_values(request, folder))
    except (SandboxError, SyntheticError, *UNREADABLE) as error:
        return damaged(request, folder, error)


@of_a_run
def show_report(request: Request, folder: RunFolder) -> Response:
    """Lead to the report, under an address that is signed at this moment."""
    if not folder.report.is_file():
        return fault(
            request,
            410,
            _("There is no report of this run"),
            _("A report is written when a run ends. This one has none yet, or it was removed."),
            _("open the run’s page: there you see how far it is, or make its report again."),
        )
    return RedirectResponse(
        addresses.of_report(folder.id, request.app.state.configuration), status_code=303
    )


@of_a_run
def make_report(request: Request, folder: RunFolder) -> Response:
    """Make a report again from the run's own files, and go back to its page."""
    if look_after(folder).is_final:
        render(folder.path, settings=request.app.state.settings)
    return RedirectResponse(f"/runs/{folder.id}#report", status_code=303)


def missing(request: Request, run_id: str) -> Response:
    """Say that there is no such run here."""
    if not RUN_ID.fullmatch(run_id):
        message = _("This is not the name of a run; one looks like 20261122-154500-0a1b2c.")
    else:
        message = _("Its folder is not on this machine; it was removed, or belongs to another.")
    return fault(
        request,
        404,
        _("This run is not here"),
        message,
        _("look for it in the list of runs; what was removed can be submitted again."),
        detail=run_id[:100],
    )


def damaged(request: Request, folder: RunFolder, error: Exception) -> Response:
    """Say that a run's files cannot be read, and what can still be had of it."""
    is_told = isinstance(error, SandboxError | SyntheticError)
    return page(
        request,
        "damaged.html.j2",
        status=410,
        run_id=folder.id,
        folder=str(folder.path),
        detail=retold(str(error)) if is_told else f"{type(error).__name__}: {error}",
        downloads=downloads(folder),
    )


def _values(request: Request, folder: RunFolder) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    status = look_after(folder)
    record = folder.record()
    _check(show(settings, folder.id), record)
    files = Folder.read(folder.path)
    known = facts(files)
    has_report = status.is_final and folder.report.is_file()
    configuration = request.app.state.configuration
    used = datasets(files.inputs, settings.replicas)
    return {
        "run_id": folder.id,
        "state": str(status),
        "facts": known,
        "title": spoken(known.title),
        "headline": _why(status, record, known),
        "detail": _detail(status, record, known),
        "sentences": sentences(known) if status.is_final else [],
        "template": template(known),
        "progress": None if status.is_final else progress(settings, folder.id),
        "reload_s": REREAD_S if status.is_final else RELOAD_S,
        "report_at": drawn_at(folder),
        "reads": _reads(known),
        "report": addresses.of_report(folder.id, configuration) if has_report else None,
        "datasets": used,
        "measured": [one for one in used if not one.problem and one.name in packaged()],
        "how_true": how_true,
        "findings": _findings(files),
        "history": _history(folder),
        "downloads": downloads(folder),
        "most": MOST,
    }


def _reads(known: Facts) -> frozenset[str] | None:
    """Name the columns that the connection's log reports as read; None if nothing tells."""
    used = known.evidence.fidelity
    named = (f"{one.table}.{one.name}" for one in used.columns)
    return frozenset(named) if used.is_reported else None


def _check(shown: dict[str, Any], record: dict[str, Any] | None) -> None:
    """Raise over files that are not as we wrote them; the report would leave out what it lacks."""
    if record is not None and Status(shown["status"]).is_final:
        Status(record["status"])
    for cell in shown["cells"]:
        CellState(cell["state"])
    for claim in (*shown["results"], *shown["conclusions"]):
        claim["cell"]


def _why(status: Status, record: dict[str, Any] | None, known: Facts) -> str:
    """Say in one sentence how the run ended, and truly why."""
    if not status.is_final:
        return ""
    kind = (reason_of(status, record) or {}).get("kind", "")
    said = spoken(headline(known))
    if said or status is not Status.CANCELLED:
        return said or spoken(REASONS.get(kind))
    return _("Cancelled while it waited for its turn; nothing of it was run.")


def _detail(status: Status, record: dict[str, Any] | None, known: Facts) -> str:
    """Give the supervisor's own words, where they add to ours."""
    if status is Status.SUCCEEDED or known.failure:
        return ""
    return retold(text((reason_of(status, record) or {}).get("message")))


def _findings(files: Folder) -> list[dict[str, Any]]:
    """Give the warnings that came with the submission."""
    return [
        {**one, "place": preflight.place(one.get("cell"), one.get("line"))}
        for one in objects(files.submission.get("findings"))[:MOST]
    ]


def _history(folder: RunFolder) -> list[Step]:
    steps = objects(mapping(read(folder.state_file)).get("history"))
    return [
        Step(at=text(step.get("at")), to=text(step.get("to")), by=_who(text(step.get("by"))))
        for step in steps
    ]


def _who(by: str) -> str:
    """Name who moved a run, and why where that is known, as its history has it."""
    who, _colon, why = by.partition(": ")
    if who == registry.NAME and why == registry.GONE:
        return _("the registry, which found no supervisor")
    if who == "cancel":
        return _("a request to cancel")
    if who.startswith("supervisor "):
        who = _("the supervisor (process {pid})").format(pid=who.removeprefix("supervisor "))
    if who.startswith(registry.RETRY):
        n = who.split()[1]
        who = _("queued again, time {n} of {most}").format(n=n, most=registry.MOST_RETRIES)
    return f"{who}: {retold(why)}" if why else who
