"""Whoever is killed, and whenever: each run comes to its end or is truly described, once.

A gate in the notebook holds an execution where it is to be met: it waits for a file in its work
folder, which the test puts there when it may go on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import psutil
import pytest

from sandbox import journal, runs
from sandbox.evidence import Asked
from sandbox.runs import evidenced, registry
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.logged import disagreements
from sandbox.runs.states import NEXT, Status
from sandbox.settings import Settings
from synthetic.build import Order, build, make_recipe
from tests.processes import PATIENCE_S, until
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY
from tests.sandbox.conftest import TIGHT
from tests.sandbox.corpus.said import verdict
from tests.sandbox.slots import worker
from tests.sandbox.test_runs_ends import inside
from tests.sandbox.upping import gone

pytestmark = pytest.mark.slow

GATE = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)"
CELLS = (
    "from sandbox import lab",
    GATE,
    "(mean,), = lab.table('population.persons').aggregate('avg(age)').fetchall()\n"
    "lab.conclude('Tuổi trung bình dưới 60', holds=mean < 60)\n"
    "for n in range(20000): print(n, 'dòng')",  # so that the report takes its time
)
REPEAT = Asked(null=False, draws=0)
DRAW = Asked(reproduced=False, null=False, draws=1)


def is_running(place):
    """Whether the gate of an execution is reached."""
    record = place.record()
    return bool(record) and [one["state"] for one in record["cells"]][1:2] == ["running"]


def is_starting(folder):
    record = folder.record()
    return folder.status() is Status.RUNNING and not (record and record["cells"])


def is_reported(folder):
    """Whether the first execution has ended, and its report is being drawn."""
    record = folder.record() or {}
    return folder.status() is Status.RUNNING and bool(record.get("reason"))


def is_built(folder):
    """Whether draws are being made: they are not noted yet."""
    sets = (folder.path.parent.parent / "draws").glob("*")
    return any(not list(one.glob("*.json")) for one in sets)


# Where a run is met; the evidence that it is to have; the gates that are open before.
STATES = {
    "before the first cell": (is_starting, REPEAT, ()),
    "in a cell": (lambda folder: is_running(folder.first), REPEAT, ()),
    "while the report is drawn": (is_reported, REPEAT, ("first",)),
    "in the repeat": (lambda folder: is_running(folder.repeat), REPEAT, ("first",)),
    "while a draw is built": (is_built, DRAW, ("first", "repeat", "null")),
    "on a draw": (
        lambda folder: is_running(folder.execution("draw-1")),
        DRAW,
        ("first", "repeat", "null"),
    ),
    "while the last report is drawn": (
        # Which takes a tenth of a second; after it there is nothing left to lose.
        lambda folder: not evidenced.is_asked(folder),
        REPEAT,
        ("first", "repeat", "null"),
    ),
}
LOSERS = ("slot", "worker", "who waits")  # who loses a run that it executes
WITH_KERNELS = ("before the first cell", "in a cell", "in the repeat", "on a draw")
MATRIX = [
    *((state, "kernel") for state in WITH_KERNELS),
    *((state, victim) for victim in ("slot", "worker", "who waits") for state in STATES),
]


@pytest.fixture(scope="module")
def home(bubblewrap, tmp_path_factory):
    """A home with a small country, where everything of this file happens."""
    folder = tmp_path_factory.mktemp("matrix") / "home"
    recipe = make_recipe("0.0005", None, 1, "exact")
    build(Order(datasets=("population",), recipe=recipe, out=folder / "replicas"))
    return Settings(home=folder)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The notebook that all submit."""
    folder = tmp_path_factory.mktemp("notebook")
    return notebooks.write(folder / "n.ipynb", *CELLS, reads={"population.persons": ["age"]})


@pytest.fixture(scope="module")
def crew(home):
    """The worker of the home; there is one as long as nobody kills or ends it."""
    found = Crew(home)
    yield found
    found.end()


@dataclass
class Crew:
    """A worker that is started when it is needed."""

    home: Settings
    stack: ExitStack = field(default_factory=ExitStack)
    process: subprocess.Popen | None = None

    def begin(self):
        """Give the worker's process, started anew if it is gone."""
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = self.stack.enter_context(worker(self.home))
        return self.process

    def end(self):
        """End the worker and see that its slots have ended."""
        self.stack.close()
        self.process = None


@pytest.mark.parametrize(("state", "victim"), MATRIX, ids=[f"{v}-{s}" for s, v in MATRIX])
def test_a_kill_costs_no_run_and_no_truth(home, path, crew, state, victim):
    shutil.rmtree(home.draws_folder, ignore_errors=True)
    is_there, asked, passed = STATES[state]
    with by(victim, crew, path, asked) as (process, folder):
        queued = submitted(home, path, asked) if state == "in a cell" else None
        assert reached(folder, is_there, passed), f"the run was never seen {state}"
        kill(until(lambda: pids(folder, process)[victim]))
    crew.begin()
    finished(home, folder, queued)
    check_end(home, folder, state, victim)
    if queued is not None:
        check_end(home, queued, state, "nobody")
    until(lambda: not inside(folder.path))


@contextmanager
def by(victim, crew, path, asked):
    """Have a run executed by a worker, or by a command that waits for it; gives its process."""
    if victim == "who waits":
        crew.end()
        before = registry.names(crew.home)
        with waiting(crew.home, path, asked) as process:
            (name,) = until(lambda: registry.names(crew.home) - before)
            yield process, RunFolder.find(crew.home, name)
    else:
        yield crew.begin(), submitted(crew.home, path, asked)


