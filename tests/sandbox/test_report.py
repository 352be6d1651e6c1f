"""The report says what happened, in order, in both languages, and never more than is known."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from sandbox.runs.report import outputs, quantities, sanitise
from sandbox.runs.report.words import REASONS, Words
from tests.golden.runs import RECIPE, RUN, Run, shown
from tests.golden.text import as_text, check_golden

TRACE = [
    "\x1b[31m------\x1b[39m",
    "\x1b[31mKeyError\x1b[39m  Traceback (most recent call last)",
    "Cell \x1b[32mIn[5]\x1b[39m, line 1\n\x1b[31mKeyError\x1b[39m: 'không có'",
]


def failed(home, **record):
    run = Run(home)
    run.cells[4] = new_code_cell(
        "bang['không có']",
        outputs=[new_output("error", ename="KeyError", evalue="'không có'", traceback=TRACE)],
    )
    for cell in run.cells[5:]:
        cell.outputs = []
    states = {1: "succeeded", 2: "succeeded", 4: "failed"}
    run.record |= {
        "status": "failed",
        "reason": {"kind": "cell error", "message": "KeyError: 'không có'", "cell": 4},
        "results": [],
        "conclusions": [],
        "cells": [
            {"index": index, "id": "x", "state": states.get(index, "not run"), "seconds": None}
            for index in (1, 2, 4, 5, 6)
        ],
    } | record
    return run


def test_a_succeeded_run_reads_as_it_was_agreed(tmp_path, request):
    check_golden("report_succeeded", as_text(Run(tmp_path).page()), request)


def test_a_failed_run_reads_as_it_was_agreed(tmp_path, request):
    check_golden("report_failed", as_text(failed(tmp_path).page()), request)


def test_the_parts_come_in_the_agreed_order(tmp_path):
    page = Run(tmp_path).page()
    found = re.findall(r'<h2 id="(\w+)"', page)
    assert found == [
        *("question", "outcome", "parameters", "results", "narrative"),
        *("data", "sources", "record", "code", "cannot"),
    ]


def test_a_failed_run_tells_its_failure_first(tmp_path):
    page = failed(tmp_path).page()
    assert re.findall(r'<h2 id="(\w+)"', page)[:2] == ["outcome", "question"]
    text = as_text(page)
    assert "Sổ tay dừng lại ở ô 5 vì lỗi KeyError." in text
    assert "KeyError: 'không có'" in text
    assert "\x1b" not in page
    assert "[31m" not in page
    assert "Chạy thành công" not in text


@pytest.mark.parametrize("kind", sorted(set(REASONS) - {"completed", "cell error"}))
def test_every_end_is_told_with_its_true_reason(tmp_path, kind):
    run = failed(tmp_path, reason={"kind": kind, "message": "4.1 GiB of 4 GiB", "cell": 5})
    text = as_text(run.page())
    assert REASONS[kind].vi in text
    assert REASONS[kind].en in text
    assert "4.1 GiB of 4 GiB" in text
    assert "KeyError" not in text.partition("## Câu hỏi")[0]  # another cell's, and not the reason
    assert "Chạy thành công" not in text


@pytest.mark.parametrize("status", ["failed", "cancelled", "lost", "running", "queued", "", "odd"])
def test_only_a_record_of_success_reads_as_success(tmp_path, status):
    run = Run(tmp_path)
    run.record["status"] = status
    page = run.page()
    assert "Chạy thành công" not in page
    assert 'class="outcome good"' not in page


def test_it_says_that_it_ran_once(tmp_path):
    text = as_text(Run(tmp_path).page())
    assert "Chạy một lần, chưa lặp lại" in text
    assert "Run once, not repeated" in text
    assert "máy của tác giả" in text


def test_an_unisolated_run_says_so(tmp_path):
    run = Run(tmp_path)
    run.record["isolation"] = {
        "mechanism": "none",
        "version": None,
        "as_root": False,
        "policy": {"network": True},
        "note": "bubblewrap is missing",
    }
    text = as_text(run.page())
    assert "Không cách ly" in text
    assert "bubblewrap is missing" in text
    assert "sổ tay chỉ đọc được" not in text
    assert "không thể nói chắc nó chỉ đọc chừng đó" in text
    assert "Chạy cách ly bằng" not in text


def test_a_run_that_never_began_is_not_called_isolated(tmp_path):
    run = failed(tmp_path, reason={"kind": "could not start", "message": "x", "cell": None})
    for cell in run.record["cells"]:
        cell["state"] = "not run"
    assert "Chạy cách ly bằng" not in as_text(run.page())


def test_an_unknown_isolation_is_not_called_isolated(tmp_path):
    run = Run(tmp_path)
    del run.record["isolation"]
    text = as_text(run.page())
    assert "Không rõ có cách ly hay không." in text
    assert "Chạy cách ly bằng" not in text


def test_a_changed_parameter_is_marked_in_words(tmp_path):
    rows = [line for line in as_text(Run(tmp_path).page()).split("\n") if "số tỉnh" in line]
    assert rows[0] == "so_tinh | 8 đã đổi changed | 10 | số tỉnh"


def test_a_conclusion_is_told_in_words_and_not_by_colour(tmp_path):
    text = as_text(Run(tmp_path).page())
    assert "✓ Đúng trong lượt chạy này holds in this run" in text
    assert "✗ Không đúng trong lượt chạy này does not hold in this run" in text


def test_declared_values_are_not_repeated_among_the_outputs(tmp_path):
    narrative = as_text(Run(tmp_path).page()).partition("## Nội dung")[2].partition("## Dữ liệu")[0]
    assert "Tỉnh đứng đầu" not in narrative


def test_without_a_record_the_declared_values_come_from_the_notebook(tmp_path):
    run = Run(tmp_path).write()
    (run.path / "executions" / "first" / "record.json").write_text('{"status": "succ')
    (run.path / "run.json").write_text('{"status": "lost"}')
    text = as_text(run.page())
    assert "Tỉnh đứng đầu | Hà Nội" in text
    assert "Không có biên bản của bộ giám sát" in text
    assert "Không rõ kết cục" in text


def test_a_vanished_manifest_is_told(tmp_path):
    run = Run(tmp_path).write()
    run.replica.unlink()
    text = as_text(run.page())
    assert "Không còn bản kê của bản sao này" in text
    assert "age | Không rõ unknown | —" in text
    assert "1.013.000 dòng" in text


def test_a_changed_manifest_is_told_and_not_used(tmp_path):
    run = Run(tmp_path).write()
    run.replica.write_text(run.replica.read_text().replace("0.0113", "0.0001"))
    text = as_text(run.page())
    assert "Bản kê đã khác với lúc chạy" in text
    assert "Hiệu chỉnh calibrated | Dự báo" not in text


@pytest.mark.parametrize("version", ["../../secret", "/etc", "a/b", "..", "", "x\0y"])
def test_a_version_that_is_a_path_reads_nothing(tmp_path, version):
    run = Run(tmp_path)
    run.record["inputs"][0]["version"] = version
    assert "Không còn bản kê" in run.page()


def test_only_pairs_of_used_columns_are_shown(tmp_path):
    text = as_text(Run(tmp_path).page())
    assert "Tuổi × Giới tính" in text
    assert "age × phone" not in text
    assert "phone" not in text


def test_a_table_without_declared_columns_shows_them_all(tmp_path):
    run = Run(tmp_path)
    run.record["inputs"][0]["tables"][0]["columns"] = []
    text = as_text(run.page())
    assert "Mọi cột đều đọc được." in text
    assert "Điện thoại Phone phone | Giả định assumed | dãy chưa cấp unassigned" in text


def test_declared_published_tables_are_named(tmp_path):
    run = Run(tmp_path)
    run.described["reads"] = {"population.persons": [], "published.admin_provinces_34": []}
    assert "published.admin_provinces_34" in as_text(run.page())


def test_a_notebook_that_declares_no_reads_says_what_that_means(tmp_path):
    run = Run(tmp_path)
    del run.described["reads"]
    assert "mọi bộ dữ liệu đã dựng đều được gắn vào" in run.page()


@pytest.mark.parametrize("name", ["submission/submission.json", "executions/first/executed.ipynb"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 200_000])
def test_a_broken_file_still_gives_a_report(tmp_path, name, content):
    run = Run(tmp_path).write()
    if content is None:
        (run.path / name).unlink()
    else:
        (run.path / name).write_bytes(content)
    assert as_text(run.page()).startswith("Báo cáo lượt chạy")


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1], [[]], [{}], {"a": {}}, True])
def test_a_record_of_wrong_types_still_gives_a_report(tmp_path, value):
    run = Run(tmp_path)
    run.record = dict.fromkeys(run.record, value)
    run.submission = dict.fromkeys(run.submission, value)
    run.described = dict.fromkeys(run.described, value)
    assert "Chạy thành công" not in as_text(run.page())


def test_an_empty_folder_still_gives_a_report(tmp_path):
    run = Run(tmp_path)
    run.path.mkdir(parents=True)
    assert RUN in run.page()


def test_a_replica_of_one_province_is_told_above_the_results(tmp_path):
    run = Run(tmp_path)
    told = "holds one province only: nothing below is about the country."
    assert told not in run.page()
    run = Run(tmp_path / "other")
    run.record["inputs"][0]["recipe"] = {**RECIPE, "area": "48"}
    results = as_text(run.page()).partition("## Kết quả")[2].partition("## Nội dung")[0]
    assert told in results


def test_attached_files_are_told_with_what_is_not_known_of_them(tmp_path):
    run = Run(tmp_path)
    assert "Tệp của tác giả" not in run.page()
    run = Run(tmp_path / "other")
    table = {"table": "attached.khach", "rows": 1200, "columns": ["tên", "<b>tuổi"]}
    run.submission["attachments"] = [
        {"name": "khách.csv", "bytes": 2048, "sha256": "ab" * 32, **table},
        {"name": "giá.xlsx", "bytes": 10, "rows": None, "columns": "x"},
    ]
    page = run.page()
    text = as_text(page)
    assert "khách.csv attached.khach … | 2 KiB | 1.200 1,200 | tên, <b>tuổi" in text
    assert "giá.xlsx | 10 byte | — | —" in text
    assert "chúng tôi không đo được chúng đúng đến đâu" in text
    assert "<b>tuổi" not in page


def test_a_failed_run_that_showed_nothing_says_so(tmp_path):
    assert "Sổ tay chưa in ra gì." not in Run(tmp_path / "one").page()
    run = failed(tmp_path / "two")
    for cell in run.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    assert "Sổ tay chưa in ra gì. The notebook showed nothing." in as_text(run.page())


def test_the_policy_is_told_in_both_languages(tmp_path):
    text = as_text(Run(tmp_path).page())
    assert "được lọc filtered" in text
    assert "hệ thống, trình thông dịch, gói phần mềm, /sandbox/data system, interpreter" in text


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_the_top_says_that_the_data_are_synthetic(tmp_path, status):
    run = Run(tmp_path) if status == "succeeded" else failed(tmp_path)
    top = as_text(run.page()).partition("## Tham số")[0]
    assert "Số liệu tổng hợp: không phải bằng chứng về người thật; xem phần cuối." in top
    assert "Synthetic data: no evidence about real people; see the end." in top


def test_the_report_is_replaced_whole(tmp_path):
    run = Run(tmp_path)
    first = run.page()
    assert run.page() == first
    assert not list(run.path.glob(".report-*"))


class Outline(HTMLParser):
    """Collects the headings, and the languages and labels that a reader's tools need."""

    def __init__(self):
        super().__init__()
        self.levels = []
        self.images = []
        self.heads = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.images.append(given)
        if tag == "th":
            self.heads.append(given)


