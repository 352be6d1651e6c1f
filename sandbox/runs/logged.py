"""Do the runs agree with the log: its last word of each, and the hashes that it has of their files?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import journal
from sandbox.errors import SandboxError
from sandbox.language import N_, Later
from sandbox.runs import registry
from sandbox.runs.folder import RunFolder, read
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """Where a run and the log do not say the same."""

    run: str
    message: Later
    is_fault: bool = True


def disagreements(settings: Settings, checked: journal.Checked) -> Iterator[Finding]:
    """Compare every run that has a folder with what the log says of it, after it was checked."""
    known: dict[str, list[Mapping[str, Any]]] = {}
    for line in checked.lines:
        known.setdefault(line.facts["run"], []).append(line.facts)
    for run_id in sorted(registry.names(settings)):
        found = list(_findings(settings, run_id, known.get(run_id, [])))
        if any(one.is_fault for one in found):  # it may have gone on since the log was read
            found = list(_findings(settings, run_id, journal.lines(settings.home, run_id)))
        yield from found


def _findings(settings: Settings, run_id: str, lines: Lines) -> Iterator[Finding]:
    for message, is_fault in _disagreements(settings, run_id, lines):
        yield Finding(run_id, message, is_fault)


def _disagreements(settings: Settings, run_id: str, lines: Lines) -> Iterator[tuple[Later, bool]]:
    try:
        folder = RunFolder.find(settings, run_id)
        status = folder.status()
        history = read(folder.state_file)["history"]
        is_logged = any(step.get("log") for step in history)
    except (SandboxError, SyntheticError, KeyError, TypeError, AttributeError) as error:
        yield Later(N_("its folder cannot be read: {problem}"), {"problem": str(error)}), True
        return
    steps = [line for line in lines if line["event"] == "state"]
    if not steps and not is_logged:
        yield Later(N_("it is older than the log, which says nothing of it")), False
    elif not steps:
        yield Later(N_("its folder says that it was logged, and the log has no line of it")), True
    elif steps[-1].get("to") != status:
        words = N_("its folder says {status}; the log's last word, in line {seq}, is {logged}")
        values = {"status": str(status), "seq": steps[-1]["seq"], "logged": steps[-1].get("to")}
        yield Later(words, values), True
    for name, path in _files(folder, is_final=status.is_final).items():
        yield from _compared(name, path, lines)


def _files(folder: RunFolder, *, is_final: bool) -> dict[str, Path]:
    """Name what the log has hashes of; a run that is under way has its record still to come."""
    files = {
        "notebook": folder.notebook,
        "submission": folder.submission_file,
        "evidence": folder.evidence_file,
    }
    if is_final:
        files |= {"record": folder.record_file, "executed": folder.executed}
    return files


def _compared(name: str, path: Path, lines: Lines) -> Iterator[tuple[Later, bool]]:
    logged = next((line for line in reversed(lines) if name in line), None)
    if logged is None:
        return
    values = {"file": path.name, "seq": logged["seq"]}
    try:
        is_same = hashlib.sha256(path.read_bytes()).hexdigest() == logged[name]
    except OSError:
        yield Later(N_("{file} is gone; line {seq} of the log has its hash"), values), True
        return
    if not is_same:
        yield (
            Later(N_("{file} is not the one whose hash is in line {seq} of the log"), values),
            True,
        )
