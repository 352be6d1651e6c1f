"""Runs executed a second time elsewhere: each cell's verdict and cause, and what is told of it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path, PurePosixPath

import pytest

from sandbox import runs
from sandbox.errors import SettingsError
from sandbox.evidence import Asked, complete
from sandbox.evidence.turns import turn
from sandbox.kernels import Policy
from sandbox.kernels.surroundings import USUAL, others
from sandbox.runs import evidenced
from sandbox.runs.background import STARTED
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from sandbox.settings import Settings
from tests.processes import until
from tests.sandbox import notebooks
from tests.sandbox.commands import sandbox
from tests.sandbox.conftest import TIGHT

HERE = "IS_HERE = os.environ['TZ'] == 'UTC'"  # true in the first execution only
CELLS = (  # of which the second and the last differ; `corpus` holds every cause
    "import random\nfrom sandbox import lab\nlab.result('tổng', sum(range(10)), n=10)",
    "lab.result('ngẫu nhiên', random.random())",
    "print('như nhau')",
    "print(random.random())",
)


def repeated(settings, path):
    """Execute a notebook twice; give everything known of it, and its folder."""
    run_id = runs.submit(settings, path, asked=Asked(null=False, draws=0))
    assert runs.execute(settings, run_id).succeeded
    complete(settings, run_id)
    return runs.show(settings, run_id), RunFolder.find(settings, run_id)


@pytest.fixture(scope="module")
def differing(bubblewrap, tmp_path_factory):
    """A notebook of which two cells differ, executed twice."""
    folder = tmp_path_factory.mktemp("differing")
    return repeated(Settings(home=folder / "home"), notebooks.write(folder / "n.ipynb", *CELLS))


@pytest.fixture
def submitted(bubblewrap, settings, write):
    """Submit a notebook of these cells and ask for its evidence."""

    def submit(*sources):
        run_id = runs.submit(settings, write(*sources), limits=TIGHT, asked=Asked())
        return RunFolder.find(settings, run_id)

    return submit


def reproduce(settings, folder):
    """Do the whole of a run's evidence, and give what its repeat shows."""
    complete(settings, folder.id)
    return evidenced.written(folder)["reproduced"]


def text_of(report):
    """Give the words of a report."""
    return " ".join(re.sub("<[^>]+>", " ", Path(report).read_text("utf-8")).split())


@pytest.mark.slow
def test_the_evidence_says_what_was_compared_and_in_which_surroundings(differing):
    facts, folder = differing
    told = facts["evidence"]["reproduced"]
    assert told["verdict"] == told["claims"] == "differs"
    assert told["tolerance"]["relative"] == 1e-10
    first, repeat = told["settings"]["first"], told["settings"]["repeat"]
    assert all(first[name] != repeat[name] for name in repeat)
    assert len(repeat) == 7
    assert json.loads(folder.repeat.record_file.read_text())["execution"] == "repeat"
    assert facts["results"][0]["value"] == 45  # the claims stay those of the first execution


@pytest.mark.slow
def test_the_report_opens_with_the_verdict_and_leads_to_the_differences(differing):
    facts, _ = differing
    page = Path(facts["report"]).read_text("utf-8")
    link, main = page.index('href="#reproduced"'), page.index("<main>")
    assert link < main < page.index('id="reproduced"')
    assert "Chạy lại ở môi trường khác: 2 trong 4 ô cho kết quả khác." in page
    assert "Trong đó có kết quả hoặc kết luận đã khai báo." in page
    assert "số ngẫu nhiên không đặt hạt giống (seed)" in page
    assert "Chạy một lần, chưa lặp lại" not in page


@pytest.mark.slow
def test_nothing_inside_names_the_one_or_the_other(bubblewrap, settings, write):
    look = (
        "import os, pathlib\n"
        "for name, value in os.environ.items(): print(name, value)\n"
        "for pid in os.listdir('/proc'):\n"
        "    for name in ('cmdline', 'environ', 'mountinfo', 'cgroup'):\n"
        "        try: print(pathlib.Path('/proc', pid, name).read_text())\n"
        "        except OSError: pass\n"
        "for folder, below, files in os.walk('/sandbox'): print(folder, below, files)\n"
        "print(os.listdir('/'), os.listdir('/tmp'))"
    )
    _, folder = repeated(settings, write(look))
    for place in (folder.first, folder.repeat):
        seen = notebooks.text_of(json.loads(place.executed.read_text()), 0)
        assert "SANDBOX_CATALOG" in seen
        assert place.path.resolve().name in seen  # so a telling name would have been seen
        assert not re.search(r"\b(first|second|repeat|evidence|execution)\b", seen, re.I)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "verdict", "kind", "told"),
    [
        ("assert IS_HERE", "differs", "cell error", "sổ tay dừng ở ô 3"),
        ("if not IS_HERE: os._exit(1)", "failed", "kernel died", "không đến đích"),
        (
            "IS_HERE or [bytearray(b'x' * 50_000_000) for _ in range(40)]",
            "failed",
            "memory",
            "không đến đích",
        ),
    ],
    ids=["an error", "a death", "too much memory"],
)
def test_a_repeat_that_does_not_come_to_its_end_is_told(
    submitted, settings, source, verdict, kind, told
):
    folder = submitted("import os", HERE, source, "print('last')")
    assert runs.execute(settings, folder.id).succeeded
    found = reproduce(settings, folder)
    assert (found["verdict"], found["reason"]["kind"]) == (verdict, kind)
    if verdict == "differs":
        assert [cell["verdict"] for cell in found["cells"]][-1] == "differs"
        assert found["cells"][-1]["index"] == 2
    facts = runs.show(settings, folder.id)
    assert facts["status"] == "succeeded"
    assert told in text_of(facts["report"])