def test_headings_never_skip_a_level(tmp_path):
    run = Run(tmp_path)
    run.cells += [new_markdown_cell(f"{'#' * level} Mục") for level in (6, 1, 4, 2, 3, 6, 1)]
    outline = Outline()
    outline.feed(run.page())
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(
        after - before <= 1
        for before, after in zip(outline.levels, outline.levels[1:], strict=False)
    )


def test_figures_have_words_and_table_heads_a_scope(tmp_path):
    outline = Outline()
    outline.feed(Run(tmp_path).page())
    assert [image["alt"] for image in outline.images] == ["Hình 1: Xếp hạng"]
    assert all(image["width"] == "400" for image in outline.images)
    assert sum("scope" in head for head in outline.heads) > 20


def test_numbers_stand_under_their_heads(tmp_path):
    page = Run(tmp_path).page()
    assert '<th scope="col" class="number">Số người</th>' in page
    assert '<td class="number">783200</td>' in page
    assert '<td class="number">NaN</td>' in page
    assert '<th scope="col">Tỉnh</th>' in page


def test_a_link_is_shown_with_its_address_and_leads_nowhere(tmp_path):
    page = Run(tmp_path).page()
    assert 'bản sao <span class="address">(https://example.org/x)</span>' in page
    assert "href" not in page.partition("</style>")[2]


