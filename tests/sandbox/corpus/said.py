"""What is to be said of a labelled notebook, and what was said of its run, in the same words."""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path

from sandbox.lab.claims import shown

COMPARED = {"identical": "identical", "equal": "equal within tolerance", "differs": "differs"}
WORST = list(COMPARED.values())  # the worst is the last
PAPERMILL = {"succeeded": "completed", "failed": "failed", "interrupted": "failed"}
SAME, OTHER = "the same on every draw", "not on every draw the same"
PARTS = ("reproduced", "null", "redrawn", "fidelity", "changed")


def difference(label, facts):
    """Give, line by line, where a run is described otherwise than its label says."""
    wanted, found = (
        [f"{what}: {told}" for what, told in one.items()]
        for one in (expected(label), seen(label, facts))
    )
    return list(unified_diff(wanted, found, "label", "run", n=0, lineterm=""))


def expected(label):
    """Give what its label says of a run."""
    marks = {f"c{n}": mark for n, (_, mark) in enumerate(label.cells) if mark}
    if label.ends == "completed":
        states = dict.fromkeys(marks, "succeeded")
        again = {name: _compared(mark) for name, mark in marks.items()}
        parts = {part: getattr(label, part) for part in PARTS}
        verdicts = [said.partition("; ")[0] for said in again.values()]
        parts["reproduced"] = label.reproduced or max(verdicts, key=WORST.index)
    else:
        states, again, parts = marks, {}, dict.fromkeys(PARTS, "not run")
    ended = [name for name, state in states.items() if state in {"failed", "interrupted"}]
    return {
        "status": "succeeded" if label.ends == "completed" else "failed",
        "reason": label.ends,
        "message": label.says,
        "ended in": ended[0] if ended else None,
        **{f"{name} executed": state for name, state in states.items()},
        **{f"{name} saved": PAPERMILL.get(state, "pending") for name, state in states.items()},
        **{f"{name} again": said for name, said in again.items()},
        **{f"result {name!r}": value for name, value in label.results.items()},
        **{f"conclusion {name!r}": told for name, told in label.conclusions.items()},
        **parts,
        "warnings": label.warnings,
        **({} if label.left is None else {"left": label.left}),
    }


def seen(label, facts):
    """Give the same of what is known of its run."""
    marked = {f"c{n}" for n, (_, mark) in enumerate(label.cells) if mark}
    notebook = json.loads(Path(facts["executed_notebook"]).read_text("utf-8"))
    at = {index: cell["id"] for index, cell in enumerate(notebook["cells"])}
    states = {cell["id"]: cell["state"] for cell in facts["cells"] if cell["id"] in marked}
    saved = {one["id"]: _saved(one) for one in notebook["cells"] if one["id"] in states}
    reason, evidence = facts["reason"], facts["evidence"]
    own, compared = {f"c{n}" for n in range(len(label.cells))}, evidence["reproduced"]["cells"]
    return {
        "status": facts["status"],
        "reason": reason["kind"],
        "message": label.says if label.says in reason["message"] else reason["message"],
        "ended in": at.get(reason["cell"]),
        **{f"{name} executed": state for name, state in states.items()},
        **{f"{name} saved": status for name, status in saved.items()},
        **{f"{one['id']} again": _again(one) for one in compared if one["id"] in own},
        **_results(label, facts),
        **_conclusions(facts),
        **{part: verdict(evidence[part]) for part in PARTS},
        "warnings": [one["kind"] for one in evidence["fidelity"]["warnings"]],
        **({} if label.left is None else {"left": _left(facts)}),
    }


def _compared(mark):
    verdict, _, cause = mark.partition(": ")
    return "; ".join(filter(None, (COMPARED[verdict], cause)))


def _again(cell):
    is_told = bool(cell["differences"]) is (cell["verdict"] != "identical")
    return "; ".join(filter(None, (cell["verdict"], cell["cause"], "" if is_told else "not told")))


def verdict(told):
    """Give the verdict of a part, with its reason where an execution did not come to its end."""
    said, kind = told["verdict"], (told.get("reason") or {}).get("kind")
    is_cut = said == "failed" or (said == "differs" and kind != "completed")
    return f"{said}: {kind}" if is_cut else said


def _saved(cell):
    return cell["metadata"]["papermill"]["status"]


def _results(label, facts):
    drawn = facts["evidence"]["redrawn"]["results"]
    told = {}
    for at, one in enumerate(facts["results"]):
        name = shown(one["name"])
        is_any = str(label.results.get(name)).startswith("*")
        told[f"result {name!r}"] = "*" if is_any else one["value"]
        if drawn:
            is_same = all(value == one["value"] for value in drawn[at]["values"])
            told[f"result {name!r}"] = f"{told[f'result {name!r}']}; {SAME if is_same else OTHER}"
    return told


def _conclusions(facts):
    evidence = facts["evidence"]
    drawn, null = evidence["redrawn"]["conclusions"], evidence["null"]["conclusions"]
    told = {}
    for at, one in enumerate(facts["conclusions"]):
        words = [_holds(one["holds"])]
        words += [f"on draws {drawn[at]['holds']} of {drawn[at]['of']}"] if drawn else []
        words += [f"on null {_holds(null[at]['on_null'])}"] if null else []
        told[f"conclusion {shown(one['statement'])!r}"] = "; ".join(words)
    return told


def _holds(value):
    return {True: "holds", False: "does not hold", None: "not said"}[value]


def _left(facts):
    work = Path(facts["record"]).parent / "work"
    return sorted(one.name for one in work.iterdir() if not one.name.startswith("."))
