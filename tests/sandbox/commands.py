"""The real commands, each in a process of its own, as whoever a test wants them to be called by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def python(*arguments, before=(), **environ):
    """Run this Python; `before` are the words that make another user of us."""
    return subprocess.run(
        [*before, sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **{name: str(value) for name, value in environ.items()}},
        cwd=REPOSITORY,
        check=False,
    )


def sandbox(home, *arguments, **options):
    """Run `sandbox …` on a home."""
    return python("-m", "sandbox.cli", *arguments, SANDBOX_HOME=home, **options)


def performed(told, **options):
    """Execute a notebook under a policy, without a run, and give what was seen."""
    done = python("-m", "tests.sandbox.perform", json.dumps(told), **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
