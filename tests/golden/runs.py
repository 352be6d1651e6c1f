"""Run folders for reports, written as the supervisor writes them, with real outputs in them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
import nbformat
import pandas as pd
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sandbox.runs.report import render
from sandbox.settings import Settings

RUN = "r20261122-190512-market-sizing-4f2a"
VERSION = "s0.01-all-seed1-exact-0123456789ab"
RECIPE = {"scale": "0.01", "area": None, "seed": 1, "margins": "exact"}
RESULT = "application/vnd.sandbox.result+json"
CONCLUSION = "application/vnd.sandbox.conclusion+json"


def figure(kind="png"):
    """Draw a small chart with Vietnamese labels."""
    drawn = Figure(figsize=(4, 2.5))
    axes = drawn.subplots()
    axes.barh(["Đà Nẵng", "Hà Nội"], [2.5, 7.8], color="#14365c")
    axes.set_xlabel("Trăm nghìn người")
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "fixed", "svg.fonttype": "path"}):
        drawn.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()


def encoded(data):
    return base64.b64encode(data).decode()


def shown(data):
    return new_output("display_data", data=data)


def frame():
    return pd.DataFrame(
        {"Tỉnh": ["Hà Nội", "Đà Nẵng"], "Số người": [783200, 251900], "Tỷ lệ": [12.71, None]}
    )


def showcase_cells():
    result = {"name": "Tỉnh đứng đầu", "value": "Hà Nội", "unit": None, "n": None}
    table = frame()
    return [
        new_markdown_cell(
            "# Thị trường ở đâu?\n\nXếp hạng các tỉnh theo **nhóm tuổi** trên "
            "[bản sao](https://example.org/x). Công thức $n = N \\times s$."
        ),
        new_code_cell(
            'nhom_tuoi: str = "25-34"  # nhóm tuổi\nso_tinh: int = 10  # số tỉnh',
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell("so_tinh = 8", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell("## Xếp hạng\n\n| Tỉnh | Người |\n| --- | ---: |\n| Hà Nội | 46,2 |"),
        new_code_cell(
            'print("Có 2 tỉnh")\nbang',
            outputs=[
                new_output("stream", name="stdout", text="Có 2"),
                new_output("stream", name="stdout", text=" tỉnh\n"),
                new_output(
                    "execute_result",
                    data={"text/html": table._repr_html_(), "text/plain": str(table)},
                ),
            ],
        ),
        new_code_cell(
            "ve(bang)",
            outputs=[
                shown({"image/png": encoded(figure()), "text/plain": "<Figure size 400x250>"}),
                new_output("stream", name="stderr", text="UserWarning: tên cột cũ\n"),
            ],
        ),
        new_code_cell(
            'lab.result("Tỉnh đứng đầu", "Hà Nội")',
            outputs=[shown({RESULT: result, "text/plain": "Tỉnh đứng đầu: Hà Nội"})],
        ),
    ]


def fidelity(status, against=None, distance=None, sampling=None, because=None):
    return {
        "status": status,
        "against": against,
        "distance": distance,
        "sampling": sampling,
        "because": because,
    }


def manifest():
    def column(name, vi, en, told):
        return {"name": name, "type": "code", "title": {"vi": vi, "en": en}, "fidelity": told}

    follows = "population_age_sex"
    return {
        "format": 1,
        "dataset": "population",
        "version": VERSION,
        "title": {"vi": "Dân cư", "en": "Population"},
        "recipe": RECIPE,
        "as_of": "2024-12-31",
        "tables": [
            {
                "name": "persons",
                "title": {"vi": "Người", "en": "Persons"},
                "rows": 1013000,
                "content_hash": "ab" * 32,
                "columns": [
                    column("age", "Tuổi", "Age", fidelity("calibrated", follows, 0.0113, 0.0014)),
                    column("sex", "Giới tính", "Sex", fidelity("calibrated", follows, 0.0, 0.0005)),
                    column(
                        "residence",
                        "Nơi ở",
                        "Residence",
                        fidelity("derived", because={"vi": "theo hộ", "en": "from the household"}),
                    ),
                    column(
                        "phone",
                        "Điện thoại",
                        "Phone",
                        fidelity("assumed", because={"vi": "dãy chưa cấp", "en": "unassigned"}),
                    ),
                ],
            }
        ],
        "pairs": [
            {
                "table": "persons",
                "columns": ["age", "sex"],
                "fidelity": fidelity("calibrated", follows, 0.012, 0.003),
            },
            {
                "table": "persons",
                "columns": ["age", "phone"],
                "fidelity": fidelity("assumed", because={"vi": "độc lập", "en": "independent"}),
            },
        ],
        "sources": [
            {
                "table": follows,
                "title": "Dự báo dân số Việt Nam",
                "publisher": "Tổng cục Thống kê",
                "year": "2020",
                "terms": "ghi nguồn",
            }
        ],
        "licence": "CC-BY-4.0",
    }


@dataclass
class Run:
    """A run folder in the making: change what a test is about, then render."""

    home: Path
    cells: list = field(default_factory=showcase_cells)
    submission: dict = field(default_factory=dict)
    record: dict = field(default_factory=dict)
    described: dict = field(default_factory=dict)

    def __post_init__(self):
        self.path = self.home / "runs" / RUN
        self.settings = Settings(home=self.home)
        self.replica = self.settings.replicas / "population" / VERSION / "manifest.json"
        self.replica.parent.mkdir(parents=True)
        self.replica.write_text(json.dumps(manifest()), encoding="utf-8")
        self.submission = self._submission() | self.submission
        self.record = self._record() | self.record
        self.described = {
            "title": {"vi": "Thị trường ở đâu?", "en": "Where is the market?"},
            "limits": {"vi": "Không nói gì về thu nhập.", "en": "It says nothing of income."},
            "reads": {"population.persons": ["age", "sex", "residence"]},
        } | self.described

    def inputs(self):
        return [
            {
                "dataset": "population",
                "version": VERSION,
                "recipe": RECIPE,
                "manifest_sha256": hashlib.sha256(self.replica.read_bytes()).hexdigest(),
                "as_of": "2024-12-31",
                "tables": [
                    {
                        "name": "persons",
                        "rows": 1013000,
                        "content_hash": "ab" * 32,
                        "columns": ["age", "sex", "residence"],
                    }
                ],
            }
        ]

    def _submission(self):
        return {
            "id": RUN,
            "notebook_name": "market_sizing.ipynb",
            "notebook_sha256": "cd" * 32,
            "template": {"name": "market_sizing", "unchanged": True},
            "title": {"vi": "Thị trường ở đâu?", "en": "Where is the market?"},
            "question": {"vi": "Họ sống ở đâu?", "en": "Where do they live?"},
            "parameters": [
                {
                    "name": "nhom_tuoi",
                    "type": "str",
                    "default": "25-34",
                    "value": "25-34",
                    "comment": "nhóm tuổi",
                },
                {
                    "name": "so_tinh",
                    "type": "int",
                    "default": 10,
                    "value": 8,
                    "comment": "số tỉnh",
                },
            ],
            "inputs": self.inputs(),
            "author": "Nguyễn Thị Ánh",
            "team": "Nhóm Sông Hàn",
            "why": "mở cửa hàng thứ hai",
            "submitted_at": "2026-11-22T12:05:12+00:00",
        }

    def _record(self):
        return {
            "format": 1,
            "run": RUN,
            "execution": "first",
            "status": "succeeded",
            "reason": {"kind": "completed", "message": "", "cell": None},
            "started_at": "2026-11-22T12:05:13+00:00",
            "seconds": 3.42,
            "cells": [
                {"index": index, "id": cell.id, "state": "succeeded", "seconds": 0.5}
                for index, cell in enumerate(self.cells)
                if cell.cell_type == "code"
            ],
            "inputs": self.inputs(),
            "environment": {
                "python": "3.11.7",
                "platform": "Linux",
                "packages": {"duckdb": "2.0.0"},
                "lock_sha256": "ef" * 32,
            },
            "limits": {"wall_s": 900, "memory_bytes": 4 << 30, "processes": 64},
            "isolation": {
                "mechanism": "bubblewrap",
                "version": "0.8.0",
                "as_root": False,
                "policy": {
                    "network": False,
                    "system_calls": "filtered",
                    "writable": ["/sandbox/work", "/tmp"],
                    "readable": ["system", "interpreter", "packages", "/sandbox/data"],
                },
                "note": None,
            },
            "usage": {"peak_memory_bytes": 412 << 20},
            "results": [
                {"name": "Tỉnh đứng đầu", "value": "Hà Nội", "unit": None, "n": None, "cell": 6},
                {
                    "name": {"vi": "Số người", "en": "Persons"},
                    "value": 783200,
                    "unit": {"vi": "người", "en": "persons"},
                    "n": 7832,
                    "cell": 6,
                },
                {"name": "Tỷ lệ", "value": 12.7125, "unit": "%", "n": None, "cell": 6},
            ],
            "conclusions": [
                {"statement": "Hà Nội đứng đầu", "holds": True, "cell": 6},
                {
                    "statement": {"vi": "Đà Nẵng đứng đầu", "en": "Da Nang leads"},
                    "holds": False,
                    "cell": 6,
                },
            ],
            "runner": {"kind": "author", "host_os": "Linux"},
        }

    def write(self):
        """Write the folder."""
        first = self.path / "executions" / "first"
        first.mkdir(parents=True)
        (self.path / "submission").mkdir()
        notebook = new_notebook(cells=self.cells, metadata={"sandbox": self.described})
        for path in (first / "executed.ipynb", self.path / "submission" / "notebook.ipynb"):
            path.write_text(nbformat.writes(notebook), encoding="utf-8")
        for path, value in (
            (self.path / "submission" / "submission.json", self.submission),
            (first / "record.json", self.record),
            (self.path / "run.json", {"id": RUN, "status": self.record["status"], "history": []}),
        ):
            path.write_text(json.dumps(value), encoding="utf-8")
        return self

    def page(self):
        """Write the folder if it is not there yet, render it and give the page."""
        if not self.path.exists():
            self.write()
        return render(self.path, settings=self.settings).read_text(encoding="utf-8")