def test_latex_stays_as_it_was_written(tmp_path):
    assert "$n = N \\times s$" in as_text(Run(tmp_path).page())


def test_interactive_output_is_named_and_its_text_shown(tmp_path):
    run = Run(tmp_path)
    data = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "text/html": "<div id='w'></div><script>draw()</script>",
        "text/plain": "IntSlider(value=7)",
    }
    run.cells.append(new_code_cell("slider", outputs=[shown(data)]))
    text = as_text(run.page())
    assert "Interactive output not shown." in text
    assert "IntSlider(value=7)" in text


def test_an_output_of_a_script_alone_is_called_interactive(tmp_path):
    run = Run(tmp_path)
    data = {"text/html": "<div><script>draw()</script></div>", "text/plain": "<Chart>"}
    run.cells.append(new_code_cell("chart", outputs=[shown(data)]))
    text = as_text(run.page())
    assert "Interactive output not shown." in text
    assert "<Chart>" in text


def test_a_long_output_is_cut_and_says_so(tmp_path):
    run = Run(tmp_path)
    run.cells.append(
        new_code_cell("x", outputs=[new_output("stream", name="stdout", text="0123456789" * 10**6)])
    )
    page = run.page()
    assert "Đầu ra dài 10.000.000 ký tự; chỉ hiện 20.000 ký tự đầu." in page
    assert len(page) < 200_000


