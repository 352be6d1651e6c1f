"""The report on its evidence: one line that a hurried reader understands, and what lies behind it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from sandbox.runs.report.evidence import evidence as read
from sandbox.runs.report.redrawn import redrawn
from sandbox.runs.report.strips import strip
from tests.golden import evidence
from tests.golden.runs import Run
from tests.golden.text import as_text, check_golden

COMPLETED = {"kind": "completed", "message": "every cell ran to its end", "cell": None}
TOLERANCE = {"relative": 1e-10, "absolute": 1e-12, "colour_levels_of_255": 2}


def cell(index, verdict="identical", cause=None, **told):
    difference = {"what": "stdout", "where": "line 2", "first": "1", "repeat": "2"} | told
    differences = [] if verdict == "identical" else [difference]
    return {"index": index, "verdict": verdict, "cause": cause, "differences": differences}


def page(home, **told):
    """Draw the report of a run that was repeated."""
    return drawn(home, {"reproduced": told})


def drawn(home, told):
    run = Run(home).write()
    (run.path / "evidence.json").write_text(json.dumps(told), encoding="utf-8")
    return run.page()


LINES = {
    "identical": (
        {"verdict": "identical", "reason": COMPLETED, "cells": [cell(1)]},
        "good",
        "✓ Chạy hai lần cho kết quả giống hệt",
        "Chạy lại ở môi trường khác: mọi ô cho kết quả giống hệt. "
        "Run again in other surroundings: every cell gave the same. Số ô giống hệt: 1.",
    ),
    "within tolerance": (
        {"verdict": "equal within tolerance", "reason": COMPLETED, "tolerance": TOLERANCE},
        "good",
        "✓ Chạy hai lần cho kết quả như nhau, trong sai số",
        "kết quả như cũ, chỉ lệch trong sai số cho phép.",
    ),
    "claims differ": (
        {"verdict": "differs", "claims": "differs", "cells": [cell(1), cell(2, "differs")]},
        "bad",
        "✗ Chạy lại cho kết quả khác",
        "Chạy lại ở môi trường khác: 1 trong 2 ô cho kết quả khác. "
        "Trong đó có kết quả hoặc kết luận đã khai báo.",
    ),
    "claims stay": (
        {"verdict": "differs", "claims": "identical", "cells": [cell(1, "differs", "clock")]},
        "bad",
        "✗ Chạy lại cho kết quả khác",
        "1 of 1 cells gave something else. "
        "The declared results and conclusions were the same, though.",
    ),
    "stopped": (
        {"verdict": "differs", "reason": {"kind": "cell error", "cell": 4}, "cells": []},
        "bad",
        "✗ Chạy lại cho kết quả khác",
        "sổ tay dừng ở ô 5, không cho lại kết quả.",
    ),
    "pending": (
        {"verdict": "pending"},
        "open",
        "… Đang chạy lại để đối chiếu",
        "Đang chạy lại ở môi trường khác để đối chiếu",
    ),
    "killed": (
        {"verdict": "failed", "reason": {"kind": "memory", "message": "x", "cell": None}},
        "bad",
        "✗ Chạy lại không đến đích",
        "chưa có nhận định. Bị dừng vì dùng quá bộ nhớ cho phép.",
    ),
}


@pytest.mark.parametrize(("told", "kind", "short", "line"), LINES.values(), ids=LINES)
def test_the_report_opens_with_the_verdict_of_the_repeat(tmp_path, told, kind, short, line):
    html = page(tmp_path, **told)
    text = " ".join(as_text(html).split())
    assert f'<nav class="verdicts {kind}"' in html
    assert f'<a class="{kind}" href="#reproduced">' in html
    assert text.index(short) < text.index("Câu hỏi") < text.index("Bằng chứng Evidence")
    assert text.index("Bằng chứng Evidence") < text.index(line)
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


def test_evidence_that_is_good_reads_as_it_was_agreed(tmp_path, request):
    check_golden("evidence_good", evidenced(drawn(tmp_path, evidence.whole())), request)


def test_evidence_that_is_mixed_reads_as_it_was_agreed(tmp_path, request):
    check_golden("evidence_mixed", evidenced(drawn(tmp_path, evidence.mixed())), request)


def evidenced(html):
    """Give the text of the report's head, of its claims and of its evidence."""
    text = as_text(html)
    head, _, rest = text.partition("\n## Câu hỏi")
    told = rest.partition("\n## Kết quả")[2].partition("\n## Nội dung")[0]
    return f"{head}\n## Kết quả{told}\n"


