"""The report on its evidence: one line that a hurried reader understands, and what lies behind it."""

from __future__ import annotations

import json

import pytest

from tests.golden.runs import Run
from tests.golden.text import as_text

COMPLETED = {"kind": "completed", "message": "every cell ran to its end", "cell": None}
TOLERANCE = {"relative": 1e-10, "absolute": 1e-12, "colour_levels_of_255": 2}


def cell(index, verdict="identical", cause=None, **told):
    difference = {"what": "stdout", "where": "line 2", "first": "1", "repeat": "2"} | told
    differences = [] if verdict == "identical" else [difference]
    return {"index": index, "verdict": verdict, "cause": cause, "differences": differences}


def page(home, **told):
    run = Run(home).write()
    (run.path / "evidence.json").write_text(json.dumps({"reproduced": told}), encoding="utf-8")
    return run.page()


LINES = {
    "identical": (
        {"verdict": "identical", "reason": COMPLETED, "cells": [cell(1)]},
        "good",
        "✓ Chạy lại ở môi trường khác: mọi ô cho kết quả giống hệt. "
        "Run again in other surroundings: every cell gave the same.",
    ),
    "within tolerance": (
        {"verdict": "equal within tolerance", "reason": COMPLETED, "tolerance": TOLERANCE},
        "good",
        "kết quả như cũ, chỉ lệch trong sai số cho phép.",
    ),
    "claims differ": (
        {"verdict": "differs", "claims": "differs", "cells": [cell(1), cell(2, "differs")]},
        "bad",
        "✗ Chạy lại ở môi trường khác: 1 trong 2 ô cho kết quả khác. "
        "Trong đó có kết quả hoặc kết luận đã khai báo.",
    ),
    "claims stay": (
        {"verdict": "differs", "claims": "identical", "cells": [cell(1, "differs", "clock")]},
        "bad",
        "1 of 1 cells gave something else. "
        "The declared results and conclusions were the same, though.",
    ),
    "stopped": (
        {"verdict": "differs", "reason": {"kind": "cell error", "cell": 4}, "cells": []},
        "bad",
        "sổ tay dừng ở ô 5, không cho lại kết quả.",
    ),
    "pending": ({"verdict": "pending"}, "open", "… Đang chạy lại ở môi trường khác để đối chiếu"),
    "killed": (
        {"verdict": "failed", "reason": {"kind": "memory", "message": "x", "cell": None}},
        "bad",
        "chưa có nhận định. Bị dừng vì dùng quá bộ nhớ cho phép.",
    ),
}


@pytest.mark.parametrize(("told", "kind", "line"), LINES.values(), ids=LINES)
def test_the_report_opens_with_the_verdict(tmp_path, told, kind, line):
    html = page(tmp_path, **told)
    text = " ".join(as_text(html).split())
    assert f'<p class="verdicts {kind}"><a href="#evidence">' in html
    assert line in text
    assert text.index(line) < text.index("Câu hỏi") < text.index("Bằng chứng: chạy lại")
    assert "chưa lặp lại" not in text


def test_each_cell_is_told_with_its_difference_and_its_likely_cause(tmp_path):
    told = cell(4, "differs", "unseeded random", first="<b>0,5</b>\u202e", repeat="0,7")
    html = page(tmp_path, verdict="differs", cells=[told], tolerance=TOLERANCE)
    text = " ".join(as_text(html).split())
    assert "chữ in ra printed text dòng 2 line 2: <b>0,5</b>[U+202E] / 0,7" in text
    assert "số ngẫu nhiên không đặt hạt giống (seed) random numbers without a seed" in text
    assert "<b>0,5" not in html
    assert "số thập phân lệch nhau nhiều nhất 1e-10 lần giá trị" in text


def test_both_surroundings_stand_beside_each_other(tmp_path):
    first = {"host": "sandbox", "threads": 1, "started_at": "2026-11-22T12:05:12.000+00:00"}
    repeat = first | {"host": "host-1", "threads": 2, "started_at": "2026-11-22T12:06:00.5+00:00"}
    settings = {"first": first, "repeat": repeat}
    text = as_text(page(tmp_path, verdict="identical", settings=settings))
    assert "Tên máy host name | sandbox | host-1" in text
    assert "Số luồng threads | 1 | 2" in text


@pytest.mark.parametrize(
    "written", ["", "[]", '{"reproduced": 3}', '{"reproduced": {"verdict": "perfect"}}']
)
def test_evidence_that_cannot_be_read_is_none(tmp_path, written):
    run = Run(tmp_path).write()
    (run.path / "evidence.json").write_text(written)
    html = run.page()
    assert 'class="verdicts' not in html
    assert "Chạy một lần, chưa lặp lại" in html


@pytest.mark.parametrize("verdict", ["identical", "differs", "failed"])
def test_odd_values_of_evidence_make_no_odd_report(tmp_path, verdict):
    odd = {"verdict": verdict, "reason": 3, "cells": [3, {}, {"index": "x", "differences": 5}]}
    assert 'class="verdicts' in page(tmp_path, **odd, tolerance="x", settings=[1], claims={})
