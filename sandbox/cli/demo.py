"""`sandbox demo`: from published statistics to an executed, isolated, readable report."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import click

from sandbox import evidence, runs, worker
from sandbox.cli import asking, evident
from sandbox.cli.claimed import claimed
from sandbox.cli.run import cell_line, exit_code
from sandbox.kernels import bytecode
from sandbox.lab.wording import number
from sandbox.language import _, language
from sandbox.retold import retold
from sandbox.runs import endings, states
from sandbox.settings import Settings
from synthetic.build import Order, build, make_recipe
from synthetic.tables.manifest import Manifest

TEMPLATE = "market_sizing"
DATASETS = ("population", "enterprise")
SCALE, SEED = "0.01", 1  # the default replica: about one million persons


class _Steps:
    """Steps with the seconds since the start, on stderr."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def __call__(self, text: str) -> None:
        seconds = number(self.seconds, places=1, language=language())
        click.echo(f"[{seconds:>5} s] {retold(text)}", err=True)

    def cell(self, position: int, n_cells: int, state: str) -> None:
        """Tell a cell that has ended."""
        if state != "running":
            self(cell_line(position, n_cells, state))


@click.command("demo")
@asking.options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(wants_evidence: bool | None, draws: int | None, as_json: bool) -> None:
    """Build the default replicas, run the showcase template isolated, and write its report.

    Exit code 0 only if the run succeeded. The replicas are kept: a second call only runs.
    """
    settings = Settings.from_environ(os.environ)
    asked = asking.asked(settings, wants_evidence, draws)
    step = _Steps()
    warming = bytecode.warm(settings.home)  # on the other core, while the replicas are built
    recipe = make_recipe(SCALE, None, SEED, "exact")
    replicas = build(Order(datasets=DATASETS, recipe=recipe, out=settings.replicas), step)
    run_id = runs.submit(
        settings,
        TEMPLATE,
        recipe=replicas[0].recipe,
        why="sandbox demo",
        asked=asked,
    )
    step(_("submitted {template} as {run}").format(template=TEMPLATE, run=run_id))
    warming.wait()
    outcome = worker.outcome(settings, run_id, on_cell=step.cell)
    facts = runs.show(settings, run_id) | {"replicas": [_replica(m) for m in replicas]}
    note = (facts["isolation"] or {}).get("note")
    if note:
        step(note)
    status = states.title(states.Status(facts["status"]))
    step(_("{status}; report: {report}").format(status=status, report=facts["report"]))
    facts["demo_seconds"] = round(step.seconds, 2)  # until there is something to read
    if asked is not None:
        evidence.complete(settings, run_id)
        facts |= {"evidence": runs.show(settings, run_id)["evidence"]}
        for line in evident.verdicts(facts["evidence"]):
            step(line)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        _print(facts)
    sys.exit(exit_code(outcome, facts))


def _replica(manifest: Manifest) -> dict[str, Any]:
    return {
        "dataset": manifest.dataset,
        "version": manifest.version,
        "rows": {table["name"]: table["rows"] for table in manifest.tables},
    }


def _print(facts: dict[str, Any]) -> None:
    for replica in facts["replicas"]:
        rows = "; ".join(
            f"{name} {number(n, language=language())}" for name, n in replica["rows"].items()
        )
        click.echo(_("{dataset} (rows): {rows}").format(dataset=replica["dataset"], rows=rows))
    for line in claimed(facts):
        click.echo(line)
    if facts["status"] != "succeeded":
        status = states.title(states.Status(facts["status"]))
        why = endings.told(facts["reason"]) if facts["reason"] else _("unknown")
        click.echo(f"{status}: {why}")
    click.echo(_("report: {report}").format(report=facts["report"]))
