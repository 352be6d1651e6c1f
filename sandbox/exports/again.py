"""Execute a package again: rebuild its replicas from their recipes, run its notebook, compare.

The replicas stay, as any that are built here. The run itself lives in a folder of its own and goes
with it, so a check leaves no run behind.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import PackageError
from sandbox.evidence.reproduced import compared_cells
from sandbox.evidence.work import OWN_ENDS
from sandbox.exports import contents, recipes, shape
from sandbox.exports.checking import Verified
from sandbox.exports.contents import ATTACHED
from sandbox.exports.masks import Masks
from sandbox.exports.rebuild import rebuilt
from sandbox.kernels.folders import remove
from sandbox.kernels.processes import started
from sandbox.language import _
from sandbox.runs import endings, submission, supervisor
from sandbox.runs import record as records
from sandbox.runs.folder import RunFolder
from sandbox.runs.notebook import text
from sandbox.runs.record import Reason
from sandbox.runs.verdicts import Verdict, worst
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, storage_error, write_atomically

if TYPE_CHECKING:
    from sandbox.runs.conduct import OnCell

log = logging.getLogger(__name__)

LONGEST_NAME = 60  # characters
OWN_HOME = ".verify-"  # and the process that it belongs to


@dataclass(frozen=True, kw_only=True, eq=False)
class Rerun:
    """What came of executing a package again."""

    verdict: Verdict
    reason: Reason  # how the execution here ended
    cells: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]  # what differs between there and here, beside the cells


def rerun(
    settings: Settings,
    verified: Verified,
    *,
    on_cell: OnCell | None = None,
    progress: Callable[[str], None] = log.info,
) -> Rerun:
    """Execute the notebook of a whole package here, isolated, on replicas that are built again.

    Raises
    ------
    PackageError
        If the package is not whole, has no executed notebook, or its replicas cannot be built here
        as they were there.
    """
    if not verified.is_whole or contents.EXECUTED not in verified.files:
        raise PackageError(
            _("only a whole package with an executed notebook can be executed again")
        )
    replicas, notes = rebuilt(settings, verified.read(recipes.NAME), progress)
    with _own_home(settings, replicas) as home:
        folder, reason = _execute(home, verified, on_cell)
        notes += list(_environment(verified))
        return _compared(Masks(home), verified, folder, reason, notes)


@contextmanager
def _own_home(settings: Settings, replicas: list[Path]) -> Iterator[Settings]:
    """Make a home that holds these replicas alone, beside everything else of this one."""
    _remove_abandoned(make_folder(settings.home))
    with tempfile.TemporaryDirectory(
        prefix=f"{OWN_HOME}{os.getpid()}-", dir=settings.home, ignore_cleanup_errors=True
    ) as folder:
        home = replace(settings, home=Path(folder))
        for replica in replicas:
            place = home.replicas / replica.parent.name / replica.name
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(replica)
            except OSError as error:
                raise storage_error("make the link", place, error) from error
        yield home


def _remove_abandoned(home: Path) -> None:
    """Remove what a check left behind that was killed."""
    for path in home.glob(f"{OWN_HOME}*"):
        pid = path.name.removeprefix(OWN_HOME).partition("-")[0]
        if pid.isdecimal() and started(int(pid)) is None:
            remove(path)


def _execute(
    home: Settings, verified: Verified, on_cell: OnCell | None
) -> tuple[RunFolder, Reason]:
    told = verified.read(contents.SUBMISSION)
    name = "".join(c for c in told["notebook_name"] if c.isalnum() or c in "-_")[:LONGEST_NAME]
    given = make_folder(home.home / "given")
    notebook = given / f"{name or 'notebook'}.ipynb"
    write_atomically(notebook, verified.files[contents.NOTEBOOK])
    run_id = submission.submit(
        home,
        notebook,
        {one["name"]: one["value"] for one in told["parameters"]},
        attached=list(_attached(verified, make_folder(given / "attached"))),
    )
    outcome = supervisor.execute(home, run_id, on_cell)
    return RunFolder.find(home, run_id), outcome.reason


def _attached(verified: Verified, folder: Path) -> Iterator[Path]:
    """Put the files that travelled with the submission into a folder."""
    for name, data in verified.files.items():
        if name.startswith(ATTACHED) and "/" not in name.removeprefix(ATTACHED):
            place = folder / name.removeprefix(ATTACHED)
            write_atomically(place, data)
            yield place


def _compared(
    masks: Masks, verified: Verified, folder: RunFolder, reason: Reason, notes: list[str]
) -> Rerun:
    def told(verdict: Verdict, cells: Sequence[Mapping[str, Any]] = ()) -> Rerun:
        return Rerun(verdict=verdict, reason=reason, cells=tuple(cells), notes=tuple(notes))

    record = verified.read(contents.RECORD)
    if reason.kind not in OWN_ENDS:
        return told(Verdict.FAILED)
    here = json.loads(masks(folder.executed.read_bytes()))
    around = _surroundings(record, folder.record() or {})
    try:
        there = verified.read(contents.EXECUTED)
        is_same_notebook = list(map(text, there["cells"])) == list(map(text, here["cells"]))
        compared = compared_cells(there, here, around) if is_same_notebook else []
    except Exception:
        # What is in a package is its signer's to choose, so reading it can fail in any way.
        log.exception("the two executions could not be compared")
        notes.append(_("the package's executed notebook cannot be read"))
        return told(Verdict.DIFFERS)
    if not is_same_notebook:
        notes.append(_("the package's executed notebook has other cells than the submitted one"))
        return told(Verdict.DIFFERS)
    end = shape.reason(record)
    ended = [at for at in (end.cell, reason.cell) if at is not None]
    cells = [one for one in compared if not ended or one["index"] <= min(ended)]
    if (end.kind, end.cell) != (reason.kind, reason.cell):
        words = _("it ended otherwise: there {there}, here {here}")
        notes.append(words.format(there=_end(end), here=_end(reason)))
        return told(Verdict.DIFFERS, cells)
    return told(worst([Verdict(one["verdict"]) for one in cells]), cells)


def _end(reason: Reason) -> str:
    return endings.told(reason.to_record())


def _surroundings(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {**record.get("surroundings", {}), "started_at": record["started_at"]}
        for name, record in (("first", there), ("repeat", here))
    }


def _environment(verified: Verified) -> Iterator[str]:
    """Tell which Python and packages are others here."""
    there, here = verified.read(contents.RECORD)["environment"], records.environment()
    pairs = {"Python": (there["python"], here["python"])}
    names = sorted(there["packages"].keys() | here["packages"].keys())
    pairs |= {name: (there["packages"].get(name), here["packages"].get(name)) for name in names}
    for name, (one, other) in pairs.items():
        if one != other:
            yield _("{package}: there {there}, here {here}").format(
                package=name, there=one or "–", here=other or "–"
            )
