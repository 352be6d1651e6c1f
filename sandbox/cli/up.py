"""`sandbox up` and `sandbox workspace`: the doors that most people come through."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from sandbox.language import LANGUAGES, _, choose, use
from sandbox.settings import Settings
from sandbox.up import Wishes, conduct

Command = Callable[..., None]


def doors(command: Command) -> Command:
    """Add the options that both doors have."""
    for option in reversed(
        (
            click.option(
                "--lang", type=click.Choice(LANGUAGES), help="Language; else the locale's."
            ),
            click.option("--no-browser", is_flag=True, help="Print the addresses only."),
            click.option(
                "--work",
                type=click.Path(path_type=Path, file_okay=False),
                help="Folder of your notebooks; ~/sandbox-work if none is named.",
            ),
            click.option(
                "--port",
                type=click.IntRange(1, 65535),
                help="Port of the workspace; else a free one.",
            ),
            click.option(
                "--pages-port",
                type=click.IntRange(1, 65535),
                help="Port of the report pages; else a free one.",
            ),
            click.option(
                "--json", "as_json", is_flag=True, help="Print one JSON object when ready."
            ),
        )
    ):
        command = option(command)
    return command


@click.command("up")
@doors
def up(**options: object) -> None:
    """Open the workspace and the report pages, and keep them open until Ctrl-C.

    The first time, the default replicas are built and the showcase is run, as `sandbox demo` does.
    """
    _run(showcase=True, **options)  # type: ignore[arg-type]  # click has checked them


@click.command("workspace")
@doors
def workspace(**options: object) -> None:
    """Open the workspace without building or running anything first."""
    _run(showcase=False, **options)  # type: ignore[arg-type]  # click has checked them


def _run(
    *,
    showcase: bool,
    lang: str | None,
    no_browser: bool,
    work: Path | None,
    port: int | None,
    pages_port: int | None,
    as_json: bool,
) -> None:
    if lang is not None:
        use(choose(lang, os.environ))
    began = time.monotonic()
    wishes = Wishes(
        work=work,
        workspace_port=port,
        pages_port=pages_port,
        open_browser=not no_browser,
        showcase=showcase,
    )
    conduct(
        Settings.from_environ(os.environ),
        wishes,
        tell=lambda text: click.echo(text, err=True),
        ready=lambda facts: _print(facts, as_json, time.monotonic() - began),
    )


def _print(facts: Mapping[str, str], as_json: bool, seconds: float) -> None:
    if as_json:
        click.echo(json.dumps({**facts, "seconds": round(seconds, 2)}))
        return
    rows = {_("Workspace"): facts["workspace"], _("Reports and data"): facts["pages"]}
    width = max(map(len, rows))
    for title, address in rows.items():
        click.echo(f"{title:<{width}}  {address}")
    click.echo(_("Ctrl-C stops both. Whoever has an address can use it: keep them."), err=True)
