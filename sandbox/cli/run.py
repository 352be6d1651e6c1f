"""`sandbox run`: submit notebooks, follow their runs, cancel them."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from sandbox import runs
from sandbox.cli import INTERRUPTED
from sandbox.cli.claimed import claimed
from sandbox.errors import ParameterError
from sandbox.lab.wording import number
from sandbox.language import _, language
from sandbox.retold import retold
from sandbox.runs import endings, states
from sandbox.settings import Settings


@click.group("run")
def run() -> None:
    """Submit notebooks, follow their runs, cancel them."""


@run.command("submit")
@click.argument("notebook", type=click.Path())
@click.option(
    "-p",
    "--parameter",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for a parameter that the notebook declares; may be given again.",
)
@click.option("--scale", metavar="F", help="Read replicas of this share of the country's persons.")
@click.option("--area", metavar="CODE", help="Read replicas of this province alone, as in 48.")
@click.option("--seed", type=int, metavar="N", help="Read replicas of this draw.")
@click.option("--team", help="The team that submits.")
@click.option("--why", help="What the submission is for, in a sentence.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit code 0 only on success.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def submit(
    notebook: str,
    given: tuple[str, ...],
    scale: str | None,
    area: str | None,
    seed: int | None,
    team: str | None,
    why: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Freeze NOTEBOOK, a file or the name of a template, and execute it isolated.

    It reads replicas that were built together and hold what it declares: those of the whole
    country before those of one province, then the newest. --scale, --area and --seed choose
    others; `sandbox data list` shows what is built.
    """
    settings = Settings.from_environ(os.environ)
    asked = {"scale": scale, "area": area, "seed": seed}
    recipe = {name: value for name, value in asked.items() if value is not None}
    try:
        run_id = runs.submit(
            settings, Path(notebook), pairs(given), team=team, why=why, recipe=recipe or None
        )
    except ParameterError as error:
        raise _with_option(error) from error
    for note in runs.show(settings, run_id)["notes"]:
        click.echo(_("Note: {note}").format(note=note), err=True)
    if not wait:
        runs.start(settings, run_id)
        _print(runs.show(settings, run_id), as_json)
        return
    outcome = runs.execute(settings, run_id, on_cell=_progress)
    facts = runs.show(settings, run_id)
    if note := (facts["isolation"] or {}).get("note"):
        click.echo(_("Note: {note}").format(note=retold(note)), err=True)
    _print(facts, as_json)
    sys.exit(exit_code(outcome))


@run.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List the runs of this machine, the newest first."""
    found = runs.listed(Settings.from_environ(os.environ))
    if as_json:
        click.echo(json.dumps({"runs": found}, ensure_ascii=False, indent=1))
        return
    titles = [states.title(states.Status(one["status"])) for one in found]
    width = max(map(len, titles), default=0)
    for one, title in zip(found, titles, strict=True):
        click.echo(f"{one['id']}  {title:<{width}}  {one['notebook']}  {one['team'] or ''}")
    if not found:
        words = _("no runs yet; begin with: {command}")
        click.echo(words.format(command="sandbox run submit NOTEBOOK --wait"), err=True)


@run.command("show")
@click.argument("run_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(run_id: str, as_json: bool) -> None:
    """Show what a run read, used and wrote, and how it ended."""
    _print(runs.show(Settings.from_environ(os.environ), run_id), as_json)


@run.command("cancel")
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """End a run that is queued or running."""
    status = runs.cancel(Settings.from_environ(os.environ), run_id)
    click.echo(f"{run_id}  {states.title(status)}")


def exit_code(outcome: runs.Outcome) -> int:
    """Give 0 for success, 130 after Ctrl-C as shells have it, else 1."""
    if outcome.interrupted:
        return INTERRUPTED
    return 0 if outcome.succeeded else 1


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Part NAME=VALUE; each name once."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise ParameterError(
                _("{given!r} is not NAME=VALUE, as in -p min_age=60").format(given=one)
            )
        if name in found:
            raise ParameterError(
                _("parameter {name!r} is given twice").format(name=name), parameter=name
            )
        found[name] = value
    return found


def _with_option(error: ParameterError) -> ParameterError:
    """Add how a value that fits is given on the command line."""
    if error.parameter is None or error.example is None:
        return error
    option = f"-p {error.parameter}={shlex.quote(error.example)}"
    return ParameterError(
        _("{message}; on the command line: {option}").format(message=error, option=option),
        parameter=error.parameter,
        example=error.example,
    )


def _progress(position: int, n_cells: int, state: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{cell_line(position, n_cells, state):<40}", nl=False, err=True)
        if position == n_cells and state != "running":
            click.echo(err=True)


def cell_line(position: int, n_cells: int, state: str) -> str:
    """Write what became of a cell."""
    return _("cell {n} of {n_cells}: {state}").format(
        n=position, n_cells=n_cells, state=states.cell_title(states.CellState(state))
    )


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    seconds = facts["seconds"]
    click.echo(f"{facts['id']}  {states.title(states.Status(facts['status']))}")
    lines = {
        _("reason"): endings.told(facts["reason"]) if facts["reason"] else None,
        _("note"): "; ".join(facts["notes"]) or None,
        _("seconds"): None if seconds is None else number(seconds, language=language()),
        _("report"): facts["report"],
        _("record"): facts["record"],
        _("notebook"): facts["executed_notebook"],
        _("log"): facts["log"],
    }
    width = max(map(len, lines)) + 1
    for name, value in lines.items():
        if value is not None:
            click.echo(f"  {name:<{width}}{value}")
    for line in claimed(facts):
        click.echo(f"  {line}")
