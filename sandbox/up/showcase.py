"""The first time: build what the showcase reads and run it, then build the other datasets.

It is `sandbox demo`, and then `synthetic build`, in a process of its own, so that Ctrl-C stops it as
it would in a terminal. The other datasets wait until the showcase is done, and are built gently:
somebody is working by then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sandbox import catalog, runs
from sandbox.kernels.processes import kill_tree
from sandbox.settings import Settings
from synthetic.spec.load import packaged

DATASETS = frozenset({"population", "enterprise"})
TEMPLATE = "market_sizing"
SCALE = "0.01"  # of the default replicas
END_S = 30


def is_built(settings: Settings) -> bool:
    """Whether the datasets that the showcase reads are built, for the whole country."""
    built = {
        r.dataset
        for r in catalog.replicas(settings)
        if r.recipe.area is None and r.recipe.dirt is None
    }
    return built >= DATASETS


def is_needed(settings: Settings) -> bool:
    """Whether there is nothing to show yet."""
    return not is_built(settings) or not any(
        one["notebook"] == TEMPLATE and one["status"] == "succeeded"
        for one in runs.listed(settings)
    )


def missing(settings: Settings) -> list[str]:
    """Name the packaged datasets that are not built for the whole country."""
    built = {
        r.dataset
        for r in catalog.replicas(settings)
        if r.recipe.area is None and r.recipe.dirt is None
    }
    return [name for name in packaged() if name not in built]


def demo() -> list[str]:
    """Give the command that builds what the showcase reads, and runs it."""
    return [sys.executable, "-P", "-m", "sandbox.cli", "demo"]


def rest(settings: Settings, datasets: Sequence[str]) -> list[str]:
    """Give the command that builds these datasets beside the showcase's."""
    options = ["--scale", SCALE, "--out", str(settings.replicas), "--workers", "1"]
    return ["nice", sys.executable, "-P", "-m", "synthetic.cli", "build", *datasets, *options]


class Task:
    """A command under way; what it says goes to `tell`, line by line."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        self.process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._tell = tell
        self._is_stopped = False  # what it says of that itself is no news
        self._reader = threading.Thread(target=self._relay, name="task", daemon=True)
        self._reader.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended and said all it had to say."""
        return self.process.poll() is not None and not self._reader.is_alive()

    def stop(self) -> None:
        """Stop it as Ctrl-C does: a build leaves nothing half-done, a run is recorded."""
        self._is_stopped = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            kill_tree(self.process.pid)
            self.process.wait()
        self._reader.join(5)

    def _relay(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as said:
            for line in said:
                if not self._is_stopped:
                    self._tell(line.rstrip())
