"""Claims on fresh draws and on the null draw: spreads, intervals, what holds and what flips."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.evidence import matching, onnull, redrawn
from sandbox.evidence.spread import spread
from sandbox.runs.folder import RunFolder
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.verdicts import Verdict
from synthetic.tables.files import make_folder, write_json

ENDED = {"kind": "completed", "message": "every cell ran to its end", "cell": None}
ERROR = {"kind": "cell error", "message": "ZeroDivisionError", "cell": 3}
MEMORY = {"kind": "memory", "message": "too much", "cell": 1}
LOST = {"kind": "supervisor lost", "message": "killed", "cell": 1}


def result(name, value):
    return {"name": name, "value": value, "unit": None, "n": None, "cell": 1}


def conclusion(statement, holds):
    return {"statement": statement, "holds": holds, "cell": 2}


@pytest.fixture
def run(tmp_path):
    """Write the records of executions, and give the run and its executions on draws."""

    def make(first, *draws, null=None):
        folder = RunFolder(tmp_path / "run")
        executions = {f"draw-{n}": draw for n, draw in enumerate(draws, start=1)}
        for name, claims in {"first": first, **executions, "null": null}.items():
            if claims is not None:
                place = folder.execution(name)
                make_folder(place.path.parent)
                place.make()
                told = {"reason": ENDED, "results": [], "conclusions": []} | claims
                write_json(place.record_file, told)
        done = [
            {"name": name, "status": "succeeded", "reason": _reason(draw)}
            for name, draw in executions.items()
        ]
        return folder, done

    def _reason(draw):
        reason = draw.get("reason", ENDED)
        return None if reason == ENDED else reason

    return make


def claims(*conclusions, **results):
    return {
        "results": [result(name, value) for name, value in results.items()],
        "conclusions": [conclusion(text, holds) for text, holds in conclusions],
    }


def test_a_result_is_told_with_its_values_and_their_spread(run):
    folder, done = run(claims(x=10), claims(x=8), claims(x=12), claims(x=13))
    (told,) = redrawn.shown(folder, done, 3)["results"]
    assert (told["submitted"], told["values"]) == (10, [8, 12, 13])
    assert (told["low"], told["high"], told["mean"]) == (8, 13, 11)
    assert told["sd"] == statistics.stdev([8, 12, 13])
    # t(2) at 0.975 is 4.302653 (any table of Student's t).
    half = 4.302653 * told["sd"] * math.sqrt(4 / 3)
    assert told["interval"] == pytest.approx([11 - half, 11 + half], rel=1e-6)
    assert told["equal"] is None


def test_a_value_that_is_no_number_is_counted(run):
    folder, done = run(claims(place="Hà Nội"), claims(place="Hà Nội"), claims(place="Huế"))
    (told,) = redrawn.shown(folder, done, 2)["results"]
    assert (told["values"], told["equal"]) == (["Hà Nội", "Huế"], 1)
    assert told["low"] is told["mean"] is told["interval"] is None


def test_a_conclusion_that_is_the_same_on_every_draw_holds(run):
    same = claims(("a", True), ("b", False))
    folder, done = run(same, same, same)
    told = redrawn.shown(folder, done, 2)
    assert told["verdict"] == Verdict.HOLDS
    assert [(one["holds"], one["of"]) for one in told["conclusions"]] == [(2, 2), (0, 2)]


@pytest.mark.parametrize("submitted", [True, False])
def test_a_conclusion_that_is_otherwise_on_one_draw_flips(run, submitted):
    folder, done = run(
        claims(("a", submitted)), claims(("a", submitted)), claims(("a", not submitted))
    )
    told = redrawn.shown(folder, done, 2)
    assert told["verdict"] == Verdict.FLIPS
    assert told["conclusions"][0]["draws"] == [submitted, not submitted]


def test_a_claim_that_is_missing_on_a_draw_is_told(run):
    broken = claims(("a", True)) | {"reason": ERROR}
    folder, done = run(claims(("a", True), ("b", True), x=1), broken)
    told = redrawn.shown(folder, done, 1)
    assert told["verdict"] == Verdict.FLIPS
    assert [one["draws"] for one in told["conclusions"]] == [[True], [None]]
    assert told["results"][0]["values"] == [None]


def test_a_draw_that_was_ended_from_outside_says_nothing(run):
    ended = claims(("a", False), x=1) | {"reason": LOST}
    folder, done = run(claims(("a", True), x=1), claims(("a", True), x=2), ended)
    told = redrawn.shown(folder, done, 2)
    assert told["verdict"] == Verdict.HOLDS
    assert told["conclusions"][0]["of"] == 1
    assert told["results"][0]["values"] == [2, None]
    assert redrawn.n_executed(told) == 1


def test_a_notebook_cannot_leave_out_a_draw_by_breaking_a_limit_there(run):
    ended = claims(("a", True)) | {"reason": MEMORY}
    folder, done = run(claims(("a", True)), claims(("a", True)), ended)
    told = redrawn.shown(folder, done, 2)
    assert told["verdict"] == Verdict.FLIPS
    assert (told["conclusions"][0]["holds"], told["conclusions"][0]["of"]) == (1, 2)
    assert redrawn.n_executed(told) == 2


def test_without_a_draw_that_came_to_its_end_there_is_no_verdict(run):
    folder, done = run(claims(("a", True)), {"reason": MEMORY})
    told = redrawn.shown(folder, done, 1)
    assert (told["verdict"], told["reason"]) == (Verdict.FAILED, MEMORY)


def test_until_the_last_draw_the_verdict_is_open_and_the_figures_are_there(run):
    folder, done = run(claims(("a", True), x=1), claims(("a", True), x=2))
    told = redrawn.shown(folder, done, 5)
    assert told["verdict"] == Verdict.PENDING
    assert told["results"][0]["values"] == [2]


def test_results_without_a_conclusion_have_no_verdict_on_any(run):
    folder, done = run(claims(x=1), claims(x=2))
    assert redrawn.shown(folder, done, 1)["verdict"] == Verdict.NO_CONCLUSIONS


def test_claims_of_the_same_words_are_told_apart_by_their_order():
    first = {"conclusions": [conclusion("a", True), conclusion("a", False)]}
    other = {"conclusions": [conclusion("b", True), conclusion("a", False), conclusion("a", True)]}
    assert [holds for _, holds in matching.conclusions(first, other)] == [False, True]


@pytest.mark.parametrize(
    ("submitted", "on_null", "verdict"),
    [
        ([True, True], [False, False], Verdict.DEPENDS),
        ([True, True], [False, True], Verdict.DOES_NOT_DEPEND),
        ([True, False], [False, True], Verdict.DEPENDS),
        ([False], [True], Verdict.NO_CONCLUSIONS),
        ([], [], Verdict.NO_CONCLUSIONS),
        ([True, True], [False], Verdict.FAILED),
        ([True, True], [True], Verdict.DOES_NOT_DEPEND),
    ],
    ids=["none", "one", "a false one", "only false", "no claims", "not reached", "reached in part"],
)
def test_what_holds_on_the_null_draw_does_not_depend_on_it(run, submitted, on_null, verdict):
    first = claims(*((str(n), holds) for n, holds in enumerate(submitted)))
    null = claims(*((str(n), holds) for n, holds in enumerate(on_null)))
    folder, _ = run(first, null=null)
    told = onnull.shown(folder, Reason(kind=Kind.CELL_ERROR, message=""))
    assert told["verdict"] == verdict
    assert [one["submitted"] for one in told["conclusions"]] == submitted


def test_a_conclusion_that_a_whole_notebook_leaves_out_does_not_hold_there(run):
    folder, _ = run(claims(("a", True)), null=claims())
    told = onnull.shown(folder, Reason(kind=Kind.COMPLETED, message=""))
    assert told["verdict"] == Verdict.DEPENDS
    assert told["conclusions"][0]["on_null"] is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=8))
def test_an_interval_holds_the_mean_or_is_not_given(values):
    told = spread(values)
    assert told["low"] <= told["mean"] <= told["high"] or math.isclose(told["low"], told["mean"])
    if told["interval"] is not None:
        low, high = told["interval"]
        assert low <= told["mean"] <= high


def test_one_draw_has_no_interval_and_equal_ones_a_point():
    assert spread([3])["interval"] is None
    assert spread([3, 3, 3])["interval"] == [3, 3]
    assert spread([True, False])["low"] is None
