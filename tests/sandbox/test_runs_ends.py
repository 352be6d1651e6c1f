"""However an execution ends, its record says truly how, and nothing of it stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import runs
from sandbox.errors import StateError
from sandbox.kernels.policy import MIB
from sandbox.kernels.processes import table
from sandbox.runs import workers
from sandbox.runs.background import STARTED
from tests.processes import PATIENCE_S, until
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY, performed, sandbox
from tests.sandbox.conftest import TIGHT, user_folder

AFTER = "print('never')"  # a cell that must not have run


def executed(facts):
    """Read the executed notebook of a run."""
    return json.loads(Path(facts["executed_notebook"]).read_text())


def states(facts):
    """Give the states of a run's cells."""
    return [one["state"] for one in facts["cells"]]


def inside(folder):
    """Name the processes that see a folder as a mount of theirs: those of its sandboxes."""
    found = set()
    for pid in table():
        with suppress(OSError):
            if str(folder) in Path(f"/proc/{pid}/mountinfo").read_text():
                found.add(pid)
    return found


@pytest.fixture(autouse=True)
def nothing_left(tmp_path):
    """No process of a test's sandboxes is there afterwards, and no meeting place."""
    yield
    assert not inside(tmp_path)


def test_a_right_notebook_succeeds(run):
    facts = run("x = 20", "print(x + 1)", "x + 2")
    assert facts["status"] == "succeeded"
    assert facts["reason"] == {
        "kind": "completed",
        "message": "every cell ran to its end",
        "cell": None,
    }
    assert states(facts) == ["succeeded"] * 3
    assert all(one["seconds"] is not None for one in facts["cells"])
    assert facts["isolation"]["mechanism"] == "bubblewrap"
    assert facts["usage"]["peak_memory_bytes"] > 10 * MIB
    notebook = executed(facts)
    assert [one["metadata"]["papermill"]["status"] for one in notebook["cells"]] == [
        "completed"
    ] * 3
    assert notebook["cells"][2]["outputs"][0]["data"]["text/plain"] == ["22"]


WRONG = {
    "an error": ("1 / 0", "cell error", "failed"),
    "a syntax error": ("def", "cell error", "failed"),
    "an interrupt of its own": ("raise KeyboardInterrupt", "cell error", "failed"),
    "input": ("input()", "cell error", "failed"),
    "exit": ("exit()", "exit called", "failed"),
    "quit": ("quit()", "exit called", "failed"),
    "exit without a word": ("import sys; sys.exit(0)", "exit called", "failed"),
    "the process's end": ("import os; os._exit(0)", "kernel died", "interrupted"),
    "a kill": ("import os; os.kill(os.getpid(), 9)", "kernel died", "interrupted"),
    "a crash": ("import ctypes; ctypes.string_at(0)", "kernel died", "interrupted"),
    "an end in the background": (
        "import os, threading, time; threading.Timer(0.3, os._exit, [0]).start(); time.sleep(30)",
        "kernel died",
        "interrupted",
    ),
}
CORE = {"an error", "input", "exit", "exit without a word", "the process's end", "a kill"}


@pytest.mark.parametrize(
    "name", [one if one in CORE else pytest.param(one, marks=pytest.mark.slow) for one in WRONG]
)
def test_a_wrong_notebook_never_succeeds(run, name):
    source, kind, state = WRONG[name]
    facts = run("x = 1", source, AFTER)
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == kind, facts["reason"]
    assert facts["reason"]["cell"] == 1
    assert states(facts) == ["succeeded", state, "not run"]
    assert [one["metadata"]["papermill"]["status"] for one in executed(facts)["cells"]] == [
        "completed",
        "failed",
        "pending",
    ]


@pytest.mark.parametrize("name", ["exit", "the process's end"])
def test_an_end_in_the_last_cell_is_no_success(run, name):
    source, kind, _ = WRONG[name]
    facts = run("x = 1", source)
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == kind