@contextmanager
def waiting(home, path, asked):
    """The real command that waits; it ends before the block does."""
    command = [sys.executable, "-m", "sandbox.cli", "run", "submit", str(path), "--wait"]
    process = subprocess.Popen(
        [*command, "--no-trial", "--evidence", "--draws", str(asked.draws)],
        env={**os.environ, "SANDBOX_HOME": str(home.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def submitted(home, path, asked):
    return RunFolder.find(home, runs.submit(home, path, limits=TIGHT, asked=asked))


def reached(folder, is_there, passed):
    """Wait until a run is in a state; false if it is over without having been seen there."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_there(folder):
        if is_over(folder) or time.monotonic() > deadline:
            return False
        for name in passed:
            open_gate(folder.execution(name))
        time.sleep(0.002)  # some states last for a tenth of a second
    return True


def open_gate(place):
    with suppress(OSError):  # not there yet, or being removed
        (place.work / "go").touch()


def pids(folder, process):
    """The processes that work on a run, by who they are."""
    supervisor = folder.supervisor()
    below = psutil.Process(supervisor).children(recursive=True)
    seen = inside(folder.path)
    kernels = [one.pid for one in below if one.pid in seen and "bwrap" not in one.name()]
    return {
        "kernel": kernels[-1] if kernels else None,
        "slot": supervisor,
        "worker": process.pid,
        "who waits": process.pid,
    }


def kill(pid):
    """Kill a process; what it started ends as well."""
    assert pid != os.getpid()  # who submits signs for a run until somebody takes it
    family = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(family))


def finished(home, *folders):
    """Wait until all is done of these runs, every gate open; what is there is whole at any time."""

    def look():
        for folder in folders:
            for place in (folder.first, *folder.further()):
                open_gate(place)
            read_everything(home, folder)
        return all(map(is_over, folders))

    folders = [one for one in folders if one is not None]
    until(look)


def is_over(folder):
    """Whether all is done of a run, its last report too, and nobody is at work on it."""
    is_done = folder.status().is_final and not evidenced.is_asked(folder)
    return is_done and not evidenced.is_behind(folder) and not folder.is_taken()


def read_everything(home, folder):
    """Read a run as the pages do, and each of its files as whoever else may."""
    assert runs.show(home, folder.id)["id"] == folder.id
    for path in (*folder.path.glob("*.json"), *folder.path.glob("executions/*/*.json")):
        with suppress(FileNotFoundError):  # an execution that is begun anew
            json.loads(path.read_text("utf-8"))
    if folder.report.is_file():
        assert folder.report.read_text("utf-8").rstrip().endswith("</html>")


def check_end(home, folder, state, victim):
    """What is said of a run is what happened to it."""
    facts = runs.show(home, folder.id)
    steps = read(folder.state_file)["history"]
    assert all(step["to"] in NEXT[Status(step["from"])] for step in steps[1:])
    n_begun = [step["to"] for step in steps].count("running")
    assert (n_begun, facts["status"], facts["reason"]["kind"]) in ends(state, victim), steps
    succeeded = facts["status"] == "succeeded"
    assert [one["holds"] for one in facts["conclusions"]] == [True] * succeeded
    told = facts["evidence"]
    found = {part: verdict(told[part]) for part in ("reproduced", "redrawn")}
    assert found == evidence_after(state, victim, succeeded), told
    assert facts["report"] is not None
    check_folder(folder)


def ends(state, victim):
    """Give how often a run may have begun, and how it ended."""
    once, again = (1, "succeeded", "completed"), (2, "succeeded", "completed")
    died = (1, "failed", "kernel died")
    if victim == "kernel":
        # One that had not come to its start has done nothing of the notebook's.
        return {"before the first cell": {again, died}, "in a cell": {died}}.get(state, {once})
    has_lost = victim in LOSERS and state in {"before the first cell", "in a cell"}
    return {again} if has_lost else {once}


def evidence_after(state, victim, succeeded):
    """Give the verdicts that a run has in the end."""
    asked = STATES[state][1]
    if not succeeded:
        return {"reproduced": "not run", "redrawn": "not run"}
    found = {
        "reproduced": "identical" if asked.reproduced or victim == "who waits" else "not run",
        "redrawn": "holds" if asked.draws else "not run",
    }
    lost = {"in the repeat": "reproduced", "on a draw": "redrawn"}.get(state)
    return found | ({lost: "failed: kernel died"} if victim == "kernel" and lost else {})


def check_folder(folder):
    """Nothing of an execution is left that is not one of the run's, and no data."""
    folders = {one.path.resolve() for one in (folder.first, *folder.further())}
    left = {one for one in (folder.path / "executions").iterdir() if not one.is_symlink()}
    assert left == folders
    assert not [one for one in folders if (one / "data").exists()]
    assert not [one.name for one in folder.path.iterdir() if one.name.startswith(".")]


def test_the_log_agrees_with_every_run(home):
    checked = journal.check(home.home)
    found = [*checked.findings, *disagreements(home, checked)]
    assert [str(one.message) for one in found if one.is_fault] == []


def test_nothing_goes_on_when_the_worker_has_ended(home, crew):
    crew.end()
    assert not inside(home.home)
    assert not list((home.runs / ".ahead").glob("*"))
