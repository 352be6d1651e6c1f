"""`sandbox log`: what was done on this machine, whether that account is whole, and who signed it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from sandbox import journal
from sandbox.journal import keys
from sandbox.language import _, ngettext
from sandbox.runs import logged
from sandbox.settings import Settings

MOST = 20  # findings that are told; a log of another key has one for each line


@click.group("log")
def log() -> None:
    """The log of all runs: is it whole, and which key signs it."""


@log.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(as_json: bool) -> None:
    """Check that no line of the log was edited, removed, moved or cut off, and that runs agree.

    Exit code 1 if anything is wrong. What was put back whole from an earlier day does not show
    here; packages that were given away before then still tell of it.
    """
    settings = Settings.from_environ(os.environ)
    checked = journal.check(settings.home)
    found: list[tuple[str, str, bool]] = [
        (_place(one.line), str(one.message), one.is_fault) for one in checked.findings
    ]
    found += [
        (_("run {run}").format(run=one.run), str(one.message), one.is_fault)
        for one in logged.disagreements(settings, checked)
    ]
    faults = [one for one in found if one[2]]
    if as_json:
        click.echo(json.dumps(_facts(checked, found), ensure_ascii=False, indent=1))
    else:
        _print(len(checked.lines), found, len(faults))
    sys.exit(1 if faults else 0)


@log.command("key")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def key(as_json: bool) -> None:
    """Show the public key that signs this machine's log and packages, and its fingerprint.

    Give it to those who check your packages, by a way that they trust.
    """
    found = keys.signer(Settings.from_environ(os.environ).home).verifier
    told = {"fingerprint": found.fingerprint, "public_key": found.pem.decode()}
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    click.echo(found.pem.decode(), nl=False)
    click.echo(_("fingerprint: {value}").format(value=keys.spaced(found.fingerprint)), err=True)


def _place(line: int | None) -> str:
    return _("the log") if line is None else _("line {n}").format(n=line)


def _facts(checked: journal.Checked, found: Sequence[tuple[str, str, bool]]) -> dict[str, Any]:
    told = [{"where": where, "what": what, "fault": fault} for where, what, fault in found]
    last = checked.lines[-1].facts if checked.lines else {}
    return {
        "whole": not any(one["fault"] for one in told),
        "lines": len(checked.lines),
        "last": {"seq": last.get("seq"), "hash": last.get("hash"), "at": last.get("at")},
        "findings": told,
    }


def _print(n_lines: int, found: Sequence[tuple[str, str, bool]], n_faults: int) -> None:
    for where, what, is_fault in found[:MOST]:
        line = f"{where}: {what}"
        click.echo(line if is_fault else _("Note: {note}").format(note=line), err=not is_fault)
    if len(found) > MOST:
        click.echo(_("… and {n} more; --json has them all").format(n=len(found) - MOST), err=True)
    words = ngettext("{n} line of the log is right", "{n} lines of the log are right", n_lines)
    click.echo(words.format(n=n_lines), err=bool(n_faults))
    if n_faults:
        words = ngettext("{n} thing is wrong", "{n} things are wrong", n_faults)
        click.echo(words.format(n=n_faults), err=True)
