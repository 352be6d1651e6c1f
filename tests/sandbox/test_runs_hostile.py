"""Notebooks that mean harm: what they send, leave behind and write about themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import runs
from sandbox.errors import IsolationError, NotebookError
from sandbox.kernels import bytecode
from sandbox.kernels.policy import MIB
from sandbox.runs.executed import prepared
from sandbox.runs.folder import RunFolder
from sandbox.runs.notebook import find
from sandbox.runs.record import claims, seconds_between
from sandbox.runs.registry import look_after
from sandbox.runs.states import Status
from sandbox.runs.texts import fit
from sandbox.runs.wellformed import DEEPEST, deeper_than
from sandbox.settings import Settings
from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY
from tests.sandbox.conftest import TIGHT

ANSWERING = (
    "async def answer(*_, **__): return {'status': %r}\nget_ipython().kernel.do_execute = answer"
)
SHOW = "from IPython.display import publish_display_data as show\n"


@pytest.mark.parametrize("status", ["aborted", pytest.param("fine", marks=pytest.mark.slow)])
def test_a_cell_that_the_kernel_did_not_run_is_no_success(run, status):
    facts = run(ANSWERING % status, "1 / 0")
    assert facts["status"] == "failed"
    assert facts["reason"]["cell"] == 1
    assert facts["reason"]["message"] == f"the kernel did not run the cell (it answered '{status}')"
    assert [one["state"] for one in facts["cells"]] == ["succeeded", "failed"]


def test_outputs_wait_for_a_slow_reader(run):
    facts = run(
        "from ipykernel.kernelapp import IPKernelApp\n"
        "print(IPKernelApp.instance().iopub_thread.socket.sndhwm)"
    )
    executed = json.loads(Path(facts["executed_notebook"]).read_text())
    assert notebooks.text_of(executed, 0) == "0\n"


@pytest.mark.slow
def test_no_output_of_many_is_lost(run):
    source = SHOW + "for i in range(8000): show({'text/plain': str(i)})"
    facts = run(source, limits=replace(TIGHT, output_bytes=64 * MIB))
    assert facts["status"] == "succeeded"
    executed = json.loads(Path(facts["executed_notebook"]).read_text())
    told = [one["data"]["text/plain"] for one in executed["cells"][0]["outputs"]]
    assert told == [[f"{i}"] for i in range(8000)]


DEEP = "import os\nos.chdir(%r)\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')"
LARGE = "for n in range(4): open(f'/sandbox/work/{n}', 'wb').write(b'x' * 20_000_000)"
LEFT = {
    "deep folders": DEEP % "/sandbox/work",
    "deep folders among the sockets": DEEP % "/sandbox/sockets",
    "long paths": (
        "import os\nfor _ in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\nimport time\n"
        "for n in range(4): open(str(n), 'wb').write(b'x' * 20_000_000); time.sleep(0.4)"
    ),
    "much at once": LARGE,
    "much at the very end": (
        f"import atexit\ndef late():\n    {LARGE}\natexit.register(late)\nprint('fine')"
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_in_the_last_moment_counts(run, settings, name):
    facts = run(LEFT[name])
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == "disk", facts["reason"]
    # Nothing of it stands in the way of the next run, nor of removing this one.
    script = "from sandbox.kernels import isolation; assert isolation.probe(), isolation.probe()"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
    for path, _, _ in os.walk(facts["folder"]):
        assert len(path) < 4000


def test_a_file_with_an_odd_name_is_told_in_the_log(run, capfd):
    facts = run(r"import os; os.symlink('/etc', b'\xfe\n')")
    assert r"removed from the work folder: '\udcfe\n'" in Path(facts["log"]).read_text()
    assert "Logging error" not in capfd.readouterr().err


def test_a_reason_gives_a_terminal_no_orders(run):
    facts = run("raise ValueError('\\x1b]0;title\\x07\\rgone \\u202e')")
    assert facts["reason"]["message"] == "ValueError: �]0;title��gone �"


def test_claims_that_no_reader_could_hold_become_text():
    said = {"name": "a\x1b[2J", "value": 2**63, "unit": None, "n": 2**63}
    output = {"data": {"application/vnd.sandbox.result+json": said}}
    (result,), _ = claims({"cells": [{"outputs": [output]}]})
    assert result == {"name": "a�[2J", "value": str(2**63), "unit": None, "n": None, "cell": 0}
    said["value"] = said["n"] = 2**63 - 1
    (result,), _ = claims({"cells": [{"outputs": [output]}]})
    assert (result["value"], result["n"]) == (2**63 - 1, 2**63 - 1)


def test_a_report_is_made_of_the_largest_number(run):
    kind = "'application/vnd.sandbox.result+json'"
    facts = run(SHOW + f"show({{{kind}: {{'name': 'n', 'value': 10**4200, 'n': 10**4200}}}})")
    assert facts["status"] == "succeeded"
    assert facts["report"] is not None


def test_text_keeps_what_is_fit():
    assert fit("Đường\n\tsố 1 👩‍🔬", longest=100) == "Đường\n\tsố 1 👩‍🔬"
    assert fit("ab", longest=1) == "a"
    assert fit("\ud800\x9b\r", longest=9) == "���"


def test_outputs_that_cannot_be_kept_are_no_success(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("print(1)"))
    folder = RunFolder.find(settings, run_id)
    (folder.executed / "in the way").mkdir(parents=True)
    outcome = runs.execute(settings, run_id)
    assert outcome.status is Status.FAILED
    assert outcome.reason.kind == "disk"
    assert runs.show(settings, run_id)["status"] == "failed"


# ------------------------------------------------------------------------------------------------
# What a notebook says of itself


def changed(path, change):
    """Change a notebook's content."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_a_title_that_cannot_be_written_spoils_no_list(bubblewrap, settings, write):
    path = write("1", title={"vi": "x\ud800\x1b", "../": "no", "en": ["no"]}, question="q" * 5000)
    run_id = runs.submit(settings, path, team="\udcff")
    facts = runs.show(settings, run_id)
    assert facts["title"] == {"vi": "x��"}
    assert facts["team"] == "�"
    assert len(facts["question"]["vi"]) == 2000
    assert [one["id"] for one in runs.listed(settings)] == [run_id]


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(("levels", "is_deeper"), [(DEEPEST, False), (DEEPEST + 1, True)])
def test_depth_is_counted_in_lists_and_objects(levels, is_deeper):
    assert deeper_than(DEEPEST, nested(levels)) is is_deeper
    assert deeper_than(DEEPEST, {"a": nested(levels - 1)}) is is_deeper


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content["metadata"].update(x=nested(400)), "nested deeper than"),
        (lambda content: content.update(nbformat_minor=1e300), "nbformat_minor"),
        (lambda content: content.pop("nbformat_minor"), "nbformat_minor"),
    ],
)
def test_a_notebook_that_libraries_stumble_over_is_refused(settings, write, change, words):
    with pytest.raises(NotebookError, match=words):
        runs.submit(settings, changed(write("1"), change))
    assert not settings.home.exists()


