"""The founder's own files that a notebook names: do they travel, are they tables, whose data?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.errors import AttachmentError
from sandbox.lab import attached as tables
from sandbox.lab import csvs
from sandbox.lab import files as names
from sandbox.language import N_, Later, speaking
from sandbox.preflight import personal
from sandbox.preflight.calls import HOLE, Code
from sandbox.preflight.finding import Finding, Listed, Near, Retold, error, warning
from sandbox.runs import contents
from sandbox.runs.attachments import Attachment

CODE = "attachment"
PERSONAL = "personal_data"
CALL = "sandbox.lab.attachment"
Place = tuple[int | None, int | None]
NOWHERE: Place = (None, None)
BESIDE = Later(N_("put the file beside the notebook, or give it with --attach FILE"))
PLAIN = Later(
    N_('write its name as a text, lab.attachment("customers.csv"), or give it with --attach FILE')
)
MEND = Later(N_("mend the file, save it again, and submit"))
BY_PANDAS = Later(
    N_("SQL cannot read it; take out what is not the table, or read it in a cell of your own code")
)
UNDO = Later(
    N_(
        "take these columns out, or put a code of your own in their place; attach personal data "
        "only where you are allowed to use them and to show them to whoever reads the report"
    )
)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found in the attached files, and what is kept of them."""

    findings: list[Finding]
    records: list[dict[str, Any]]


def named(code: Code) -> dict[str, Place]:
    """Give the files that cells name, each with the first place that names it."""
    found: dict[str, Place] = {}
    for call in code.calls:
        text = code.text(call.argument(0, "name")) if call.name == CALL else None
        if text and HOLE not in text:
            found.setdefault(names.same(text), call.place)
    return found


def wanted(code: Code, beside: Collection[str]) -> list[str]:
    """Name the files beside the notebook that are to travel: cells name them, or their tables."""
    called = named(code)
    asked = _asked(code)
    return [
        name
        for name in sorted(beside)
        if names.same(name) in called
        or (Path(name).suffix.lower() in names.READERS and _table(name) in asked)
    ]


def check(code: Code, travels: Collection[str]) -> Iterator[Finding]:
    """Judge the names in the cells; `travels` are the names of the files that do."""
    known = {names.same(one) for one in travels}
    called = named(code)
    for name, place in called.items():
        if problem := _bad(name):
            yield error(CODE, problem, BESIDE, *place)
        elif name not in known:
            words = N_("the file {name!r} lies not beside the notebook; {hint}")
            hint = Near(name, tuple(sorted(known)))
            yield error(CODE, Later(words, {"name": name, "hint": hint}), BESIDE, *place)
    for call in code.calls:
        text = code.text(call.argument(0, "name")) if call.name == CALL else ""
        if text is None or HOLE in text:
            why = Later(N_("which file is meant here, only the run will know"))
            yield warning(CODE, why, PLAIN, *call.place)


def unused(code: Code, travels: Collection[str]) -> Iterator[Finding]:
    """Find files that travel and that no cell reads."""
    called, asked = named(code), _asked(code)
    is_sure = all(code.text(c.argument(0, "name")) for c in code.calls if c.name == CALL)
    for name in sorted(travels) if is_sure else ():
        if names.same(name) not in called and _table(name) not in asked:
            why = Later(N_("the attached file {name!r} is read by no cell"), {"name": name})
            words = N_("read it with lab.attachment({name}), or do not attach it")
            remedy = Later(words, {"name": f'"{name}"'})
            yield warning(CODE, why, remedy, *NOWHERE)


def look(code: Code, given: Sequence[Attachment]) -> Looked:
    """Read the attached files: each must be what its name says; personal data is warned of."""
    places = named(code)
    findings: list[Finding] = []
    records: list[dict[str, Any]] = []
    for one in given:
        place = places.get(names.same(one.name), NOWHERE)
        content = None
        try:
            with speaking("en"):
                content = contents.read(one)
        except csvs.RaggedError as problem:
            content = contents.Content(table=csvs.lines(one.path), is_whole=False)
            findings.append(warning("no_table", Retold(str(problem)), BY_PANDAS, *place))
        except AttachmentError as problem:
            findings.append(error(CODE, Retold(str(problem)), MEND, *place))
        if content is None:
            records.append(contents.to_record(one))
            continue
        seen = personal.look(content.table, is_whole=content.is_whole)
        findings += _judged(one, seen, place)
        records.append(contents.to_record(one, content, personal.safe_names(seen)))
    return Looked(findings=findings, records=records)


def _judged(one: Attachment, seen: personal.Look, place: Place) -> Iterator[Finding]:
    if found := tuple(personal.found(seen)):
        told = N_("the file {name!r} seems to hold data of real people: {found}")
        values = {"name": one.name, "found": Listed(found)}
        yield warning(PERSONAL, Later(told, values), UNDO, *place)
    if one.path.suffix.lower() == ".csv" and (code := csvs.encoding(one.path)) != csvs.UTF_8:
        why = Later(
            N_("the text of the file {name!r} is not UTF-8 but {encoding}"),
            {"name": one.name, "encoding": code},
        )
        words = N_("save it as CSV UTF-8, or read it with pd.read_csv(…, encoding={encoding!r})")
        yield warning("encoding", why, Later(words, {"encoding": code}), *place)


def _asked(code: Code) -> set[str]:
    """Name the tables `attached.…` that cells speak of, in SQL or elsewhere."""
    return {tables.fold(one) for cell in code.cells for one in tables.named(cell.source)}


def _table(name: str) -> str:
    return tables.fold(tables.table_of(name))


def _bad(name: str) -> Retold | None:
    try:
        with speaking("en"):
            names.check_name(name)
    except AttachmentError as problem:
        return Retold(str(problem))
    return None
