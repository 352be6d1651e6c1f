"""A run that has ended without a kernel: the real submission, states, log and report around a record
that is written by hand."""

from __future__ import annotations

import json

import nbformat

from sandbox import runs
from sandbox.runs import record as records
from sandbox.runs import report
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from synthetic.tables.files import write_json


def ended(settings, notebook, *, printed="xin chào\n", error=None, **options):
    """Submit a notebook and take it to its end; its one cell printed this."""
    run_id = runs.submit(settings, notebook, **options)
    folder = RunFolder.find(settings, run_id)
    folder.move(Status.RUNNING, by="supervisor 17")
    folder.first.make()
    executed = nbformat.from_dict(json.loads(folder.notebook.read_bytes()))
    executed.cells[-1].outputs = [nbformat.v4.new_output("stream", text=printed)]
    folder.executed.write_text(nbformat.writes(executed), encoding="utf-8")
    status = Status.SUCCEEDED if error is None else Status.FAILED
    reason = {"kind": "completed", "message": "every cell ran to its end", "cell": None}
    if error is not None:
        reason = {"kind": "cell error", "message": error, "cell": 0}
    write_json(folder.record_file, _record(folder, status, reason))
    report.render(folder.path, settings=settings)
    folder.move(status, by="supervisor 17")
    return folder


def _record(folder, status, reason):
    submission = folder.submission()
    return {
        "format": records.FORMAT,
        "run": folder.id,
        "execution": "first",
        "status": str(status),
        "reason": reason,
        "started_at": "2026-11-23T08:00:00.000+00:00",
        "ended_at": "2026-11-23T08:00:01.000+00:00",
        "seconds": 1.0,
        "cells": [{"index": 0, "id": "c0", "state": "succeeded", "seconds": 0.5}],
        "parameters": submission["parameters"],
        "inputs": submission["inputs"],
        "environment": records.environment(),
        "limits": submission["limits"],
        "isolation": {"mechanism": "bubblewrap", "version": "0", "policy": {}, "note": None},
        "surroundings": {},
        "usage": {},
        "results": [],
        "conclusions": [],
        "runner": records.runner(),
    }
