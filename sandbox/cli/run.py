"""`sandbox run`: submit notebooks, follow their runs, cancel them."""

from __future__ import annotations

import json
import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from sandbox import runs
from sandbox.cli import INTERRUPTED, asking, evident
from sandbox.cli.claimed import claimed
from sandbox.cli.export import export, verify
from sandbox.errors import ParameterError
from sandbox.lab.wording import number
from sandbox.language import LANGUAGES, _, either, language, use
from sandbox.retold import retold
from sandbox.runs import contents, endings, evidenced, states, supervisor
from sandbox.runs import notebook as notebooks
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
@click.option(
    "--attach",
    "attached",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="A CSV, Parquet or Excel file that goes with it; may be given again.",
)
@click.option("--team", help="The team that submits.")
@click.option("--why", help="What the submission is for, in a sentence.")
@click.option(
    "--trial/--no-trial",
    default=None,
    help="Try it on a small replica first; by default where that saves time, unless "
    "SANDBOX_TRIAL=off.",
)
@click.option("--wait", is_flag=True, help="Wait for the end; exit code 0 only on success.")
@asking.options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def submit(
    notebook: str,
    given: tuple[str, ...],
    scale: str | None,
    area: str | None,
    seed: int | None,
    attached: tuple[str, ...],
    team: str | None,
    why: str | None,
    trial: bool | None,
    wait: bool,
    wants_evidence: bool | None,
    draws: int | None,
    as_json: bool,
) -> None:
    """Freeze NOTEBOOK, a file or the name of a template, and execute it isolated.

    It reads replicas that were built together and hold what it declares: those of the whole
    country before those of one province, then the newest. --scale, --area and --seed choose
    others; `sandbox data list` shows what is built. A file beside the notebook that a cell reads
    with lab.attachment("name.csv") travels with it, as does one that is given with --attach.

    The report is there after the first execution. Others then show which cells give the same again
    elsewhere, and which conclusions hold on fresh draws; the exit code is that of the first.
    """
    from sandbox import preflight  # with DuckDB and Arrow, which other commands do not wait for

    settings = Settings.from_environ(os.environ)
    wanted = asking.asked(settings, wants_evidence, draws)
    parts = {"scale": scale, "area": area, "seed": seed}
    recipe = {name: value for name, value in parts.items() if value is not None}
    try:
        run_id = runs.submit(
            settings,
            Path(notebook),
            pairs(given),
            team=team,
            why=why,
            recipe=recipe or None,
            attached=preflight.gather(notebook, notebooks.find(notebook), attached),
            check=partial(
                preflight.passed,
                beside=preflight.beside(notebook),
                settings=settings,
                trial=trial,
            ),
            asked=wanted,
        )
    except ParameterError as error:
        raise _with_option(error) from error
    for note in runs.show(settings, run_id)["notes"]:
        click.echo(_("Note: {note}").format(note=note), err=True)
    if not wait:
        runs.start(settings, run_id)
        _print(runs.show(settings, run_id), as_json)
        return
    from sandbox import worker  # what speaks to kernels takes a moment to import
    from sandbox.cli import following

    line = following.Line(elsewhere=False)
    outcome = worker.outcome(settings, run_id, on_cell=_progress, tell=line.tell)
    line.end()
    facts = runs.show(settings, run_id)
    if note := (facts["isolation"] or {}).get("note"):
        click.echo(_("Note: {note}").format(note=retold(note)), err=True)
    if wanted is not None:
        facts = _evidenced(settings, facts, as_json)
    _print(facts, as_json)
    sys.exit(exit_code(outcome, facts))