def test_a_pipe_is_not_waited_for(settings, tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(NotebookError, match="is not a file"):
        runs.submit(settings, tmp_path / "pipe.ipynb")
    with pytest.raises(NotebookError, match="cannot be a file's path"):
        runs.submit(settings, "a\0b")


@pytest.mark.parametrize(("source", "value"), [("x: list = [1]", [True]), ("x: float = 0.0", -0.0)])
def test_a_value_that_only_equals_the_default_is_given(write, source, value):
    found = find(write("print(x)", parameters=source))
    (parameter,) = found.parameters
    notebook = prepared(found, [parameter.to_record(value)])
    assert notebook.cells[1].source == f"# Parameters\nx = {value!r}"


# ------------------------------------------------------------------------------------------------
# Around the run


def test_a_home_that_every_notebook_could_read_is_refused(bubblewrap, write):
    home = Path(sys.prefix) / "home-of-a-test"
    with pytest.raises(IsolationError, match="set SANDBOX_HOME to a folder outside"):
        runs.submit(Settings(home=home), write("1"))
    assert not home.exists()


def test_a_queued_run_outlives_the_process_that_was_to_take_it(bubblewrap, settings, write):
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom sandbox import runs\n"
        "from sandbox.settings import Settings\n"
        "print(runs.submit(Settings(home=Path(sys.argv[1])), sys.argv[2]), flush=True)\n"
        "sys.stdin.read()\nos.kill(os.getpid(), 9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(settings.home), str(write("1"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        run_id = process.stdout.readline().strip()
        folder = RunFolder.find(settings, run_id)
        assert look_after(folder) is Status.QUEUED
        process.communicate("")
    (facts,) = runs.listed(settings)
    assert (facts["status"], facts["reason"]) == ("queued", None)
    assert folder.supervisor() is None
    assert runs.execute(settings, run_id).succeeded


@pytest.mark.parametrize("words", ["", "[]", "{}", '{"pid": "x"}', '{"pid": 1, "started": null}'])
def test_a_damaged_lock_names_nobody(settings, write, bubblewrap, words):
    folder = RunFolder.find(settings, runs.submit(settings, write("1")))
    assert folder.supervisor() == os.getpid()
    folder.lock_file.write_text(words)
    assert folder.supervisor() is None
    folder.sign(os.getpid())
    assert folder.supervisor() == os.getpid()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("run.json", '{"status": "perfect", "history": []}'),
        ("run.json", '{"history": []}'),
        ("run.json", "["),
        ("submission/submission.json", "{}"),
        ("executions/first/record.json", '{"reason": "none"}'),
    ],
)
def test_a_damaged_run_spoils_no_list(settings, write, bubblewrap, file, words):
    damaged, sound = (runs.submit(settings, write("1")) for _ in range(2))
    path = settings.runs / damaged / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(words)
    assert [one["id"] for one in runs.listed(settings)] == [sound]


def test_without_an_index_runs_are_listed_from_their_folders(settings, write, bubblewrap):
    settings.registry.mkdir(parents=True)
    run_id = runs.submit(settings, write("1"))
    assert [one["id"] for one in runs.listed(settings)] == [run_id]


def test_time_never_runs_backwards_in_a_record():
    later, earlier = "2026-11-22T10:00:01.500+00:00", "2026-11-22T10:00:00.000+00:00"
    assert seconds_between(earlier, later) == 1.5
    assert seconds_between(later, earlier) == 0


def test_the_usual_modules_are_compiled_before_a_kernel_starts(run, settings, monkeypatch):
    monkeypatch.setattr(bytecode, "USUAL", ("json", "no_such_place.for_bytecode"))
    run("1")
    assert not (settings.home / "compiled").exists()  # it failed, and the run went on
    monkeypatch.setattr(bytecode, "USUAL", ("json",))
    run("1")
    assert len(list((settings.home / "compiled").iterdir())) == 1
    assert bytecode.warm(settings.home).process is None


def test_modules_that_are_compiled_are_not_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bytecode, "USUAL", ("here.one", "here"))
    monkeypatch.setattr(bytecode, "get_path", lambda name: str(tmp_path))
    kept = tmp_path / "here" / "__pycache__"
    kept.mkdir(parents=True)
    tag = sys.implementation.cache_tag
    (kept / f"one.{tag}.pyc").write_bytes(b"")
    assert not bytecode._is_compiled()
    (kept / f"__init__.{tag}.pyc").write_bytes(b"")
    assert bytecode._is_compiled()
