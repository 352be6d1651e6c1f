"""The steps of a run's evidence: in which order, how often, and what makes an end of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from click import UsageError

from sandbox import runs
from sandbox.cli import asking
from sandbox.errors import SettingsError, TakenError
from sandbox.evidence import Asked, advance, complete, next_step, steps
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from synthetic.tables.files import make_folder, write_json
from tests.processes import until
from tests.sandbox.conftest import TIGHT

RUN = "20261123-080000-0a1b2c"
RECIPE = {"scale": "0.01", "area": None, "seed": 1, "margins": "exact"}
INPUTS = [{"dataset": "population", "version": "gone", "recipe": RECIPE, "tables": []}]
PARTS = ("reproduced", "null", "redrawn")


@pytest.fixture
def folder(settings):
    """A run that succeeded, of whose notebook nothing is left to execute."""
    found = RunFolder(settings.runs / RUN)
    make_folder(found.path / "submission")
    write_json(found.state_file, {"id": RUN, "status": "succeeded", "history": []})
    write_json(found.submission_file, {"inputs": INPUTS})
    return found


def told(folder, part):
    """Give a part's verdict, and the kind of its reason."""
    found = evidenced.written(folder)[part]
    return found["verdict"], (found["reason"] or {}).get("kind")


def worked_off(folder, evidence):
    """Name the steps of evidence in their order, each of which shows something."""
    while True:
        write_json(folder.evidence_file, evidence)
        step = next_step(folder)
        if step is None:
            return
        yield step
        if step.part == "redrawn":
            done = [*evidence["redrawn"]["executions"], {"name": step.name}]
            evidence["redrawn"]["executions"] = done
        else:
            evidence[step.part]["verdict"] = "shown"


def test_repeats_come_before_null_draws_and_these_before_fresh_ones(folder):
    found = list(worked_off(folder, evidenced.asked_for(Asked(draws=2), INPUTS)))
    assert [step.name for step in found] == ["repeat", "null", "draw-1", "draw-2"]
    priorities = [step.priority for step in found]
    assert priorities == sorted(set(priorities))


def test_without_a_replica_nothing_is_drawn_again(folder):
    evidence = evidenced.asked_for(Asked(), [])
    assert evidence["asked"] == {"reproduced": True, "null": False, "draws": 0}
    for part in ("null", "redrawn"):
        assert evidence[part]["verdict"] == Verdict.NOT_RUN
        assert evidence[part]["reason"]["message"] == evidenced.NO_REPLICAS
    assert [step.name for step in worked_off(folder, evidence)] == ["repeat"]


def test_no_draws_are_no_draws(folder):
    evidence = evidenced.asked_for(Asked(draws=0), INPUTS)
    assert evidence["redrawn"]["reason"] is None
    assert [step.name for step in worked_off(folder, evidence)] == ["repeat", "null"]


def test_a_run_without_evidence_has_no_steps(folder):
    assert next_step(folder) is None
    assert {part["verdict"] for part in map(evidenced.written(folder).get, PARTS)} == {"not run"}


@pytest.mark.parametrize(("verdict", "step"), [("pending", "repeat"), ("identical", None)])
def test_evidence_of_an_earlier_version_is_read(folder, verdict, step):
    repeated = {**evidenced.told("reproduced", Verdict(verdict)), "verdict": verdict}
    write_json(folder.evidence_file, {"format": 1, "run": RUN, "reproduced": repeated})
    found = next_step(folder)
    assert (found and found.name) == step
    evidence = evidenced.written(folder)
    assert evidence["reproduced"] == repeated
    assert evidence["redrawn"]["verdict"] == evidence["null"]["verdict"] == Verdict.NOT_RUN
    assert evidence["asked"]["draws"] == 0


@pytest.fixture
def asked(settings, folder):
    """A run whose evidence is to come."""
    evidenced.ask(settings, RUN, Asked(draws=2))
    return folder


def test_a_step_that_took_its_supervisors_with_it_is_given_up(asked, settings):
    write_json(asked.path / "tries.json", {"step": "repeat", "n": steps.TRIES})
    assert advance(settings, RUN).name == "repeat"
    assert told(asked, "reproduced") == ("failed", "supervisor lost")
    assert next_step(asked).name == "null"
    assert not (asked.path / "tries.json").exists()


def test_replicas_that_are_gone_end_each_draw_and_not_the_evidence(asked, settings):
    write_json(asked.path / "tries.json", {"step": "repeat", "n": steps.TRIES})
    complete(settings, RUN)
    assert told(asked, "null") == told(asked, "redrawn") == ("failed", "could not start")
    message = evidenced.written(asked)["redrawn"]["reason"]["message"]
    assert "population/gone" in message
    executions = evidenced.written(asked)["redrawn"]["executions"]
    assert [one["name"] for one in executions] == ["draw-1", "draw-2"]
    assert next_step(asked) is None