def _evidenced(settings: Settings, facts: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Tell where the first report is, wait for the evidence, and give everything known then."""
    if not as_json and facts["report"]:
        click.echo(_("report: {report}").format(report=facts["report"]), err=True)
    from sandbox import evidence

    evidence.complete(settings, facts["id"])
    return runs.show(settings, facts["id"])


@run.command("check")
@click.argument("notebook", type=click.Path())
@click.option(
    "--attach",
    "attached",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="A CSV, Parquet or Excel file that goes with it; may be given again.",
)
@click.option("--trial", is_flag=True, help="Try it on a small replica too, in an isolated kernel.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in both languages.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is printed.")
def check(
    notebook: str, attached: tuple[str, ...], trial: bool, as_json: bool, lang: str | None
) -> None:
    """Check NOTEBOOK, a file or the name of a template, as a submission does; nothing of it runs.

    Errors stop a submission, warnings travel with it. Exit code 1 if there is an error.
    """
    from sandbox import preflight

    use(lang or language())
    file = notebooks.find(notebook)
    seen = preflight.inspect(
        Settings.from_environ(os.environ),
        file,
        beside=preflight.beside(notebook),
        given=preflight.gather(notebook, file, attached),
        trial=trial,
    )
    if as_json:
        told = {
            "notebook": notebook,
            "errors": seen.n_errors,
            "warnings": len(seen.findings) - seen.n_errors,
            "findings": [one.to_record() for one in seen.findings],
            "attachments": seen.attachments,
            "trial": seen.trial.to_record(),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for one in seen.findings:
            click.echo(one.to_text())
        for travels in seen.attachments:
            click.echo(_("attached: {file}").format(file=contents.told(travels)))
        if trial:
            click.echo(preflight.trial_told(seen.trial.to_record()), err=True)
        words = _("{errors} errors, {warnings} warnings")
        n_warnings = len(seen.findings) - seen.n_errors
        click.echo(words.format(errors=seen.n_errors, warnings=n_warnings), err=True)
    sys.exit(1 if seen.n_errors else 0)


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
@click.option(
    "--follow",
    "is_followed",
    is_flag=True,
    help="Until its first execution has ended, tell its place in the queue, then its cells.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(run_id: str, is_followed: bool, as_json: bool) -> None:
    """Show what a run read, used and wrote, and how it ended."""
    settings = Settings.from_environ(os.environ)
    if is_followed:
        from sandbox.cli import following

        following.follow(settings, run_id)
    _print(runs.show(settings, run_id), as_json)


@run.command("cancel")
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """End a run that is queued or running."""
    status = runs.cancel(Settings.from_environ(os.environ), run_id)
    click.echo(f"{run_id}  {states.title(status)}")


run.add_command(export)
run.add_command(verify)


def exit_code(outcome: runs.Outcome, facts: dict[str, Any]) -> int:
    """Give 0 for success, 130 after Ctrl-C as shells have it, else 1; evidence changes nothing."""
    ended = [(facts["evidence"][part]["reason"] or {}).get("message") for part in evidenced.PARTS]
    if outcome.interrupted or supervisor.BY_HAND in ended:
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
    seconds, (trial, warnings) = facts["seconds"], _preflight(facts)
    click.echo(f"{facts['id']}  {states.title(states.Status(facts['status']))}")
    lines = {
        _("reason"): endings.told(facts["reason"]) if facts["reason"] else None,
        _("note"): "; ".join(facts["notes"]) or None,
        _("trial"): trial,
        _("evidence"): "\n".join(evident.verdicts(facts["evidence"])),
        _("seconds"): None if seconds is None else number(seconds, language=language()),
        _("report"): facts["report"],
        _("record"): facts["record"],
        _("notebook"): facts["executed_notebook"],
        _("log"): facts["log"],
    }
    width = max(map(len, lines)) + 1
    for name, value in lines.items():
        for line in (value or "").splitlines():
            click.echo(f"  {name:<{width}}{line}")
            name = ""
    told = facts["evidence"]
    for line in (*claimed(facts), *evident.differences(told), *evident.marks(told)):
        click.echo(f"  {line}")
    for travels in facts["attachments"]:
        click.echo("  " + _("attached: {file}").format(file=contents.told(travels)))
    for warning in warnings:
        click.echo(f"  {warning}")


def _preflight(facts: dict[str, Any]) -> tuple[str | None, list[str]]:
    """Write what was found before the run: of the trial, and the warnings."""
    if not facts["trial"] and not facts["findings"]:
        return None, []
    from sandbox import preflight

    warnings = [
        _("warning, {place}: {why}").format(
            place=preflight.place(one["cell"], one["line"]), why=either(one["why"])
        )
        for one in facts["findings"]
    ]
    return preflight.trial_told(facts["trial"]) or None, warnings
