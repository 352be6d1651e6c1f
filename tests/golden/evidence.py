"""Evidence by hand, as `evidence.json` has it, of the run in `tests.golden.runs`."""

from __future__ import annotations

AT = "2026-11-22T12:09:00.000+00:00"
DONE = {"kind": "completed", "message": "every cell ran to its end", "cell": None}
PERSONS = {"vi": "Số người", "en": "Persons"}
LEADS = {"vi": "Đà Nẵng đứng đầu", "en": "Da Nang leads"}


def part(verdict, **told):
    return {"verdict": verdict, "reason": None, "at": AT, **told}


def reproduced(verdict="identical", **told):
    cell = {"index": 4, "verdict": "identical", "claims": "identical", "cause": None}
    around = {"host": "sandbox", "threads": 1, "started_at": "2026-11-22T12:05:13.000+00:00"}
    return part(verdict, claims="identical", cells=[{**cell, "differences": []}]) | {
        "tolerance": {"relative": 1e-10, "absolute": 1e-12, "colour_levels_of_255": 2},
        "settings": {"first": around, "repeat": {**around, "host": "host-1", "threads": 2}},
        **told,
    }


def conclusion(statement, submitted, draws):
    held = {"holds": draws.count(True), "of": len(draws), "draws": draws}
    return {"statement": statement, "cell": 6, "submitted": submitted, **held}


def result(name, submitted, values, unit=None, **spread):
    empty = dict.fromkeys(("low", "high", "mean", "sd", "interval", "equal"))
    told = {"name": name, "unit": unit, "cell": 6, "submitted": submitted, "values": values}
    return {**told, **empty, **spread}


def redrawn(verdict="holds", *, leads=(True,) * 5, other=(False,) * 5, **told):
    return part(verdict, draws=5) | {
        "executions": [
            {"name": f"draw-{n}", "status": "succeeded", "reason": None} for n in range(1, 6)
        ],
        "results": [
            result("Tỉnh đứng đầu", "Hà Nội", ["Hà Nội"] * 5, equal=5),
            result(
                PERSONS,
                783200,
                [781100, 784900, 782300, 785600, 780200],
                {"vi": "người", "en": "persons"},
                low=780200.0,
                high=785600.0,
                mean=782820.0,
                sd=2317.76,
                interval=[775770.7, 789869.3],
            ),
            result(
                "Tỷ lệ",
                12.7125,
                [12.61, 12.702, 12.55, 12.688, 12.59],
                "%",
                low=12.55,
                high=12.702,
                mean=12.628,
                sd=0.0651,
                interval=[12.43, 12.826],
            ),
        ],
        "conclusions": [
            conclusion("Hà Nội đứng đầu", True, list(leads)),
            conclusion(LEADS, False, list(other)),
        ],
        **told,
    }


def null(verdict="depends", *, on_null=False, **told):
    return part(verdict) | {
        "conclusions": [
            {"statement": "Hà Nội đứng đầu", "cell": 6, "submitted": True, "on_null": on_null},
            {"statement": LEADS, "cell": 6, "submitted": False, "on_null": True},
        ],
        **told,
    }


def column(name, status="calibrated", figure=0.0113, of=(), **told):
    facts = {"table": "population.persons", "column": name, "status": status, "figure": figure}
    return {**facts, "against": None, "of": list(of), "is_key": False, "on_assumed": False, **told}


READ = [column("age"), column("sex", figure=0.0)]
COULD_READ = [*READ, column("residence", "derived", None, ["population.households.residence"])]


def fidelity(verdict="measured", **told):
    return part(verdict) | {"could_read": COULD_READ, "read": READ, "warnings": [], **told}


def cell(kind, before, after, *diff):
    lines = {"type": "code", "diff": list(diff), "cut": False}
    return {"against": "template", "kind": kind, "before": before, "after": after, **lines}


def changed(verdict="unchanged", *cells, **told):
    template = {"name": "market_sizing", "same": verdict == "unchanged", "declared": []}
    return part(verdict) | {"template": template, "previous": None, "cells": list(cells), **told}


def whole(**parts):
    """Give the whole of a run's evidence, with parts of it exchanged."""
    return {
        "format": 2,
        "asked": {"reproduced": True, "null": True, "draws": 5},
        "reproduced": reproduced(),
        "redrawn": redrawn(),
        "null": null(),
        "fidelity": fidelity(),
        "changed": changed(),
        **parts,
    }


def mixed():
    """Give evidence in which most things are not as one would like them."""
    diff = ("@@ -1,2 +1,2 @@", "-ve(bang)", "+ve(bang, mau='đỏ')", " bang")
    warned = {"result": PERSONS, "cell": 6, "n": 12}
    previous = {"run": "20261121-080000-aaaaaa", "same": False, "declared": ["reads"]}
    return whole(
        redrawn=redrawn("flips", leads=(True, True, False, True, None)),
        null=null("does not depend", on_null=True),
        fidelity=fidelity(
            "partly assumed",
            read=[*READ, column("phone", "assumed", None)],
            warnings=[
                {"kind": "few rows", **warned},
                {"kind": "only assumed columns", **warned, "columns": []},
            ],
        ),
        changed=changed(
            "changed", cell("changed", 5, 5, *diff), cell("added", None, 6), previous=previous
        ),
    )
