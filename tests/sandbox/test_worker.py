"""Workers: what is submitted is executed once, whatever is killed; and what they leave (nothing)."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress

import psutil
import pytest

from sandbox import runs
from sandbox.kernels import Limits
from sandbox.kernels.pool import Pool
from sandbox.kernels.surroundings import USUAL
from sandbox.runs import evidenced
from sandbox.runs.evidenced import Asked
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.world import World
from sandbox.worker.ahead import ALL, imports
from tests.processes import until
from tests.sandbox.commands import sandbox
from tests.sandbox.conftest import TIGHT
from tests.sandbox.slots import slots, worker
from tests.sandbox.test_runs_ends import inside
from tests.sandbox.upping import gone

ENDLESS = "import time; time.sleep(600)"


@pytest.fixture(autouse=True)
def nothing_left(tmp_path):
    """No process of a test's sandboxes is there afterwards."""
    yield
    until(lambda: not inside(tmp_path), 30)


@pytest.fixture
def submit(bubblewrap, settings, write):
    """Submit a notebook of these cells."""

    def do(*sources, **options):
        path = write(*sources, name=f"n{time.monotonic_ns()}")
        return RunFolder.find(settings, runs.submit(settings, path, limits=TIGHT, **options))

    return do


def ended(folder):
    """Wait for the end of a run; give its steps."""
    until(lambda: folder.status().is_final)
    return steps(folder)


def steps(folder):
    """The states that a run went through."""
    return [step["to"] for step in read(folder.state_file)["history"]]


def is_under_way(folder):
    """Whether the first cell of a run is being executed."""
    record = folder.record() if folder.record_file.is_file() else None
    return bool(record and [one["state"] for one in record["cells"]][:1] == ["running"])


@pytest.mark.slow
def test_thirty_at_once_are_all_executed_once_by_two_workers(settings, submit):
    folders = [submit("x = 1", "print(x)", team=f"team {n % 4}") for n in range(30)]
    with worker(settings, 1), worker(settings, 1):
        found = [ended(folder) for folder in folders]
    assert found == [["queued", "running", "succeeded"]] * 30
    pids = {read(one.state_file)["history"][1]["by"] for one in folders}
    assert len(pids) == 2  # both had some


@pytest.mark.slow
def test_a_run_is_cancelled_and_its_slot_goes_on(settings, submit):
    with worker(settings) as process:
        endless, waiting = submit(ENDLESS), submit("1")
        until(lambda: is_under_way(endless))
        before = slots(settings, process)
        told = json.loads(sandbox(settings.home, "worker", "status", "--json").stdout)
        assert told["workers"][0]["slots"] == [
            {"pid": before[0], "run": endless.id, "work": "first"}
        ]
        assert [one["run"] for one in told["waiting"]] == [waiting.id]
        assert runs.cancel(settings, endless.id) == "cancelled"
        assert endless.record()["reason"]["message"] == "stopped by sandbox run cancel"
        assert ended(waiting)[-1] == "succeeded"
        assert slots(settings, process) == before


@pytest.mark.slow
def test_a_killed_slot_is_replaced_and_its_run_executed_again(settings, submit):
    with worker(settings) as process:
        folder = submit("import os, time", "time.sleep(600 * (not os.path.exists('/tmp')))")
        endless = submit(ENDLESS)
        until(lambda: is_under_way(endless))
        assert ended(folder)[-1] == "succeeded"
        for n in range(1, 4):
            (pid,) = slots(settings, process)
            assert endless.supervisor() == pid
            os.kill(pid, signal.SIGKILL)
            if n < 3:
                until(
                    lambda n=n: steps(endless).count("running") == n + 1 and is_under_way(endless)
                )
        assert ended(endless) == ["queued", *["running", "lost", "queued"] * 2, "running", "lost"]
        assert endless.record()["reason"]["kind"] == "supervisor lost"
        assert ended(submit("1"))[-1] == "succeeded"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_runs_when_a_worker_ends_is_queued_again(settings, submit, number):
    with worker(settings) as process:
        folder = submit(ENDLESS)
        until(lambda: is_under_way(folder))
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        until(lambda: gone(family))
    runs.show(settings, folder.id)
    assert steps(folder) == ["queued", "running", "lost", "queued"]
    assert runs.show(settings, folder.id)["cells"] == []


@pytest.mark.slow
def test_a_killed_kernel_is_the_runs_own_end(settings, submit):
    with worker(settings):
        folder = submit(ENDLESS)
        until(lambda: is_under_way(folder))
        pid = next(pid for pid in inside(folder.path) if "ipykernel" in " ".join(command(pid)))
        os.kill(pid, signal.SIGKILL)
        assert ended(folder) == ["queued", "running", "failed"]
    assert folder.record()["reason"]["kind"] == "kernel died"