def test_evidence_that_waits_ends_at_once_when_it_is_cancelled(asked, settings):
    runs.cancel(settings, RUN)
    assert {told(asked, part) for part in PARTS} == {("failed", "cancelled")}
    assert evidenced.written(asked)["null"]["reason"]["message"] == evidenced.CANCELLED


def test_evidence_that_nobody_works_on_waits(asked, settings):
    evidenced.evidence(settings, asked)
    assert told(asked, "reproduced") == ("pending", None)


def test_only_one_works_on_a_run(asked, settings):
    with asked.locked(), pytest.raises(TakenError, match="already being executed by another"):
        advance(settings, RUN)


def test_who_waits_for_another_sees_the_end(asked, settings):
    with asked.locked():
        waiting = threading.Thread(target=complete, args=(settings, RUN))
        waiting.start()
        evidenced.close(asked, Verdict.FAILED, steps.Reason(kind=steps.Kind.MEMORY, message="x"))
    waiting.join(60)
    assert not waiting.is_alive()


@pytest.mark.parametrize("given", ["-1", "101", "five", "5.0", "٥"])
def test_a_number_of_draws_that_is_none_is_refused(given):
    with pytest.raises(
        SettingsError, match=f"SANDBOX_DRAWS must be .* from 0 to 100, not '{given}'"
    ):
        Settings.from_environ({"SANDBOX_DRAWS": given})


def test_the_number_of_draws_is_a_setting():
    assert Settings.from_environ({}).draws == 5
    assert Settings.from_environ({"SANDBOX_DRAWS": "0"}).draws == 0


@pytest.mark.parametrize(
    ("setting", "wants", "draws", "expected"),
    [
        (True, None, None, 4),
        (True, None, 0, 0),
        (False, None, None, None),
        (False, None, 3, 3),
        (False, True, None, 4),
        (True, False, None, None),
        (True, False, 0, None),
    ],
)
def test_the_options_say_more_than_the_settings(tmp_path, setting, wants, draws, expected):
    settings = Settings(home=tmp_path, evidence=setting, draws=4)
    found = asking.asked(settings, wants, draws)
    assert (found and found.draws) == expected


def test_draws_without_evidence_are_refused(settings):
    with pytest.raises(UsageError, match="--draws 3 asks for what --no-evidence leaves out"):
        asking.asked(settings, False, 3)


WORKER = "from sandbox.evidence import complete; complete(Settings(home=Path({home!r})), {run!r})"
IMPORTS = "from pathlib import Path; from sandbox.settings import Settings; "


@pytest.fixture
def working(bubblewrap, settings, write):
    """A run whose repeat is under way in a process of its own, and would not end the first time."""
    here = "import os, time\nif os.environ['TZ'] != 'UTC' and not os.path.exists('/nowhere'):"
    run_id = runs.submit(
        settings, write(f"{here}\n    time.sleep(300)"), limits=TIGHT, asked=Asked()
    )
    assert runs.execute(settings, run_id).succeeded
    folder = RunFolder.find(settings, run_id)
    code = IMPORTS + WORKER.format(home=str(settings.home), run=run_id)
    process = subprocess.Popen([sys.executable, "-c", code])

    def is_under_way():
        record = folder.repeat.record()
        return record and [cell["state"] for cell in record["cells"]] == ["running"]

    until(is_under_way)
    yield folder, process
    process.kill()
    process.wait(60)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n"), [("SIGKILL", 1), ("SIGTERM", 0)])
def test_a_step_whose_supervisor_is_gone_waits_to_be_done_again(working, settings, name, n):
    folder, process = working
    os.kill(process.pid, signal.Signals[name])
    process.wait(60)
    facts = runs.show(settings, folder.id)
    assert (facts["status"], facts["evidence"]["reproduced"]["verdict"]) == ("succeeded", "pending")
    assert json.loads((folder.path / "tries.json").read_text()) == {"step": "repeat", "n": n}
    assert next_step(folder).name == "repeat"


@pytest.mark.slow
def test_ctrl_c_ends_all_evidence(working):
    folder, process = working
    os.kill(process.pid, signal.SIGINT)
    process.wait(60)
    assert told(folder, "reproduced") == ("failed", "cancelled")
    assert next_step(folder) is None


@pytest.mark.slow
def test_a_cancelled_run_ends_the_step_that_is_under_way(working, settings):
    folder, process = working
    runs.cancel(settings, folder.id)
    process.wait(60)
    assert told(folder, "reproduced") == ("failed", "cancelled")
    assert folder.repeat.record()["status"] in {"cancelled", "lost"}