@pytest.fixture
def repeating(submitted, settings):
    """A run whose repeat is under way in a supervisor of its own and would not end."""
    folder = submitted("import os, time", HERE, "if not IS_HERE: time.sleep(300)")
    runs.start(settings, folder.id)

    def is_under_way():
        record = folder.repeat.record() if folder.repeat.record_file.is_file() else None
        return record and [cell["state"] for cell in record["cells"]][-1:] == ["running"]

    until(is_under_way)
    yield folder
    for process in STARTED:
        process.wait(60)


@pytest.mark.slow
def test_while_the_repeat_goes_on_the_first_report_is_there_and_says_so(repeating, settings):
    facts = runs.show(settings, repeating.id)
    assert (facts["status"], facts["evidence"]["reproduced"]["verdict"]) == ("succeeded", "pending")
    assert "Đang chạy lại ở môi trường khác để đối chiếu" in text_of(facts["report"])
    assert runs.cancel(settings, repeating.id) is Status.SUCCEEDED
    told = runs.show(settings, repeating.id)["evidence"]["reproduced"]
    assert (told["verdict"], told["reason"]["kind"]) == ("failed", "cancelled")
    assert told["reason"]["message"] == "stopped by sandbox run cancel"


@pytest.mark.slow
def test_evidence_can_be_had_again_and_begins_from_nothing(submitted, settings):
    folder = submitted("import os\nprint(os.listdir())\nopen('left', 'w').close()")
    assert runs.execute(settings, folder.id).succeeded
    assert reproduce(settings, folder)["verdict"] == "identical"
    before = folder.repeat.path.resolve()
    runs.ask(settings, folder.id)
    assert reproduce(settings, folder)["verdict"] == "identical"
    assert folder.repeat.path.resolve() != before
    assert not before.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_the_command_waits_for_the_verdict_and_keeps_the_exit_code_of_the_first(settings, write):
    path = write("import random", "print(random.random())")
    done = sandbox(settings.home, "run", "submit", path, "--wait", SANDBOX_EVIDENCE="on")
    assert done.returncode == 0, done.stderr
    assert "not reproduced: the second execution differs" in done.stdout
    assert "cell 2: likely cause: unseeded random; '0." in done.stdout
    assert "report: " in done.stderr
    without = sandbox(
        *(settings.home, "run", "submit", path, "--wait", "--json", "--no-evidence"),
        SANDBOX_EVIDENCE="on",
    )
    assert json.loads(without.stdout)["evidence"]["reproduced"]["verdict"] == "not run"


def test_a_setting_that_is_neither_on_nor_off_is_told(settings):
    done = sandbox(settings.home, "run", "list", SANDBOX_EVIDENCE="maybe")
    assert done.returncode != 0
    assert "SANDBOX_EVIDENCE must be on or off, not 'maybe'" in done.stderr


def test_a_run_without_evidence_says_that_none_was_asked_for(bubblewrap, settings, write):
    run_id = runs.submit(settings, write("1"))
    assert runs.show(settings, run_id)["evidence"]["reproduced"]["verdict"] == "not run"


def test_a_run_that_is_cancelled_has_nothing_to_repeat(submitted, settings):
    folder = submitted("1")
    assert runs.show(settings, folder.id)["evidence"]["reproduced"]["verdict"] == "pending"
    runs.cancel(settings, folder.id)
    told = runs.show(settings, folder.id)["evidence"]["reproduced"]
    assert told["verdict"] == "not run"
    assert told["reason"]["message"] == evidenced.FIRST_FAILED
    assert reproduce(settings, folder)["verdict"] == "not run"


def test_no_repeat_begins_while_a_first_execution_waits(submitted, settings):
    one, waiting = submitted("1"), submitted("2")
    has_turn, may_end = threading.Event(), threading.Event()
    looks = []

    def wait():
        with turn(settings, one.id, lambda: looks.append(1)):
            has_turn.set()
            may_end.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        until(lambda: len(looks) > 1)
        assert not has_turn.is_set()
        runs.cancel(settings, waiting.id)
        assert has_turn.wait(60)
        with turn(settings, waiting.id, lambda: True):  # who gives up waits no longer
            pass
    finally:
        may_end.set()
        thread.join()


def test_other_surroundings_differ_in_everything():
    one, other = USUAL.to_record(isolated=True), others().to_record(isolated=True)
    assert all(one[name] != other[name] for name in one)
    assert others().host != others().host
    bare = others().to_record(isolated=False)
    assert bare["host"] is bare["folder"] is None


def test_a_work_folder_that_is_seen_elsewhere_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"must be seen in /sandbox, not as /home/me"):
        Policy(work=tmp_path, folder=PurePosixPath("/home/me"))
