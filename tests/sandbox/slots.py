"""Start the real worker in a home, and look after what it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from sandbox.runs import workers
from tests.processes import PATIENCE_S, until


@contextmanager
def worker(settings, n_slots=1, *options):
    """Keep a worker with all its slots while the block lasts; gives its process."""
    command = [sys.executable, "-m", "sandbox.cli", "worker", "start", "--workers", str(n_slots)]
    process = subprocess.Popen(
        [*command, *options],
        env={**os.environ, "SANDBOX_HOME": str(settings.home), "SANDBOX_LANG": "en"},
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: len(slots(settings, process)) == n_slots or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()


def slots(settings, process):
    """The processes of a worker that execute."""
    found = [one.slots for one in workers.living(settings) if one.pid == process.pid]
    return found[0] if found else ()
