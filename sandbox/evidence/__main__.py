"""A run's supervisor: its first execution, then the evidence that was asked for."""

from __future__ import annotations

import os
import sys

from sandbox import runs
from sandbox.evidence.reproduced import reproduce
from sandbox.runs import evidenced
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings


def main(run_id: str) -> int:
    """Take one run to its end, in a process of its own."""
    settings = Settings.from_environ(os.environ)
    outcome = runs.execute(settings, run_id)
    if evidenced.is_asked(RunFolder.find(settings, run_id)):
        reproduce(settings, run_id)
    return 0 if outcome.succeeded else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
