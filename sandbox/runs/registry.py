"""An index of the runs, for lists. The folders are the truth; this can be thrown away.

Also the one place that looks whether a run's supervisor is still there.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sandbox.errors import SandboxError
from sandbox.language import N_
from sandbox.runs import staging
from sandbox.runs.evidenced import draw_report
from sandbox.runs.folder import RUN_ID, RunFolder, now, read
from sandbox.runs.record import lost, reason_of
from sandbox.runs.states import Status
from sandbox.settings import Settings
from synthetic.errors import SyntheticError
from synthetic.tables.files import write_json

log = logging.getLogger(__name__)

SCHEMA = "CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, status TEXT, facts TEXT) STRICT"
WAIT_S = 10
MOST_CONCLUSIONS = 5  # of one run, in the index; its record has them all
LONGEST_STATEMENT = 300  # characters
MOST_RETRIES = 2  # of a run whose supervisor was lost, or whose kernel did not come to its start
NAME = "registry"  # as a run's history has it
GONE = N_("the supervisor is gone")
RETRY = "retry"  # the first word of who made such a step in a run's history
FINAL = {str(status) for status in Status if status.is_final}


def listed(settings: Settings) -> list[dict[str, Any]]:
    """List all runs, the newest first."""
    present = names(settings)
    known: dict[str, dict[str, Any]] = {}
    with _index(settings) as index:
        known = dict(_ended(index))
        for run_id in set(known) - present:
            index.execute("DELETE FROM runs WHERE id = ?", (run_id,))
    found = (
        known.get(name) or _looked_at(settings, name) for name in sorted(present, reverse=True)
    )
    return [facts for facts in found if facts is not None]


def _ended(index: sqlite3.Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the runs whose facts change no more; what another version indexed is read again."""
    for run_id, status, facts in index.execute("SELECT id, status, facts FROM runs"):
        if status in FINAL and "n_conclusions" in (told := json.loads(facts)):
            yield run_id, told


def _looked_at(settings: Settings, run_id: str) -> dict[str, Any] | None:
    """Read a run from its folder, and index it; None if it cannot be listed."""
    try:
        facts = _facts(settings, run_id)
    except (SandboxError, SyntheticError) as error:
        log.warning("run %s is left out: %s", run_id, error)
        return None
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        log.warning("run %s is left out: its files are damaged (%r)", run_id, error)
        return None
    _put(settings, facts)
    return facts


def note(settings: Settings, run_id: str) -> None:
    """Write a run's present state into the index; a fault of the index stops nothing."""
    _put(settings, _facts(settings, run_id))


def names(settings: Settings) -> set[str]:
    """Name the runs that have a folder."""
    if not settings.runs.is_dir():
        return set()
    return {path.name for path in settings.runs.iterdir() if RUN_ID.fullmatch(path.name)}


def look_after(folder: RunFolder) -> Status:
    """Give a run's status; one whose supervisor is gone is lost, and queued again, here and now.

    A queued run waits for whoever takes it, however long that is.
    """
    status = folder.status()
    if status is not Status.RUNNING:
        return status
    with folder.locked() as held:
        if not held or folder.status() is not Status.RUNNING:  # it may have ended meanwhile
            return folder.status()
        folder.sweep()
        record = folder.record()
        if record is not None and Status(record["status"]).is_final:
            wanted = Status(record["status"])  # it died after the record, before the last step
        else:
            wanted = Status.LOST
            if record is not None:
                write_json(folder.record_file, lost(record, at=now()))
        staging.clear(folder.staged)
        folder.move(wanted, by=f"{NAME}: {GONE}")
        if wanted is Status.LOST:
            queue_again(folder, by=NAME, why=GONE)
        elif not folder.report.is_file():  # or before the report
            draw_report(Settings(home=folder.path.parent.parent), folder)
        return folder.status()


def queue_again(folder: RunFolder, *, by: str, why: str, is_counted: bool = True) -> bool:
    """Queue a run again that ended for a reason outside the notebook; its lock must be held.

    Nothing of its execution is kept but the steps in its history. False if it was tried too often.
    """
    history = read(folder.state_file)["history"]
    n_retries = sum(str(step["by"]).startswith(RETRY) for step in history)
    if is_counted and n_retries >= MOST_RETRIES:
        return False
    if folder.status() is Status.RUNNING:
        folder.move(Status.LOST, by=f"{by}: {why}")
    folder.first.forget()
    again = f"{RETRY} {n_retries + 1} of {MOST_RETRIES}" if is_counted else by
    folder.move(Status.QUEUED, by=f"{again}: {why}")
    return True


def _facts(settings: Settings, run_id: str) -> dict[str, Any]:
    folder = RunFolder.find(settings, run_id)
    status = look_after(folder)
    submission = folder.submission()
    record = folder.record() or {}
    reason = reason_of(status, record) or {}
    conclusions = record.get("conclusions", [])
    return {
        "id": run_id,
        "status": str(status),
        "reason": reason.get("kind"),
        "notebook": submission["notebook_name"],
        "title": submission["title"],
        "author": submission["author"],
        "team": submission["team"],
        "template": submission["template"],
        "submitted_at": submission["submitted_at"],
        "seconds": record.get("seconds"),
        "conclusions": [_listed(one) for one in conclusions[:MOST_CONCLUSIONS]],
        "n_conclusions": len(conclusions),
        "n_holding": sum(one["holds"] is True for one in conclusions),
    }


def _listed(conclusion: dict[str, Any]) -> dict[str, Any]:
    """Give a conclusion as short as a list wants it."""
    said = conclusion["statement"]
    short = (
        {language: text[:LONGEST_STATEMENT] for language, text in said.items()}
        if isinstance(said, dict)
        else str(said)[:LONGEST_STATEMENT]
    )
    return {"statement": short, "holds": conclusion["holds"] is True}


def _put(settings: Settings, facts: dict[str, Any]) -> None:
    with _index(settings) as index:
        index.execute(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)",
            (facts["id"], facts["status"], json.dumps(facts)),
        )


@contextmanager
def _index(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Open the index; a damaged one is made anew, and without a place to write it is in memory."""
    index = _opened(settings)
    try:
        yield index
        index.commit()
    except sqlite3.Error as error:
        log.warning("the registry's index was left as it was: %s", error)
    finally:
        index.close()


def _opened(settings: Settings) -> sqlite3.Connection:
    if settings.home.is_dir():
        for _ in range(2):
            try:
                index = sqlite3.connect(settings.registry, timeout=WAIT_S)
            except sqlite3.Error as error:
                log.warning("the registry's index cannot be opened: %s", error)
                break
            try:
                index.execute(SCHEMA)
                index.execute("SELECT id, status, facts FROM runs LIMIT 1").fetchall()
            except sqlite3.OperationalError as error:
                log.warning("the registry's index cannot be used: %s", error)
                index.close()
                break
            except sqlite3.DatabaseError:
                log.warning("the registry's index is damaged and is made anew")
                index.close()
                with suppress(OSError):
                    settings.registry.unlink()
            else:
                return index
    index = sqlite3.connect(":memory:")
    index.execute(SCHEMA)
    return index
