"""The `sandbox` command: nouns with their verbs, and the doors that stand alone.

A noun's module is imported when it is asked for, so that help and completion stay quick.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from sandbox.errors import SandboxError
from sandbox.language import LANGUAGES, _, choose, use
from sandbox.retold import retold
from synthetic.errors import StorageError, SyntheticError
from synthetic.tables.files import REMEDIES

INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it

# Name of the command -> module that holds it under the same name, and its line in the help.
COMMANDS = {
    "up": ("sandbox.cli.up", "The workspace and the report pages, from one command."),
    "workspace": ("sandbox.cli.up", "The same, without building or running anything first."),
    "demo": ("sandbox.cli.demo", "From published statistics to a report, in one command."),
    "data": ("sandbox.cli.data", "The replicas and published tables of this machine."),
    "run": ("sandbox.cli.run", "Submit notebooks, follow their runs, cancel them."),
    "worker": ("sandbox.cli.worker", "Processes that execute the runs which wait."),
    "log": ("sandbox.cli.log", "The log of all runs: is it whole, and which key signs it."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, the doors first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command, or say that it is not known."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in the help without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that a person may mend is its message, without a traceback."""
        try:
            return super().invoke(ctx)
        except (SandboxError, SyntheticError) as error:
            click.echo(_("Error: {message}").format(message=retold(str(error))), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(_("Error: {message}").format(message=_("stopped by Ctrl-C")), err=True)
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has gone; click ends quietly
                raise
            _abandon_output()
            click.echo(_("Error: {message}").format(message=told(error)), err=True)
            ctx.exit(StorageError.exit_code)


def told(error: OSError) -> str:
    """Tell a fault of a file, a folder or the output with its remedy."""
    place = _("the output") if error.filename is None else repr(os.fsdecode(error.filename))
    if error.errno in {errno.EACCES, errno.EPERM}:
        remedy = _("no permission; choose a place that is yours (SANDBOX_HOME names the home)")
    else:
        remedy = retold(REMEDIES.get(error.errno or 0, error.strerror or str(error)))
    return _("cannot read or write {place}: {remedy}").format(place=place, remedy=remedy)


def _abandon_output() -> None:
    """Drop what stdout could not take, or Python would try, and fail, once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vietnam-data-sandbox", prog_name="sandbox")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="Language of what is printed; else SANDBOX_LANG, else the locale's.",
)
def main(lang: str | None) -> None:
    """Synthetic replicas of government data, isolated experiments, reports with evidence."""
    use(choose(lang, os.environ))