def test_a_cell_whose_tag_allows_errors_still_fails(settings, write, bubblewrap):
    path = write("1 / 0", AFTER)
    content = json.loads(path.read_text())
    content["cells"][0]["metadata"]["tags"] = ["raises-exception", "skip-execution"]
    path.write_text(json.dumps(content))
    outcome = runs.execute(settings, runs.submit(settings, path))
    assert outcome.reason.kind == "cell error"


def test_an_error_is_told_with_its_cell(run):
    facts = run("x = 1", "{}['tuổi']")
    assert facts["reason"] == {"kind": "cell error", "message": "KeyError: 'tuổi'", "cell": 1}


SOON_S = 15  # a kernel on a busy machine has started by then
BEYOND = {
    "memory": (
        "memory",
        "x = [bytearray(b'x' * 20_000_000) for _ in range(1000)]",
        {},
    ),
    "memory shared by forks": (
        "memory",
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
        "        x = bytearray(b'y' * 120_000_000); time.sleep(60)\ntime.sleep(60)",
        {},
    ),
    "time": ("time", "while True: pass", {"wall_s": SOON_S}),
    "time with signals ignored": (
        "time",
        "import signal, time\n"
        "for one in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "while True:\n    try:\n        time.sleep(1)\n    except BaseException: pass",
        {"wall_s": SOON_S},
    ),
    "processor": (
        "CPU",
        "import os\nfor _ in range(2): os.fork()\nwhile True: pass",
        {"cpu_s": 3},
    ),
    "processes": (
        "processes",
        "import os, time\nwhile True:\n    try: os.fork()\n    except OSError: time.sleep(0.01)",
        {},
    ),
    "output": ("output size", "while True: print('x' * 1000)", {}),
    "output in one piece": ("output size", "print('x' * 5_000_000)", {}),
    "output that is taken back": (
        "output size",
        "from IPython.display import clear_output\nwhile True: print('x' * 10000); clear_output()",
        {},
    ),
    "output of a child": ("output size", "import os; os.system('yes')", {}),
    "files": (
        "disk",
        "import itertools, time\nfor n in itertools.count():\n    open(f'{n}', 'w').close()\n"
        "    time.sleep(0.0001)",
        {},
    ),
    "a full folder": (
        "disk",
        "import time\nfor n in range(9): open(f'{n}', 'wb').write(b'x' * 20_000_000)\n"
        "time.sleep(60)",
        {},
    ),
    "files without a name": (
        "disk",
        "import os, time\nfiles = []\nfor n in range(9):\n    files.append(open('x', 'wb'))\n"
        "    files[-1].write(b'x' * 20_000_000)\n    os.unlink('x')\ntime.sleep(60)",
        {},
    ),
    "files in memory": (
        "disk",
        "import time\nfor n in range(900): open(f'/tmp/{n}', 'w').close()\ntime.sleep(60)",
        {},
    ),
    "long paths": (
        "disk",
        "import os, time\nfor n in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\n"
        "time.sleep(60)",
        {},
    ),
    "a deep folder": (
        "disk",
        "import os, time\nfor n in range(200): os.mkdir('d'); os.chdir('d')\ntime.sleep(60)",
        {},
    ),
    "a closed folder": (
        "disk",
        "import os, time\nos.makedirs('a/b'); os.chmod('a', 0)\ntime.sleep(60)",
        {},
    ),
}
QUICK = {
    "memory",
    "time with signals ignored",
    "processor",
    "processes",
    "output",
    "files",
    "a full folder",
    "files in memory",
    "long paths",
}


