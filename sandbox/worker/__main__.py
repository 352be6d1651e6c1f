"""A worker as a process of its own: `--until-idle` for who submits, else told by `sandbox up`."""

from __future__ import annotations

import logging
import os
import sys

from pydantic import BaseModel, ConfigDict, PositiveInt

from sandbox.errors import SandboxError
from sandbox.retold import retold
from sandbox.serving import told
from sandbox.settings import Settings
from sandbox.worker.conduct import Worker, usual_slots
from synthetic.errors import SyntheticError

UNTIL_IDLE = "--until-idle"


class Order(BaseModel):
    """What `sandbox up` tells on the first line of standard input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: PositiveInt | None = None


def main(words: list[str]) -> int:
    """Keep a worker; give the exit code."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
    )
    settings = Settings.from_environ(os.environ)
    until_idle = UNTIL_IDLE in words
    try:
        if until_idle:
            Worker(settings=settings, n_slots=usual_slots(), until_idle=True).run()
            return 0
        order = told.read(Order, told.first_line())
        worker = Worker(
            settings=settings,
            n_slots=order.workers or usual_slots(),
            until_idle=False,
            lifeline=told.STDIN,
        )
        worker.run(ready=_say_ready)
    except (SandboxError, SyntheticError) as error:
        if not until_idle:
            told.say(ready=False, message=retold(str(error)))
        print(error, file=sys.stderr)  # noqa: T201 # whoever started this reads it
        return error.exit_code
    return 0


def _say_ready() -> None:
    told.say(ready=True, url="")
    # Nobody reads more than this line, and slots must not hold the pipe.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
