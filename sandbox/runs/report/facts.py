"""What is known of a run, read from its folder for the report: never more than the files say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.runs.report.evidence import Evidence, evidence
from sandbox.runs.report.outputs import (
    CONCLUSION,
    RESULT,
    Failure,
    failures,
    joined,
)
from sandbox.runs.report.quantities import moment, quantity, size
from sandbox.runs.report.reading import (
    load,
    mapping,
    number,
    objects,
    sequence,
    sha256,
    text,
    whole,
)
from sandbox.runs.report.recorded import (
    LONGEST_VALUE,
    CellState,
    Isolation,
    Line,
    cell_state,
    duration,
    environment,
    isolation,
    limits,
    packages,
)
from sandbox.runs.report.redrawn import OnDraws, OnNull, Spread
from sandbox.runs.report.words import (
    NOTHING,
    REASONS,
    RUNNERS,
    STATUSES,
    UNKNOWN_RUNNER,
    UNKNOWN_STATUS,
    Words,
    said,
)

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One declared parameter with the value of this run."""

    name: str
    kind: str
    value: str
    default: str
    comment: str
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Result:
    """A value that the notebook declared."""

    name: Words
    value: Words
    exact: str
    unit: Words
    n: Words
    drawn: Spread | None  # on the fresh draws, as far as they are done
    remarks: tuple[Words, ...]  # what its reader should know


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A sentence that the notebook declared, whether it held, and how it was tried."""

    statement: Words
    holds: bool | None
    drawn: OnDraws | None
    on_null: OnNull | None


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file of the author's own that travelled with the submission."""

    name: str
    table: str
    size: Words
    n_rows: Words
    columns: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the report says of a run, apart from its data and its cells."""

    run_id: str
    title: Words
    question: Words
    purpose: Words
    limits_of_claim: Words
    status: str
    status_word: Words
    reason: Words
    detail: str  # the supervisor's own message
    failing_cell: int | None
    failure: Failure | None
    started: Words
    duration: Words
    runner: Words
    runner_host: str
    author: str
    team: str
    why: Words
    submitted: Words
    template: str
    template_unchanged: bool | None
    reads_declared: bool
    published: tuple[str, ...]  # packaged statistics that the notebook declares, by name
    attached: tuple[Attached, ...]
    has_record: bool
    has_notebook: bool
    parameters: tuple[Parameter, ...]
    results: tuple[Result, ...]
    conclusions: tuple[Conclusion, ...]
    cells: tuple[CellState, ...]
    limits: tuple[Line, ...]
    isolation: Isolation
    environment: tuple[Line, ...]
    packages: tuple[str, ...]
    hashes: tuple[Line, ...]
    record_sha256: str
    evidence: Evidence

    @property
    def succeeded(self) -> bool:
        """Whether the record says that the run succeeded."""
        return self.status == "succeeded"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The files of a run as they were read."""

    path: Path
    submission: dict[str, Any]
    run: dict[str, Any]
    record: dict[str, Any] | None
    notebook: dict[str, Any] | None
    evidence: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Folder:
        """Read a run folder; files that are missing or broken read as nothing."""
        first = path / "executions" / "first"
        return cls(
            path=path,
            submission=load(path / "submission" / "submission.json") or {},
            run=load(path / "run.json") or {},
            record=load(first / "record.json"),
            notebook=load(first / "executed.ipynb"),
            evidence=load(path / "evidence.json") or {},
        )

    @property
    def inputs(self) -> object:
        """The inputs that the record names, or those of the submission."""
        return mapping(self.record).get("inputs") or self.submission.get("inputs")


def facts(folder: Folder) -> Facts:
    """Gather what the files of a run say."""
    submission, record, notebook = folder.submission, folder.record or {}, folder.notebook or {}
    described = mapping(mapping(notebook.get("metadata")).get("sandbox"))
    reason = mapping(record.get("reason"))
    status = text(record.get("status") or folder.run.get("status"))
    cell = _cell_number(reason.get("cell"), notebook)
    runner = mapping(record.get("runner"))
    template = mapping(submission.get("template"))
    record_path = folder.path / "executions" / "first" / "record.json"
    record_sha256 = sha256(record_path) or ""
    title = said(submission.get("title")) or said(described.get("title"))
    shown = evidence(
        folder.evidence,
        has_claims=bool(record.get("results") or record.get("conclusions")),
    )
    return Facts(
        run_id=_run_id(folder, record),
        title=title or Words(text(submission.get("notebook_name"))) or Words("Sổ tay không tên"),
        question=said(submission.get("question")) or said(described.get("question")),
        purpose=said(described.get("purpose")),
        limits_of_claim=said(described.get("limits")),
        status=status,
        status_word=STATUSES.get(status, UNKNOWN_STATUS),
        reason=REASONS.get(text(reason.get("kind")), Words(text(reason.get("kind")))),
        detail=text(reason.get("message"))[:LONGEST_VALUE],
        failing_cell=cell,
        failure=_failure(notebook, cell) if text(reason.get("kind")) == "cell error" else None,
        started=moment(record["started_at"]) if record.get("started_at") else NOTHING,
        duration=duration(record.get("seconds")),
        runner=RUNNERS.get(text(runner.get("kind")), UNKNOWN_RUNNER),
        runner_host=text(runner.get("host_os")),
        author=text(submission.get("author")),
        team=text(submission.get("team")),
        why=said(submission.get("why")),
        submitted=moment(submission["submitted_at"]) if submission.get("submitted_at") else NOTHING,
        template=text(template.get("name")),
        template_unchanged=template["unchanged"] is True if "unchanged" in template else None,
        reads_declared="reads" in described,
        published=tuple(
            text(table)
            for table in mapping(described.get("reads"))
            if table.startswith("published.")
        ),
        attached=tuple(map(_attached, objects(submission.get("attachments")))),
        has_record=folder.record is not None,
        has_notebook=folder.notebook is not None,
        parameters=_parameters(submission.get("parameters") or record.get("parameters")),
        results=tuple(
            _result(given, place, shown)
            for place, given in enumerate(_declared(folder, "results", RESULT))
        ),
        conclusions=tuple(
            _conclusion(given, place, shown)
            for place, given in enumerate(_declared(folder, "conclusions", CONCLUSION))
        ),
        cells=tuple(cell_state(given) for given in objects(record.get("cells"))),
        limits=limits(record),
        isolation=isolation(record.get("isolation")),
        environment=environment(mapping(record.get("environment"))),
        packages=packages(mapping(record.get("environment"))),
        hashes=_hashes(folder, record, record_sha256),
        record_sha256=record_sha256,
        evidence=shown,
    )