PARTS = {
    "pending": (
        evidence.whole(
            redrawn=evidence.part("pending", draws=5, executions=[{"status": "succeeded"}] * 2),
            null=evidence.part("pending"),
        ),
        ["… Đang thử trên lần gieo mới (2/5)", "… Đang thử khi xáo cột"],
    ),
    "asked": (
        evidence.whole(redrawn=evidence.part("pending", draws=0)),
        ["… Đang thử trên lần gieo mới (0/5)"],
    ),
    "one conclusion": (
        evidence.whole(
            redrawn=evidence.redrawn(
                "flips", conclusions=[evidence.conclusion("x", True, [True, False])]
            ),
            null=evidence.null(
                "does not depend", conclusions=[{"submitted": True, "on_null": True}]
            ),
        ),
        [
            "! Kết luận đổi khi gieo lại",
            "! Kết luận không phụ thuộc liên hệ giữa các cột",
        ],
    ),
    "a draw failed": (
        evidence.whole(
            redrawn=evidence.redrawn(
                executions=[
                    *[{"status": "succeeded"}] * 4,
                    {"status": "failed", "reason": {"kind": "memory"}},
                ]
            )
        ),
        ["✓ Kết luận không đổi trên 4/5 lần gieo mới"],
    ),
    "no log": (
        evidence.whole(fidelity=evidence.fidelity(read=None)),
        ["được phép đọc đều được đo"],
    ),
    "assumed": (
        evidence.whole(fidelity=evidence.fidelity("assumed")),
        ["! Chỉ dựa vào cột giả định"],
    ),
    "no data": (
        evidence.whole(fidelity=evidence.fidelity("no data", read=[])),
        ["– Không đọc cột nào của bản sao"],
    ),
    "a warning": (
        evidence.whole(fidelity=evidence.fidelity(warnings=[{"kind": "few rows", "n": 3}])),
        ["! Mọi cột đã đọc đều được đo"],
    ),
    "declared": (
        evidence.whole(changed=evidence.changed("changed")),
        ["≠ Khác mẫu ở phần khai báo"],
    ),
    "no template": (
        evidence.whole(changed=evidence.changed("no template", template=None)),
        ["– Không theo mẫu nào"],
    ),
}


@pytest.mark.parametrize(("told", "wanted"), PARTS.values(), ids=PARTS)
def test_each_part_is_told_in_a_few_words(told, wanted):
    parts = read(told, has_claims=True).parts
    told = " · ".join(f"{part.mark} {part.words.vi}" for part in parts)
    assert all(words in told for words in wanted), told
    assert all(part.words.en for part in parts)


def test_the_line_of_verdicts_says_whose_runner_it_was(tmp_path):
    lines = as_text(drawn(tmp_path, evidence.whole())).partition("\n## ")[0].strip().split("\n")
    assert [line.count("·") for line in lines[-2:]] == [5, 5]
    assert lines[-2].endswith("Chạy trên máy của tác giả")
    assert lines[-1].endswith("run on the author's machine")


class Anchors(HTMLParser):
    """Collects what is led to, and what there is."""

    def __init__(self):
        super().__init__()
        self.links, self.ids = set(), set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        if tag == "a":
            self.links.add(given.get("href"))