def command(pid):
    """The command of a process, if it is there."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


@pytest.mark.slow
def test_evidence_goes_on_after_its_slot_was_killed(settings, submit):
    slow = "import os, time\nif os.environ['TZ'] != 'UTC': time.sleep(5)"
    with worker(settings) as process:
        folder = submit(slow, "1 + 1", asked=Asked(null=False, draws=0))
        until(lambda: (folder.repeat.record() or {}).get("cells"))
        (pid,) = slots(settings, process)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not evidenced.is_asked(folder))
        assert evidenced.written(folder)["reproduced"]["verdict"] == "identical"
        assert slots(settings, process) != (pid,)
    assert steps(folder) == ["queued", "running", "succeeded"]


@pytest.mark.slow
def test_who_submits_without_a_worker_starts_one_that_ends(settings, write, bubblewrap):
    path = write("1")
    told = [sandbox(settings.home, "run", "submit", path, "--json").stdout for _ in range(2)]
    folders = [RunFolder.find(settings, json.loads(one)["id"]) for one in told]
    assert [ended(folder)[-1] for folder in folders] == ["succeeded"] * 2
    until(lambda: not list((settings.home / "workers").iterdir()))


@pytest.mark.slow
def test_who_waits_while_a_worker_lives_has_it_executed_there(settings, write, bubblewrap):
    with worker(settings) as process:
        done = sandbox(settings.home, "run", "submit", write("1"), "--wait", "--json")
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        by = read(settings.runs / facts["id"] / "run.json")["history"][1]["by"]
        assert by == f"supervisor {slots(settings, process)[0]}"
        failed = sandbox(settings.home, "run", "submit", write("1 / 0"), "--wait")
        assert failed.returncode == 1
        assert "ZeroDivisionError" in failed.stdout


# ------------------------------------------------------------------------------------------------
# Kernels that are started ahead


LOOK = (
    "import os, sys, threading, random, pathlib\n"
    "print(sorted(dir()), len(In), get_ipython().execution_count)\n"
    "print(os.getcwd(), os.listdir(), sorted(os.listdir('/tmp')), sorted(os.listdir('/sandbox')))\n"
    "print(sorted(os.environ.items()))\n"
    "print(pathlib.Path('/proc/self/cmdline').read_text())\n"
    "print(sys.argv, os.getpid(), threading.active_count(), sys.flags, sys.path)"
)
PLOT = (
    "import matplotlib.pyplot as plt, numpy as np, pandas as pd\n"
    "plt.plot(np.arange(3)); plt.show()\n"
    "pd.DataFrame({'x': [1.5, 2]})"
)
SEEDED = "random.seed(7); np.random.seed(7); print(random.random(), np.random.rand())"


@pytest.fixture
def pool(settings):
    """A pool of kernels, ended afterwards."""
    made = Pool(settings.runs / ".ahead")
    yield made
    made.close()


def expect(pool, limits=TIGHT, ahead=ALL):
    """Have a kernel wait that reads no data; gives its world."""
    world = World.of(limits, USUAL, None, isolated=True)
    pool.expect(world.key, world.furnish, ahead)
    return world


def outputs(folder):
    """What each cell of a run gave, without counts of the file system's."""
    cells = json.loads(folder.executed.read_text())["cells"]
    return [(cell["execution_count"], cell["outputs"]) for cell in cells]


@pytest.mark.slow
def test_a_kernel_that_waited_cannot_be_told_from_a_fresh_one(settings, submit, pool):
    fresh, taken = submit(LOOK, PLOT, SEEDED), submit(LOOK, PLOT, SEEDED)
    assert runs.execute(settings, fresh.id).succeeded
    expect(pool)
    assert runs.execute(settings, taken.id, kernels=pool).succeeded
    assert pool.keys == ()  # it was taken, and is not given back
    assert outputs(taken) == outputs(fresh)
    one, other = fresh.record(), taken.record()
    assert other["isolation"] == one["isolation"]
    assert other["usage"]["cpu_s"] < one["usage"]["cpu_s"]  # its imports are not the run's
    assert taken.work.is_dir()
    assert taken.first.path.resolve().parent == taken.path / "executions"


@pytest.mark.slow
def test_a_kernel_in_another_world_is_not_taken(settings, submit, pool):
    expect(pool, limits=Limits(), ahead=())
    folder = submit("1")
    assert runs.execute(settings, folder.id, kernels=pool).succeeded
    assert len(pool.keys) == 1


@pytest.mark.slow
def test_a_kernel_that_died_while_it_waited_is_replaced(settings, submit, pool):
    world = expect(pool, ahead=())
    until(lambda: inside(pool.folder))
    for pid in inside(pool.folder):
        with suppress(ProcessLookupError):  # they end with one another
            os.kill(pid, signal.SIGKILL)
    until(lambda: not inside(pool.folder))
    folder = submit("1")
    assert runs.execute(settings, folder.id, kernels=pool).succeeded

    def replaced():
        pool.expect(world.key, world.furnish)
        return pool.take(world.key)

    taken = until(replaced)  # after a pause, if it died before it had started
    assert taken.kernel.is_alive
    pool.run(taken.kernel.close())


def test_what_a_notebook_imports_is_imported_ahead(write):
    path = write(
        "import pandas as pd\nfrom sandbox import lab", "x = 'import scipy'", "%%sql\nSELECT 1"
    )
    found = imports(runs.notebook.find(path))
    assert found[:3] == ("numpy", "pandas", "duckdb")
    assert "scipy.stats" not in found
