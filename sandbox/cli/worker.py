"""`sandbox worker`: processes that execute the runs which wait."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import click

from sandbox import worker as workers
from sandbox.lab.wording import number
from sandbox.language import _, language
from sandbox.settings import Settings


@click.group("worker")
def worker() -> None:
    """Execute the runs that wait, several at a time."""


@worker.command("start")
@click.option(
    "--workers",
    "n_slots",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Runs executed at the same time; by default one for each processor.",
)
@click.option("--until-idle", is_flag=True, help="End when nothing waits and nothing runs.")
def start(n_slots: int | None, until_idle: bool) -> None:
    """Execute what waits, and what is submitted from now on, until Ctrl-C.

    First executions of everybody come before evidence, and a team that had little before one that
    had much. What is being executed at the end is queued again.
    """
    from sandbox.worker.conduct import Worker, usual_slots

    settings = Settings.from_environ(os.environ)
    wanted = n_slots or usual_slots()
    told = _("{n} at a time; Ctrl-C stops it, and what runs then is queued again")
    Worker(settings=settings, n_slots=wanted, until_idle=until_idle).run(
        ready=lambda: click.echo(told.format(n=wanted), err=True)
    )


@worker.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Show who works on what, and what waits, with its position and expected wait in seconds."""
    found = workers.status(Settings.from_environ(os.environ))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for one in found["workers"]:
        click.echo(_("worker {pid}, since {at}").format(pid=one["pid"], at=one["started_at"]))
        for slot in one["slots"]:
            click.echo(f"  {_slot(slot)}")
    for slot in found["others"]:
        click.echo(_slot(slot))
    if not found["workers"]:
        words = _("no worker is running; start one with: {command}")
        click.echo(words.format(command="sandbox worker start"), err=True)
    for one in found["waiting"]:
        click.echo(f"{one['position']:>3}  {one['run']}  {_wait(one)}  {one['team']}")
    if n_steps := len(found["evidence"]):
        click.echo(_("{n} runs wait for a part of their evidence").format(n=n_steps))


def _slot(slot: Mapping[str, Any]) -> str:
    if slot["run"] is None:
        return _("process {pid}: waits").format(pid=slot["pid"])
    return _("process {pid}: {run} ({work})").format(**slot)


def _wait(waiting: Mapping[str, Any]) -> str:
    if waiting["wait_s"] is None:
        return "?"
    return _("{seconds} s").format(seconds=number(waiting["wait_s"], language=language()))
