"""What becomes of runs on a disk that is full for a while; run by tests on a small disk of its own.

Prints one JSON object: what was seen while the disk was full, and what is said afterwards.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox import journal, runs
from sandbox.evidence import Asked
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder
from sandbox.runs.logged import disagreements
from sandbox.settings import Settings
from tests.processes import until
from tests.sandbox import notebooks
from tests.sandbox.commands import sandbox
from tests.sandbox.conftest import TIGHT
from tests.sandbox.corpus.said import verdict
from tests.sandbox.slots import worker

GATE = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)"
CELLS = ("x = 20", GATE, "from sandbox import lab\nlab.result('tổng', x + 1)")
REPEAT = Asked(null=False, draws=0)


@contextmanager
def full(home):
    """Leave not one byte free while the block lasts."""
    filler = home.home / "other"
    with filler.open("wb", buffering=0) as file:
        for piece in (bytes(1 << 20), b"x"):
            with suppress(OSError):
                while True:
                    file.write(piece)
    try:
        yield
    finally:
        filler.unlink()


def submission(home, path):
    """Submit by the command; nothing is left of it, and later it works."""
    with full(home):
        told = sandbox(home.home, "run", "submit", path, "--no-trial", "--json")
        left = [one.name for one in home.runs.glob("*")] if home.runs.is_dir() else []
    return {"told": ended(told), "left": left, **afterwards(home, submitted(home, path))}


def first(home, path):
    """Fill the disk in the middle of a cell."""
    return while_it_executes(home, path, "first", passed=None)


def repeat(home, path):
    """Fill the disk in the middle of the repeat."""
    return while_it_executes(home, path, "repeat", passed="first")


def cancel(home, path):
    """Cancel a run that waits: neither the step nor its line of the log can be written."""
    folder = submitted(home, path)
    with full(home):
        told = sandbox(home.home, "run", "cancel", folder.id)
        seen = folder.status()
    return {"told": ended(told), "seen": seen, **afterwards(home, folder)}


def while_it_executes(home, path, name, passed):
    with worker(home):
        folder = submitted(home, path)
        place = folder.execution(name)
        open_gates(folder, lambda: is_running(place), only=passed)
        with full(home):
            until(lambda: not (is_running(place) and folder.is_taken()))
            told = sandbox(home.home, "run", "show", folder.id, "--json")
        return {"told": ended(told), **afterwards(home, folder)}


def submitted(home, path):
    return RunFolder.find(home, runs.submit(home, path, limits=TIGHT, asked=REPEAT))


def is_running(place):
    """Whether the gate of an execution is reached."""
    record = place.record()
    return bool(record) and [one["state"] for one in record["cells"]][1:2] == ["running"]


def over(home, folder):
    """Give everything known of a run once nothing more is to come."""
    facts = runs.show(home, folder.id)
    return facts if folder.status().is_final and not evidenced.is_asked(folder) else None


def ended(done):
    """Give how a command ended: its code, and its words to people."""
    return {"code": done.returncode, "words": done.stderr}


def afterwards(home, folder):
    """Have a worker do what is left to do; give what is said then."""
    with worker(home):
        facts = open_gates(folder, lambda: over(home, folder))
    return {
        "run": [facts["status"], facts["reason"]["kind"]],
        "results": [one["value"] for one in facts["results"]],
        "reproduced": verdict(facts["evidence"]["reproduced"]),
        "faults": faults(home),
        "is_reported": folder.report.read_text("utf-8").rstrip().endswith("</html>"),
    }


def open_gates(folder, holds, only=...):
    """Let all executions through, or one alone, until something holds; give it."""

    def look():
        for place in (folder.first, *folder.further()):
            if only in {..., place.name} and place.work.is_dir():
                (place.work / "go").touch()
        return holds()

    return until(look)


def faults(home):
    checked = journal.check(home.home)
    found = [*checked.findings, *disagreements(home, checked)]
    return [str(one.message) for one in found if one.is_fault]


if __name__ == "__main__":
    HOME = Settings(home=Path(sys.argv[2]))
    PATH = notebooks.write(HOME.home.parent / "n.ipynb", *CELLS)
    WAYS = {"submission": submission, "first": first, "repeat": repeat, "cancel": cancel}
    print(json.dumps(WAYS[sys.argv[1]](HOME, PATH)))  # noqa: T201 - its answer
