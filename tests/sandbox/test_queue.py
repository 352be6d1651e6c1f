"""The queue: the runs' own folders, in an order that is fair, and nothing that a kill could lose."""

from __future__ import annotations

import os

import pytest

from sandbox import runs, worker
from sandbox.errors import StateError
from sandbox.runs import registry, workers
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from sandbox.worker.queue import Look, Queue, Seen
from sandbox.worker.status import wait_s


@pytest.fixture
def submitted(settings, write):
    """Submit a notebook for a team; nothing executes it."""
    path = write("1")

    def submit(team):
        return RunFolder.find(settings, runs.submit(settings, path, team=team))

    return submit


def test_a_team_with_many_submissions_keeps_no_other_waiting(settings, submitted):
    many = [submitted("many") for _ in range(3)]
    one = submitted("one")
    order = [seen.run for seen in Queue(settings).look().first]
    assert order == [many[0].id, one.id, many[1].id, many[2].id]
    many[0].move(Status.RUNNING, by="test")
    with many[0].locked():  # as its supervisor does
        order = [seen.run for seen in Queue(settings).look().first]
        assert order == [one.id, many[1].id, many[2].id]


def test_what_changes_is_seen_and_what_is_damaged_waits_for_nothing(settings, submitted):
    queue, one, other = Queue(settings), submitted("a"), submitted("b")
    assert [seen.run for seen in queue.look().first] == [one.id, other.id]
    one.move(Status.CANCELLED, by="test")
    assert [seen.run for seen in queue.look().first] == [other.id]
    other.state_file.write_text("{")
    assert queue.look().is_empty
    assert worker.positions(settings) == {}


def test_a_queued_run_waits_whatever_became_of_who_submitted_it(settings, submitted):
    folder = submitted("a")
    folder.sign(2**22 + 1)  # more than any process has
    assert folder.supervisor() is None
    assert runs.show(settings, folder.id)["status"] == "queued"
    assert worker.positions(settings) == {folder.id: 1}


def test_a_lost_run_is_queued_again_twice_and_says_so(settings, submitted):
    folder = submitted("a")
    for _ in range(registry.MOST_RETRIES):
        folder.move(Status.RUNNING, by="supervisor 1")
        folder.first.make()
        assert registry.look_after(folder) is Status.QUEUED
        assert not folder.first.path.exists()  # nothing of it can be taken for the next one's
    folder.move(Status.RUNNING, by="supervisor 1")
    assert registry.look_after(folder) is Status.LOST
    assert runs.show(settings, folder.id)["reason"]["kind"] == "supervisor lost"
    steps = runs.folder.read(folder.state_file)["history"]
    assert [step["by"] for step in steps if step["to"] == "queued"][1:] == [
        "retry 1 of 2: the supervisor is gone",
        "retry 2 of 2: the supervisor is gone",
    ]


@pytest.mark.slow
def test_a_run_whose_record_has_its_end_is_not_begun_again(settings, submitted, bubblewrap):
    folder = submitted("a")
    assert runs.execute(settings, folder.id).succeeded
    state = runs.folder.read(folder.state_file)
    runs.folder.write_json(folder.state_file, {**state, "status": "running"})
    assert registry.look_after(folder) is Status.SUCCEEDED


def test_a_run_that_waits_is_cancelled_at_once(settings, submitted):
    folder = submitted("a")
    assert runs.cancel(settings, folder.id) is Status.CANCELLED
    assert not folder.cancel_file.exists()
    with pytest.raises(StateError, match="nothing to cancel"):
        runs.cancel(settings, folder.id)


def test_a_worker_is_known_while_it_holds_its_lock(settings):
    with workers.registered(settings, [7, 8]) as place:
        (found,) = workers.living(settings)
        assert (found.pid, found.slots) == (os.getpid(), (7, 8))
        place.tell([9])
        assert workers.living(settings)[0].slots == (9,)
    assert workers.living(settings) == []
    gone = workers.folder(settings) / "1-00000000"
    gone.mkdir()
    (gone / "lock").touch()
    assert workers.living(settings) == []
    assert not gone.exists()


@pytest.mark.parametrize(
    ("n_running", "position", "n_slots", "typical_s", "expected"),
    [
        (0, 1, 0, 10.0, None),  # nobody is there
        (0, 2, 2, None, 0.0),  # a slot is free, however long a run takes
        (2, 1, 2, None, None),
        (2, 1, 2, 10.0, 10.0),
        (2, 3, 2, 10.0, 20.0),
    ],
)
def test_the_expected_wait_counts_what_each_slot_does_before(
    n_running, position, n_slots, typical_s, expected
):
    seen = Seen(run="r", team="t", submitted_at="", status=Status.RUNNING, begun=(), seconds=None)
    look = Look(first=(), evidence=(), running=(seen,) * n_running, typical_s=typical_s)
    assert wait_s(look, position, n_slots) == expected


def test_a_run_that_waits_tells_its_place_and_what_starts_it(settings, submitted):
    submitted("a")
    known = worker.progress(settings, submitted("b").id)
    assert (known["position"], known["n_waiting"], known["has_worker"]) == (2, 2, False)
    assert "2" in known["text"]
    assert "sandbox worker start" in known["text"]


@pytest.mark.slow
def test_a_kernel_that_does_not_come_to_its_start_is_tried_again_twice(
    settings, submitted, bubblewrap, monkeypatch
):
    monkeypatch.setattr("sandbox.kernels.provisioner.START_TIMEOUT_S", 0)
    folder = submitted("a")
    outcome = runs.execute(settings, folder.id)
    assert (outcome.status, outcome.reason.kind) == ("failed", "could not start")
    steps = runs.folder.read(folder.state_file)["history"]
    again = ["running", "lost", "queued"]
    assert [step["to"] for step in steps] == ["queued", *again, *again, "running", "failed"]
    assert steps[3]["by"] == "retry 1 of 2: the kernel was not ready within 0 s"