@pytest.mark.parametrize(
    "name",
    [
        one if one in QUICK else pytest.param(one, marks=pytest.mark.slow)
        for one in BEYOND
        # Root's supervisor sees into a closed folder, so nothing can hide there.
        if one != "a closed folder" or os.geteuid() != 0
    ],
)
def test_a_limit_ends_the_run_and_is_named(run, name):
    kind, source, changed = BEYOND[name]
    facts = run("x = 1", source, AFTER, limits=replace(TIGHT, **changed))
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == kind, facts["reason"]
    assert facts["reason"]["cell"] == 1
    assert states(facts) == ["succeeded", "interrupted", "not run"]
    assert facts["seconds"] < TIGHT.wall_s


@pytest.mark.slow
@pytest.mark.parametrize("name", BEYOND)
def test_a_limit_holds_for_an_ordinary_user_too(bubblewrap, name):
    kind, source, changed = BEYOND[name]
    with user_folder("as a user") as (folder, words):
        told = {
            "work": str(folder / "work"),
            "data": str(folder),
            "limits": replace(TIGHT, **changed).to_record(),
            "notebook": str(notebooks.write(folder / "n.ipynb", "x = 1", source, AFTER)),
        }
        seen = performed(told, before=words)
        assert seen["reason"]["kind"] == kind, seen["reason"]
        assert states(seen) == ["succeeded", "interrupted", "not run"]
        # No process of the sandbox is left to write in its folder or to see it as a mount.
        assert not inside(folder)


def test_a_forked_child_does_not_outlive_the_run(run):
    facts = run(
        "import subprocess\n"
        "subprocess.Popen(['setsid', 'sh', '-c', 'trap \"\" TERM HUP; sleep 300'])"
    )
    assert facts["status"] == "succeeded"


def test_a_link_left_in_the_work_folder_is_removed(run, settings):
    facts = run("import os\nos.symlink('/etc/passwd', 'x'); os.mkfifo('y'); open('z', 'w').close()")
    work = Path(facts["record"]).parent / "work"
    assert [one.name for one in work.iterdir()] == ["z"]


def test_files_that_the_notebook_left_open_are_whole(run):
    facts = run("out = open('x.csv', 'w'); out.write('a,b')")
    assert (Path(facts["record"]).parent / "work" / "x.csv").read_text() == "a,b"


def test_claims_are_taken_as_claims_whatever_they_hold(run):
    facts = run(
        "from IPython.display import publish_display_data as show\n"
        "kind = 'application/vnd.sandbox.%s+json'\n"
        "show({kind % 'result': {'name': 'tỷ lệ', 'value': float('nan'), 'unit': '%', 'n': True}})\n"
        "show({kind % 'result': {'value': [1, {'a': 2}], 'n': 3}})\n"
        "show({kind % 'result': 'nothing'})\n"
        "show({kind % 'conclusion': {'statement': 'sai', 'holds': 'yes'}})\n"
        "show({kind % 'conclusion': {'statement': 'đúng', 'holds': True}})\n"
    )
    assert facts["status"] == "succeeded"
    assert facts["results"] == [
        {"name": "tỷ lệ", "value": "nan", "unit": "%", "n": None, "cell": 0},
        {"name": "None", "value": '[1, {"a": 2}]', "unit": None, "n": 3, "cell": 0},
    ]
    assert [one["holds"] for one in facts["conclusions"]] == [False, True]


def test_nonsense_on_the_wire_is_a_failure(run):
    facts = run(
        "from ipykernel.kernelapp import IPKernelApp\n"
        "app = IPKernelApp.instance()\n"
        "for _ in range(20):\n"
        "    app.iopub_socket.send_multipart([b'<IDS|MSG>', b'', b'{', b'[]', b'null', b'7'])\n",
        AFTER,
    )
    assert facts["status"] == "failed"


# ------------------------------------------------------------------------------------------------
# Runs with a supervisor of their own


@pytest.fixture
def command(settings):
    """Run the real command in this home."""

    def do(*words, check=True):
        done = sandbox(settings.home, *words)
        assert not check or done.returncode == 0, done.stderr
        return done

    return do


