"""One run from its submission to all its evidence, as its report and its page tell it."""

from __future__ import annotations

import json
import shutil

import pytest

from sandbox import evidence, runs
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from tests.golden.text import as_text
from tests.sandbox import notebooks
from tests.sandbox.serving import serving

READS = {"population.persons": ["age", "sex", "phone", "province_code", "birth_date", "full_name"]}
CELLS = (
    "from sandbox import lab\ncon = lab.connect()",
    "%%sql old <<\n"
    "SELECT province_code, avg(age) AS mean FROM population.persons GROUP BY ALL ORDER BY ALL",
    "days = lab.table('population.persons').project('birth_date').df()",
    "lab.result('Tuổi trung bình', old['mean'].mean(), unit='năm', n=len(old))\n"
    "lab.conclude('Tuổi trung bình trên 20', holds=old['mean'].mean() > 20)",
    "lab.result('Số ngày sinh', days['birth_date'].nunique(), n=12)\n"
    "lab.conclude('Một cộng một bằng hai', holds=True)",
)


@pytest.mark.slow
def test_a_run_is_told_with_all_its_evidence(bubblewrap, replicas, write, tmp_path):
    shutil.copytree(replicas / "replicas", tmp_path / "home" / "replicas")
    settings = Settings(home=tmp_path / "home")
    run_id = runs.submit(settings, write(*CELLS, reads=READS), author="Ánh")
    evidence.ask(settings, run_id, evidence.Asked(draws=1))
    assert runs.execute(settings, run_id).succeeded
    folder = RunFolder.find(settings, run_id)
    first = as_text(folder.report.read_text())
    assert "… Đang xem các cột đã đọc" in first.replace("\xa0", " ")

    evidence.complete(settings, run_id)
    told = evidenced.written(folder)
    assert not evidenced.is_pending(told)
    assert [f"{one['table']}.{one['column']}" for one in told["fidelity"]["read"]] == [
        "population.persons.age",
        "population.persons.birth_date",
        "population.persons.province_code",
    ]
    statuses = {one["column"]: one["status"] for one in told["fidelity"]["read"]}
    assert statuses["birth_date"] == "assumed"
    assert told["fidelity"]["verdict"] == "partly assumed"
    assert [(one["kind"], one["result"]) for one in told["fidelity"]["warnings"]] == [
        ("few rows", "Số ngày sinh"),
        ("only assumed columns", "Số ngày sinh"),
    ]
    assert told["null"]["verdict"] == "does not depend"

    text = as_text(folder.report.read_text())
    line = text.partition("\n## ")[0].replace("\xa0", " ")
    for words in (
        "✓ Chạy hai lần cho kết quả giống hệt",
        "✓ Kết luận đúng trên 1/1 lần gieo mới",
        "! 2/2 kết luận không phụ thuộc liên hệ giữa các cột",
        "! 1/3 cột đã đọc là giả định",
        "– Không theo mẫu nào",
        "Chạy trên máy của tác giả",
    ):
        assert words in line
    assert "Số ngày sinh chỉ 12 quan sát 12 rows only chỉ dựa vào cột giả định" in text
    _page_says_the_same(settings, run_id)
    _next_version_is_compared(settings, write)


def _page_says_the_same(settings, run_id):
    with serving(settings.home) as pages:
        page = pages.ask(f"/runs/{run_id}").text
        assert "1/1 lần gieo mới" in page
        assert page.count(f'href="/runs/{run_id}/report#') == 5
        assert "data-events" not in page
        assert "/data/population/how-true?version=" in page


def _next_version_is_compared(settings, write):
    cells = (*CELLS[:3], CELLS[3].replace("> 20", "> 25"), CELLS[4])
    run_id = runs.submit(settings, write(*cells, reads=READS), author="Ánh")
    evidence.ask(settings, run_id, evidence.Asked(reproduced=False, null=False, draws=0))
    assert runs.execute(settings, run_id).succeeded
    evidence.complete(settings, run_id)
    told = evidenced.written(RunFolder.find(settings, run_id))["changed"]
    assert told["previous"]["run"] < run_id
    (edited,) = [one for one in told["cells"] if one["kind"] != "unchanged"]
    assert (edited["kind"], edited["before"], edited["after"]) == ("changed", 3, 3)
    assert any("> 25" in line for line in edited["diff"])


@pytest.mark.slow
def test_a_forged_log_changes_what_is_reported_and_nothing_else(
    bubblewrap, replicas, write, tmp_path
):
    shutil.copytree(replicas / "replicas", tmp_path / "home" / "replicas")
    settings = Settings(home=tmp_path / "home")
    forged = {"format": 1, "is_lost": False, "cells": {"1": {"population.persons": ["sex", "x"]}}}
    run_id = runs.submit(
        settings,
        write(
            "import json, pathlib\n"
            "import sandbox.lab.reads as reads\n"
            "reads.Reads._write = lambda self: None\n"
            f"pathlib.Path('.reads.json').write_text(json.dumps({forged!r}))",
            "from sandbox import lab\n"
            "lab.connect().sql('FROM population.persons').df()\n"
            "print('secret'[0])",
            reads=READS,
        ),
    )
    evidence.ask(settings, run_id, evidence.Asked(reproduced=False, null=False, draws=0))
    assert runs.execute(settings, run_id).succeeded
    evidence.complete(settings, run_id)
    folder = RunFolder.find(settings, run_id)
    told = json.loads(folder.evidence_file.read_text())["fidelity"]
    assert [one["column"] for one in told["read"]] == ["sex"]
    assert len(told["could_read"]) == 6
    assert "nên chỉ là lời báo" in folder.report.read_text()
    assert notebooks.text_of(json.loads(folder.executed.read_text()), 1) == "s\n"