@pytest.mark.parametrize("told", [evidence.whole(), evidence.mixed()], ids=["good", "mixed"])
def test_every_verdict_leads_to_its_figures_and_nowhere_else(tmp_path, told):
    found = Anchors()
    found.feed(drawn(tmp_path, told))
    assert found.links >= {"#reproduced", "#redrawn", "#null", "#fidelity", "#changed"}
    assert {link.removeprefix("#") for link in found.links} <= found.ids


def test_what_flips_is_marked_beside_the_sentence_itself(tmp_path):
    html = drawn(tmp_path, evidence.mixed())
    (first, second) = re.findall(r'<p class="statement">(.*?)</p>', html, re.S)
    assert "Hà Nội đứng đầu" in first
    assert "Đổi khi gieo lại" in first
    assert "Không phụ thuộc liên hệ giữa các cột" in first
    assert "badge" not in second
    (steady, _) = re.findall(
        r'<p class="statement">(.*?)</p>', drawn(tmp_path / "2", evidence.whole()), re.S
    )
    assert "badge" not in steady


def test_claims_that_are_not_those_of_the_evidence_are_not_marked_with_it(tmp_path):
    told = evidence.mixed()
    for part in ("redrawn", "null"):
        told[part]["conclusions"].reverse()
    told["redrawn"]["results"].reverse()
    html = drawn(tmp_path, told)
    assert not re.search(r'<p class="statement">[^\n]*badge', html)
    assert 'class="tried"' not in html


def test_a_strip_has_a_dot_for_each_draw_and_stays_within_its_edges():
    drawn = str(strip([1.0, 2.0, 2.0], 3.0, [0.5, 3.5]))
    assert drawn.count("<circle") == 3
    assert "script" not in drawn
    places = [float(found) for found in re.findall(r'cx="([\d.]+)"', drawn)]
    assert places == sorted(places)
    assert all(0 < place < 180 for place in places)


@pytest.mark.parametrize("values", [[5.0], [1e308, -1e308], [0.0, 5e-324]])
def test_a_strip_can_be_drawn_of_any_numbers(values):
    assert "nan" not in str(strip(values, values[0]))


@pytest.mark.parametrize(
    ("value", "values", "words"),
    [
        (12.5, [12.123456, 12.498765], "từ 12,12 đến 12,5"),
        (7, [7, 7], "như nhau trên 2 lần gieo"),
        (7, [None, None], "không được nêu trên lần gieo mới"),
        ("a", ["a", "b"], "như cũ trên 1/2 lần gieo mới"),
    ],
)
def test_a_spread_is_told_in_words(value, values, words):
    given = {
        "name": "x",
        "submitted": value,
        "values": values,
        "equal": 1 if value == "a" else None,
    }
    (told,) = redrawn({"results": [given]}, "holds").results
    assert told.line.vi == words


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


ODD = [None, 1, "x", [], {}, [1], [[]], [{}], {"a": {}}, True, [{"kind": "changed", "diff": 3}]]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_part_of_wrong_types_is_read_all_the_same(odd):
    told = evidence.mixed()
    for part in ("redrawn", "null", "fidelity", "changed"):
        told[part] = {key: odd for key in told[part]} | {"verdict": told[part]["verdict"]}
    assert [part.verdict for part in read(told, has_claims=True).parts][1] == "flips"


def test_hostile_words_in_the_evidence_are_shown_as_words(tmp_path):
    told = evidence.mixed()
    bad = "<script>alert(1)</script>\u202e"
    told["redrawn"]["conclusions"][0]["statement"] = bad
    told["redrawn"]["results"][1]["name"] = bad
    told["null"]["conclusions"][0]["statement"] = bad
    told["fidelity"]["read"][0] = evidence.column(bad, of=[bad])
    told["fidelity"]["warnings"][0]["result"] = bad
    told["changed"]["template"]["name"] = bad
    told["changed"]["cells"][0]["diff"] = [f"+{bad}"]
    html = drawn(tmp_path, told)
    assert "<script" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;") >= 7