def _attached(given: dict[str, Any]) -> Attached:
    rows = whole(given.get("rows"))
    return Attached(
        name=text(given.get("name")),
        table=text(given.get("table")),
        size=size(number(given.get("bytes")) or 0),
        n_rows=NOTHING if rows is None else quantity(rows),
        columns=tuple(text(one) for one in sequence(given.get("columns"))),
        sha256=text(given.get("sha256")),
    )


def _run_id(folder: Folder, record: dict[str, Any]) -> str:
    """Give the run's id where it is fit for a page's footer, else the folder's own name."""
    for given in (folder.submission.get("id"), record.get("run"), folder.path.name):
        if isinstance(given, str) and RUN_ID.fullmatch(given):
            return given
    return "?"


def _cell_number(given: object, notebook: dict[str, Any]) -> int | None:
    """Give the place, counted from 1, of the cell that a reason names by index or by id."""
    if isinstance(given, str):
        ids = [cell.get("id") for cell in objects(notebook.get("cells"))]
        return ids.index(given) + 1 if given in ids else None
    index = whole(given)
    return None if index is None else index + 1


def _failure(notebook: dict[str, Any], cell: int | None) -> Failure | None:
    """Find the error that ended the run: that of the named cell, or the last one raised."""
    raised = list(failures(notebook))
    named = [error for error in raised if error.number == cell]
    found = named if cell is not None else raised
    return found[-1] if found else None


def _parameters(given: object) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name=text(entry.get("name")),
            kind=text(entry.get("type")),
            value=_literal(entry.get("value")),
            default=_literal(entry.get("default")),
            comment=text(entry.get("comment")),
            changed=entry.get("value") != entry.get("default"),
        )
        for entry in objects(given)
    )


def _literal(value: object) -> str:
    """Write a value as the notebook's author would."""
    return text(value if isinstance(value, str) else repr(value))[:LONGEST_VALUE]


def _declared(folder: Folder, name: str, mime: str) -> list[dict[str, Any]]:
    """Give what the notebook declared, from the record, or from its outputs without a record."""
    if folder.record is not None:
        return objects(folder.record.get(name))
    found = []
    for cell in objects((folder.notebook or {}).get("cells")):
        for output in objects(cell.get("outputs")):
            given = mapping(output.get("data")).get(mime)
            found.append(_parsed(given) if isinstance(given, str | list) else mapping(given))
    return [entry for entry in found if entry]


def _parsed(given: object) -> dict[str, Any]:
    try:
        return mapping(json.loads(joined(given)))
    except (ValueError, RecursionError):
        return {}


def _result(given: dict[str, Any], place: int, shown: Evidence) -> Result:
    value, name = given.get("value"), said(given.get("name"))
    written = quantity(value if isinstance(value, bool | int | float | str) else _literal(value))
    remarks = (
        one.badge
        for one in shown.fidelity.remarks
        if (one.result, one.cell) == (name, whole(given.get("cell")))
    )
    drawn = shown.redrawn.results[place : place + 1]
    return Result(
        name=name,
        value=Words(written.vi[:LONGEST_VALUE], written.en[:LONGEST_VALUE]),
        exact=text(value)[:LONGEST_VALUE],
        unit=said(given.get("unit")),
        n=quantity(given["n"]) if given.get("n") is not None else NOTHING,
        drawn=next((one for one in drawn if one.name == name), None),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _conclusion(given: dict[str, Any], place: int, shown: Evidence) -> Conclusion:
    statement, holds = said(given.get("statement")), given.get("holds")
    statement = Words(statement.vi[:LONGEST_VALUE], statement.en[:LONGEST_VALUE])
    drawn = shown.redrawn.conclusions[place : place + 1]
    on_null = shown.null.conclusions[place : place + 1]
    return Conclusion(
        statement=statement,
        holds=holds if isinstance(holds, bool) else None,
        drawn=next((one for one in drawn if one.statement == statement), None),
        on_null=next((one for one in on_null if one.statement == statement), None),
    )


def _hashes(folder: Folder, record: dict[str, Any], record_sha256: str) -> tuple[Line, ...]:
    executed = sha256(folder.path / "executions" / "first" / "executed.ipynb")
    lines = (
        (Words("Biên bản", "record.json"), record_sha256),
        (Words("Bằng chứng", "evidence.json"), sha256(folder.path / "evidence.json")),
        (Words("Sổ tay đã nộp", "submitted notebook"), folder.submission.get("notebook_sha256")),
        (Words("Sổ tay đã chạy", "executed notebook"), executed),
        (
            Words("Bản khóa môi trường", "environment lock"),
            mapping(record.get("environment")).get("lock_sha256"),
        ),
    )
    return tuple(Line(name=name, value=Words(text(value))) for name, value in lines if value)
