"""Which evidence a command asks for: its options, and what they mean beside the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sandbox.evidence import Asked
from sandbox.language import _
from sandbox.settings import MOST_DRAWS, Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """Add --evidence/--no-evidence and --draws to a command."""
    command = click.option(
        "--draws",
        type=click.IntRange(0, MOST_DRAWS),
        metavar="K",
        help="Fresh draws of its replicas on which it is executed for that; 5, unless "
        "SANDBOX_DRAWS says more or less. 0 for none.",
    )(command)
    return click.option(
        "--evidence/--no-evidence",
        "wants_evidence",
        default=None,
        help="Execute it again elsewhere, on a null draw and on fresh draws; on, unless "
        "SANDBOX_EVIDENCE=off.",
    )(command)


def asked(settings: Settings, wants_evidence: bool | None, draws: int | None) -> Asked | None:
    """Give the evidence that is asked for; None for none. Who names draws wants evidence."""
    if wants_evidence is False and draws:
        raise click.UsageError(
            _("--draws {draws} asks for what --no-evidence leaves out; give one of them").format(
                draws=draws
            )
        )
    usual = settings.evidence or bool(draws)
    if not (usual if wants_evidence is None else wants_evidence):
        return None
    return Asked(draws=settings.draws if draws is None else draws)