def wait_for(settings, run_id, condition):
    """Wait until what is known of a run meets a condition; give it."""

    def met():
        facts = runs.show(settings, run_id)
        return facts if condition(facts) else None

    return until(met)


def begun(facts):
    """Whether the first cell runs."""
    return states(facts)[:1] == ["running"]


@pytest.fixture
def endless(bubblewrap, settings, write, command):
    """A run that is under way in a supervisor of its own and would not end."""
    path = write("import time; time.sleep(300)", AFTER)
    run_id = json.loads(command("run", "submit", str(path), "--json").stdout)["id"]
    wait_for(settings, run_id, begun)
    yield run_id
    until(lambda: not workers.living(settings))


@pytest.fixture
def waited_for(settings):
    """Execute a queued run in a process that does only that; give the process."""

    def execute(run_id):
        code = (
            "import os, sys; from sandbox import runs; from sandbox.settings import Settings\n"
            "runs.execute(Settings.from_environ(os.environ), sys.argv[1])"
        )
        environ = {**os.environ, "SANDBOX_HOME": str(settings.home)}
        return subprocess.Popen([sys.executable, "-c", code, run_id], env=environ, cwd=REPOSITORY)

    return execute


def test_a_run_is_cancelled_by_the_command(endless, settings, command):
    command("run", "cancel", endless)
    facts = runs.show(settings, endless)
    assert facts["status"] == "cancelled"
    assert facts["reason"]["kind"] == "cancelled"
    assert states(facts) == ["interrupted", "not run"]
    with pytest.raises(StateError, match=r"has already ended \(cancelled\); nothing to cancel"):
        runs.cancel(settings, endless)


@pytest.mark.slow
def test_a_killed_supervisor_leaves_a_run_that_is_queued_again_and_lost_at_last(
    bubblewrap, settings, write, waited_for
):
    path = write("import time; time.sleep(300)", AFTER)
    run_id = runs.submit(settings, path)
    for status in ("queued", "queued", "lost"):
        process = waited_for(run_id)
        wait_for(settings, run_id, begun)
        assert inside(settings.home)
        process.kill()
        process.wait()
        facts = wait_for(settings, run_id, lambda facts: facts["status"] != "running")
        assert facts["status"] == status
        assert states(facts) == ([] if status == "queued" else ["interrupted", "not run"])
    assert facts["reason"]["kind"] == "supervisor lost"
    assert facts["reason"]["cell"] == 0
    assert facts["ended_at"] is not None


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_ctrl_c_cancels_a_run_that_is_waited_for(bubblewrap, settings, write, number):
    path = write("import time; time.sleep(300)")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", "run", "submit", str(path), "--wait", "--json"],
        env={**os.environ, "SANDBOX_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    (one,) = until(lambda: runs.listed(settings))
    wait_for(settings, one["id"], begun)
    process.send_signal(number)
    told, _ = process.communicate(timeout=PATIENCE_S)
    by_hand = number is signal.SIGINT
    assert process.returncode == (130 if by_hand else 1)
    assert json.loads(told)["status"] == "cancelled"
    by = "Ctrl-C" if by_hand else "SIGTERM"
    assert json.loads(told)["reason"]["message"] == f"stopped by {by}"


def test_a_disk_that_is_nearly_full_has_its_own_reason(run, monkeypatch):
    monkeypatch.setattr("sandbox.runs.watch.FREE_BYTES", 1 << 62)
    facts = run("print(1)")
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == "disk full"
    assert "free some space and run again" in facts["reason"]["message"]
    assert states(facts) == ["not run"]


def test_sandbox_run_cancel_is_named_as_what_stopped_it(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("import time; time.sleep(300)"))
    runs.start(settings, run_id)
    wait_for(settings, run_id, begun)
    assert runs.cancel(settings, run_id) == "cancelled"
    assert runs.show(settings, run_id)["reason"]["message"] == "stopped by sandbox run cancel"
    for process in STARTED:
        process.wait(30)
