"""A run's way to its end on a terminal: its place in the queue, then cells, time and memory."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from sandbox import worker
from sandbox.settings import Settings

LOOK_S = 0.2
WIDEST = 78  # columns, so that a line is written over whole


class Line:
    """One line that is written over and over on a terminal, and in full elsewhere if wanted."""

    def __init__(self, *, elsewhere: bool) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._elsewhere = elsewhere
        self._told: object = None

    def tell(self, known: dict[str, Any]) -> None:
        """Tell how far a run is; elsewhere only when a cell or its place is another one."""
        if self._is_terminal:
            click.echo(f"\r{known['text'][:WIDEST]:<{WIDEST}}", nl=False, err=True)
        elif self._elsewhere:
            news = tuple(known[name] for name in ("status", "position", "cell", "n_ended"))
            if news != self._told:
                click.echo(known["text"], err=True)
                self._told = news

    def end(self) -> None:
        """Go on below it."""
        if self._is_terminal:
            click.echo(f"\r{'':<{WIDEST}}\r", nl=False, err=True)


def follow(settings: Settings, run_id: str) -> None:
    """Tell each change of a run until its first execution has ended."""
    line = Line(elsewhere=True)
    while not (known := worker.progress(settings, run_id))["is_final"]:
        line.tell(known)
        time.sleep(LOOK_S)
    line.end()