@pytest.mark.parametrize(("extra", "is_cut"), [(-1, False), (0, False), (1, True)])
def test_a_text_is_cut_at_its_limit(extra, is_cut):
    written = "x" * (outputs.LONGEST_TEXT + extra)
    part, note = outputs.beginning(written)
    assert bool(note) is is_cut
    assert part == written[: outputs.LONGEST_TEXT]


@pytest.mark.parametrize(("extra", "is_cut"), [(-1, False), (0, False), (1, True)])
def test_a_table_is_cut_at_its_limit(extra, is_cut):
    n_rows = sanitise.MOST_ROWS + extra
    clean = sanitise.fragment("<table>" + "<tr><td>1</td></tr>" * n_rows, sanitise.Headings())
    assert clean.cut is is_cut
    assert clean.html.count("<tr>") == min(n_rows, sanitise.MOST_ROWS)


def test_a_progress_bar_shows_its_end(tmp_path):
    run = Run(tmp_path)
    bar = new_output("stream", name="stderr", text="10%\r50%\r100%\nxong\r\n")
    run.cells.append(new_code_cell("x", outputs=[bar]))
    text = as_text(run.page())
    assert "    100%\n    xong" in text
    assert "50%" not in text


def test_a_report_of_the_showcase_is_quick(tmp_path):
    run = Run(tmp_path)
    run.page()
    began = time.process_time()  # whatever else is at work
    run.page()
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234567, Words("1.234.567", "1,234,567")),
        (12.5, Words("12,5", "12.5")),
        (0.1 + 0.2, Words("0,3", "0.3")),
        (1234567.891, Words("1.234.568", "1,234,568")),
        (0.000123456, Words("0,000123456", "0.000123456")),
        (-3, Words("-3")),
        (0.0, Words("0")),
        (1e-12, Words("1e-12")),
        (float("nan"), Words("không xác định", "not defined")),
        (True, Words("đúng", "true")),
        ("Hà Nội", Words("Hà Nội")),
        (None, Words("")),
    ],
)
def test_numbers_are_written_in_both_ways(value, words):
    assert quantities.quantity(value) == words


def test_times_are_told_in_viet_nams_hours():
    told = quantities.moment("2026-11-22T20:05:12+00:00")
    assert told.vi == "03:05 ngày 23/11/2026 (giờ Việt Nam)"
    assert quantities.moment("hôm qua") == Words("hôm qua")


def test_a_numbered_size_is_told_in_its_unit():
    assert quantities.size(4 << 30) == Words("4\u00a0GiB")
    assert quantities.size(1536) == Words("1,5\u00a0KiB", "1.5\u00a0KiB")
    assert quantities.seconds(125) == Words("2 phút 5 giây", "2 min 5 s")


def test_a_result_kept_as_text_is_read(tmp_path):
    run = Run(tmp_path).write()
    (run.path / "executions" / "first" / "record.json").unlink()
    path = run.path / "executions" / "first" / "executed.ipynb"
    notebook = json.loads(path.read_text())
    data = notebook["cells"][6]["outputs"][0]["data"]
    data["application/vnd.sandbox.result+json"] = '{"name": "Tên", "value": 7}'
    path.write_text(json.dumps(notebook))
    assert "Tên | 7" in as_text(run.page())
