"""Outputs of two executions held against each other: what is the same, nearly so, or not."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sandbox.evidence import comparing
from sandbox.evidence.closeness import RELATIVE, near, texts
from sandbox.evidence.masks import masked
from sandbox.runs.record import CONCLUSION, RESULT
from sandbox.runs.verdicts import Verdict, worst

IDENTICAL, EQUAL, DIFFERS = Verdict.IDENTICAL, Verdict.EQUAL, Verdict.DIFFERS


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def display(kind="display_data", **data):
    named = {name.replace("__", "/"): value for name, value in data.items()}
    return {"output_type": kind, "data": named, "metadata": {}}


def result(value, name="số người", unit=None):
    data = {RESULT: {"name": name, "value": value, "unit": unit, "n": 3}, "text/plain": str(value)}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def conclusion(holds):
    data = {CONCLUSION: {"statement": "A hơn B", "holds": holds}, "text/plain": str(holds)}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(file, "PNG", **options)
    return base64.b64encode(file.getvalue()).decode()


def picture(pixels, **options):
    return {"output_type": "display_data", "data": {"image/png": png(pixels, **options)}}


def table(frame):
    return display(text__html=frame._repr_html_(), text__plain=str(frame))


def styled(**values):
    return display(text__html=pd.DataFrame(values).style.background_gradient().to_html())


GREY = np.full((20, 30, 3), 120)
DARKER = np.full((20, 30, 3), 118)
BLACK = np.zeros((20, 30, 3))
ONE_DOT = GREY.copy()
ONE_DOT[3, 4] = 0
FRAME = pd.DataFrame({"tỉnh": ["Hà Nội", "Huế"], "tỷ lệ": [0.25, 0.5]})
OTHER = pd.DataFrame({"tỉnh": ["Hà Nội", "Huế"], "tỷ lệ": [0.25, 0.75]})
WITHOUT = FRAME.drop(columns="tỉnh")
SUM, NEARLY = 0.1 + 0.2, 0.3
SVG = '<svg><metadata><date>{date}</date></metadata><path id="{id}" d="M {x} 0"/><use href="#{id}"/></svg>'

PAIRS = {
    "nothing": ([], [], IDENTICAL),
    "pieces of a stream": ([stream("a"), stream("b\n")], [stream("ab\n")], IDENTICAL),
    "streams in another order": (
        [stream("a\n"), stream("w\n", "stderr"), stream("b\n")],
        [stream("w\n", "stderr"), stream("a\nb\n")],
        IDENTICAL,
    ),
    "the other stream": ([stream("a")], [stream("a", "stderr")], DIFFERS),
    "lines as a list": ([stream(["a\n", "b"])], [stream("a\nb")], IDENTICAL),
    "a progress bar": (
        [stream("\r 10%| 1/10 [00:01<00:09, 1.02it/s]\r100%| 10/10 [00:09<00:00, 1.10it/s]\n")],
        [stream("\r100%| 10/10 [00:07<00:00, 1.40it/s]\n")],
        IDENTICAL,
    ),
    "a progress bar that ends elsewhere": (
        [stream("\r100%| 10/10 [00:09<00:00, 1.10it/s]\n")],
        [stream("\r 90%| 9/10 [00:09<00:00, 1.10it/s]\n")],
        DIFFERS,
    ),
    "an address": (
        [stream("<A object at 0x7f0011223344>")],
        [stream("<A object at 0x7fffaabbccdd>")],
        IDENTICAL,
    ),
    "a hexadecimal value": ([stream("0x7f0011223344")], [stream("0x7f0011223345")], DIFFERS),
    "a temporary file": ([stream("/tmp/tmpab12cd34/x")], [stream("/tmp/tmpzz99yy88/x")], IDENTICAL),
    "a file of a cell": (
        [stream("/tmp/ipykernel_18/123.py:1: UserWarning", "stderr")],
        [stream("/tmp/ipykernel_22/123.py:1: UserWarning", "stderr")],
        IDENTICAL,
    ),
    "a timing": (
        [stream("CPU times: user 1.2 ms, sys: 0 ns, total: 1.2 ms\nWall time: 1min 2s\n")],
        [stream("CPU times: user 4 ms, sys: 1 ns, total: 5 ms\nWall time: 12.5 ms\n")],
        IDENTICAL,
    ),
    "timeit": (
        [stream("1.2 µs ± 3 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)")],
        [stream("980 ns ± 8.1 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)")],
        IDENTICAL,
    ),
    "a count of executions": (
        [display("execute_result", text__plain="3") | {"execution_count": 4}],
        [display("execute_result", text__plain="3") | {"execution_count": 9}],
        IDENTICAL,
    ),
    "the last digit of a sum": ([stream(f"{SUM!r}")], [stream(f"{NEARLY!r}")], EQUAL),
    "another number": ([stream("x = 0.3")], [stream("x = 0.31")], DIFFERS),
    "a large count": ([stream("100000000000001")], [stream("100000000000002")], DIFFERS),
    "a version": ([stream("1.2.3")], [stream("1.2.4")], DIFFERS),
    "a word": ([stream("0.5 tăng")], [stream("0.5 giảm")], DIFFERS),
    "a table": ([table(FRAME)], [table(FRAME)], IDENTICAL),
    "a cell of a table": ([table(FRAME)], [table(OTHER)], DIFFERS),
    "a table's columns": ([table(FRAME)], [table(WITHOUT)], DIFFERS),
    "ids of a Styler": ([styled(a=[1.5, 2])], [styled(a=[1.5, 2])], IDENTICAL),
    "a styled value": ([styled(a=[1.5, 2])], [styled(a=[1.5, 3])], DIFFERS),
    "a picture": ([picture(GREY)], [picture(GREY, compress_level=0)], IDENTICAL),
    "a shade": ([picture(GREY)], [picture(DARKER)], EQUAL),
    "one dot": ([picture(GREY)], [picture(ONE_DOT)], DIFFERS),
    "another picture": ([picture(GREY)], [picture(BLACK)], DIFFERS),
    "the size of a picture": ([picture(GREY)], [picture(GREY[:10])], DIFFERS),
    "no picture": ([display(image__png="AAAA")], [display(image__png="AAAB")], DIFFERS),
    "a drawing": (
        [{"data": {"image/svg+xml": SVG.format(date="a", id="p1", x=3)}}],
        [{"data": {"image/svg+xml": SVG.format(date="b", id="q9", x=3)}}],
        IDENTICAL,
    ),
    "another drawing": (
        [{"data": {"image/svg+xml": SVG.format(date="a", id="p1", x=3)}}],
        [{"data": {"image/svg+xml": SVG.format(date="a", id="p1", x=4)}}],
        DIFFERS,
    ),
    "a result": ([result(0.5)], [result(0.5)], IDENTICAL),
    "a result within tolerance": ([result(SUM)], [result(NEARLY)], EQUAL),
    "another result": ([result(12)], [result(13)], DIFFERS),
    "a unit": ([result(12)], [result(12, unit="người")], DIFFERS),
    "truth is no number": ([result(1)], [result(True)], DIFFERS),
    "a missing result": ([result(12)], [], DIFFERS),
    "a conclusion that flips": ([conclusion(True)], [conclusion(False)], DIFFERS),
    "one output more": ([stream("a")], [stream("a"), display(text__plain="b")], DIFFERS),
    "another kind of output": (
        [display(text__plain="b")],
        [display(text__plain="b", text__html="<b>b</b>")],
        DIFFERS,
    ),
    "names in JSON": (
        [display(**{"application__x+json": {"id": "a", "rows": [1, 2.5]}})],
        [display(**{"application__x+json": {"id": "b", "rows": [1, 2.5]}})],
        IDENTICAL,
    ),
    "a value in JSON": (
        [display(**{"application__x+json": {"rows": [1, 2.5]}})],
        [display(**{"application__x+json": {"rows": [1, 3.5]}})],
        DIFFERS,
    ),
    "an error": (
        [],
        [{"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": []}],
        DIFFERS,
    ),
}


@pytest.mark.parametrize(("first", "repeat", "verdict"), PAIRS.values(), ids=PAIRS)
def test_a_pair_of_outputs_has_its_verdict_both_ways(first, repeat, verdict):
    assert comparing.outputs(first, first).verdict is IDENTICAL
    assert comparing.outputs(repeat, repeat).verdict is IDENTICAL
    there, back = comparing.outputs(first, repeat), comparing.outputs(repeat, first)
    assert there.verdict is back.verdict is verdict
    assert bool(there.differences) is bool(back.differences) is (verdict is not IDENTICAL)


@pytest.mark.parametrize(
    ("first", "repeat", "told"),
    [
        (
            [stream("a\nb\nx = 1\n")],
            [stream("a\nb\nx = 2\n")],
            {"what": "stdout", "where": "line 3", "first": "x = 1", "repeat": "x = 2"},
        ),
        (
            [table(FRAME)],
            [table(OTHER)],
            {
                "what": "table",
                "where": "row 2, column 3 (tỷ lệ)",
                "first": "0.50",
                "repeat": "0.75",
            },
        ),
        (
            [stream("y"), result(12)],
            [stream("z"), result(13)],
            {"what": "result", "where": "số người", "first": "12", "repeat": "13"},
        ),
        (
            [picture(GREY)],
            [picture(ONE_DOT)],
            {"first": "30 × 20 pixels", "repeat": "0.167 % of the pixels differ"},
        ),
        (
            [stream("1" * 5000 + "a")],
            [stream("1" * 5000 + "b")],
            {"first": "…" + "1" * 40 + "a", "repeat": "…" + "1" * 40 + "b"},
        ),
    ],
    ids=["line", "table", "claim first", "picture", "long"],
)
def test_a_difference_says_where_and_shows_both_values(first, repeat, told):
    found = comparing.outputs(first, repeat).differences[0].to_record()
    assert found.items() >= told.items()


def test_a_cell_that_prints_another_thing_keeps_its_claims():
    found = comparing.outputs([stream("a"), result(1)], [stream("b"), result(1)])
    assert (found.verdict, found.claims) == (DIFFERS, IDENTICAL)
    assert comparing.outputs([result(1)], [result(2)]).claims is DIFFERS
    assert comparing.outputs([result(1)], []).claims is DIFFERS


HOSTILE = {
    "digits": "1" * 50_000,
    "fractions": "1." * 25_000,
    "brackets": "[" * 50_000,
    "timings": "1 s " * 15_000,
    "cells": "<td>" * 10_000,
    "open elements": "<a " * 9_000,
    "deep elements": "<i>" * 2_900,
    "comments": "<!--" * 20_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_outputs_are_compared_in_a_moment(text):
    assert texts(masked(text), text + "x") is DIFFERS
    for mime in ("text__html", "image__svg+xml"):
        one, other = display(**{mime: text}), display(**{mime: "<p>x</p>" + text})
        assert comparing.outputs([one], [other]).verdict is DIFFERS


words = st.text(st.characters(codec="utf-8"), max_size=40)
outputs = st.lists(
    st.one_of(
        words.map(stream),
        words.map(lambda text: display(text__html=text, text__plain=text)),
        st.one_of(st.integers(), st.floats(), words, st.booleans()).map(result),
        st.booleans().map(conclusion),
    ),
    max_size=4,
)


@given(outputs)
def test_everything_is_identical_to_itself(given_):
    assert comparing.outputs(given_, given_).verdict is IDENTICAL


@given(outputs, outputs)
def test_a_verdict_does_not_depend_on_which_came_first(one, other):
    there, back = comparing.outputs(one, other), comparing.outputs(other, one)
    assert (there.verdict, there.claims) == (back.verdict, back.claims)


@given(outputs, st.integers(), st.integers(1, 10**6))
def test_any_change_of_a_whole_number_is_noticed(around, value, change):
    one = [*around, result(value), stream(f"n = {value}\n")]
    assert comparing.outputs(one, [*around, result(value + change), one[-1]]).verdict is DIFFERS
    other = [*around, one[-2], stream(f"n = {value + change}\n")]
    assert comparing.outputs(one, other).verdict is DIFFERS


@given(st.floats(1e-3, 1e9), st.floats(1e-8, 1))
def test_any_change_of_a_number_above_the_tolerance_differs(value, relative):
    changed = value * (1 + relative)
    assert comparing.outputs([result(value)], [result(changed)]).verdict is DIFFERS
    one, other = stream(f"{value!r}"), stream(f"{changed!r}")
    assert comparing.outputs([one], [other]).verdict is DIFFERS


@pytest.mark.parametrize(("share", "is_near"), [(0.9, True), (1.1, False)])
def test_the_tolerance_is_what_is_stated(share, is_near):
    assert near(7.0, 7.0 * (1 + share * RELATIVE)) is is_near


def test_the_whole_is_as_good_as_its_worst_part():
    assert worst([]) is IDENTICAL
    assert worst([IDENTICAL, EQUAL]) is EQUAL
    assert worst([DIFFERS, EQUAL, IDENTICAL]) is DIFFERS
