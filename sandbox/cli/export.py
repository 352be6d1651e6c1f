"""`sandbox run export` and `sandbox run verify`: a run as one signed file, and its check elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli import evident
from sandbox.journal import keys
from sandbox.language import N_, _
from sandbox.retold import retold
from sandbox.runs import endings, states
from sandbox.runs.states import Status
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.exports.again import Rerun
    from sandbox.exports.checking import Verified

TRUST = {
    "own": N_("this installation's own key: what was exported here comes back unchanged"),
    "named": N_("the key that you named"),
    "unknown": N_(
        "a key that is not known here: whole, but by whom? Ask the signer for the fingerprint by a "
        "way that you trust, then give it with --key"
    ),
}
GOOD = {Verdict.IDENTICAL, Verdict.EQUAL}
AGAIN = {
    Verdict.IDENTICAL: N_("executed again here: every cell is identical"),
    Verdict.EQUAL: N_("executed again here: every cell is equal within the tolerance"),
    Verdict.DIFFERS: N_("executed again here: it differs"),
    Verdict.FAILED: N_("executed again here: it did not come to its end, which shows nothing"),
}


@click.command("export")
@click.argument("run_id")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.zip",
    help="The file to write; by default the run's name in the present folder.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(run_id: str, out: Path | None, force: bool, as_json: bool) -> None:
    """Write a run into one signed file: report, notebooks, records, evidence, recipes of its data.

    Others check it with `sandbox run verify`. The same run gives the same file.
    """
    from sandbox import exports  # with all that executes, which other commands do not wait for

    settings = Settings.from_environ(os.environ)
    done = exports.export(settings, run_id, out or Path(f"{run_id}.zip"), force=force)
    for note in done.notes:
        click.echo(_("Note: {note}").format(note=note), err=True)
    if as_json:
        told = {
            "run": done.run,
            "file": str(done.path),
            "bytes": done.size_bytes,
            "files": done.n_files,
            "fingerprint": done.fingerprint,
            "notes": list(done.notes),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    click.echo(str(done.path))
    words = _("{n} files, signed with the key {value}")
    click.echo(words.format(n=done.n_files, value=keys.spaced(done.fingerprint)), err=True)


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key",
    metavar="FILE|FINGERPRINT",
    help="The public key, or its fingerprint, that must have signed; another one is an error.",
)
@click.option(
    "--rerun", "again", is_flag=True, help="Rebuild its replicas, execute it again, and compare."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(file: Path, key: str | None, again: bool, as_json: bool) -> None:
    """Check FILE, a package of a run: is every byte as it was signed, and by whose key?

    Exit code 1 if anything was changed or, with --rerun, if a cell differs.
    """
    from sandbox import exports

    settings = Settings.from_environ(os.environ)
    found = exports.verify(settings, file, key=key)
    done = None
    if again and found.is_whole:
        done = exports.rerun(settings, found, progress=_tell)
    if as_json:
        click.echo(json.dumps(_facts(found, done), ensure_ascii=False, indent=1))
    else:
        _print(found, done)
    is_good = found.is_whole and (done is None or done.verdict in GOOD)
    sys.exit(0 if is_good else 1)


def _tell(line: str) -> None:
    click.echo(retold(line), err=True)


def _facts(found: Verified, done: Rerun | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "whole": found.is_whole,
        "problems": [{"file": one.file, "what": one.message} for one in found.problems],
        "files": len(found.files),
        "signer": found.signer.fingerprint if found.signer else None,
        "trust": str(found.trust),
    }
    if found.is_whole:
        told |= found.summary()
    if done is not None:
        told["rerun"] = {
            "verdict": str(done.verdict),
            "reason": done.reason.to_record(),
            "cells": list(done.cells),
            "notes": list(done.notes),
        }
    return told


def _print(found: Verified, done: Rerun | None) -> None:
    # What the report is made with takes a moment to import, and other commands can do without.
    from sandbox.look import spoken
    from sandbox.runs.report.words import RUNNERS, UNKNOWN_RUNNER

    for problem in found.problems:
        click.echo(f"{problem.file}: {problem.message}" if problem.file else problem.message)
    if not found.is_whole:
        click.echo(_("do not trust this package"), err=True)
        return
    told = found.summary()
    click.echo(f"{told['run']}  {states.title(Status(told['status']))}")
    lines = {
        _("author"): " · ".join(filter(None, (told["author"], told["team"]))),
        _("files"): _("{n}, every byte as it was signed").format(n=len(found.files)),
        _("executed on"): spoken(RUNNERS.get(told["runner"], UNKNOWN_RUNNER)),
        _("signed by"): keys.spaced(found.signer.fingerprint) if found.signer else "",
        _("trust"): _(TRUST[found.trust]),
    }
    width = max(map(len, lines)) + 1
    for name, value in lines.items():
        click.echo(f"  {name:<{width}}{value}")
    if done is not None:
        _print_rerun(done)


def _print_rerun(done: Rerun) -> None:
    click.echo(_(AGAIN[done.verdict]) + f" ({endings.told(done.reason.to_record())})")
    evidence = {"reproduced": {"cells": [dict(cell) for cell in done.cells]}}
    for line in evident.differences(evidence):
        click.echo(f"  {line}")
    for note in done.notes:
        click.echo(_("Note: {note}").format(note=note), err=True)
