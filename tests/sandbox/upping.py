"""Start the real `sandbox up` or `sandbox workspace` and look after what it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress

import psutil

from tests.processes import PATIENCE_S, until


class Up:
    """One running door: its addresses, what it says, its processes."""

    def __init__(self, home, work, *options, door="up", **environ):
        self.home = home
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox.cli", door, "--no-browser", "--json"),
                *("--work", str(work), *map(str, options)),
            ],
            env={**os.environ, "SANDBOX_HOME": str(home), "SANDBOX_LANG": "en", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.facts = {}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_S)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._listener.join(10)
        self.process.stdout.close()

    def _listen(self):
        with self.process.stderr as stream:
            for line in stream:
                self.said.append(line.rstrip())

    @property
    def words(self):
        return "\n".join(self.said)

    def ready(self):
        """Wait for the addresses."""
        line = self.process.stdout.readline()
        assert line, f"ended ({self.process.wait(10)}) with: {self.words}"
        self.facts = json.loads(line)
        return self.facts

    def servers(self):
        """The two servers' processes, by module."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                command = child.cmdline()
                if "-m" in command:
                    found[command[command.index("-m") + 1]] = child
        return found

    def family(self):
        """Every process below, now."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number=signal.SIGINT):
        """Ask for the end as a person does, and give the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._listener.join(10)
        return code

    def told(self, words):
        """Wait until it says this."""
        return until(lambda: words in self.words)


def status(url):
    """The status that an address answers with, redirects followed; 0 if nobody answers."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(url, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def gone(processes):
    """Whether all of these have ended."""
    return not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        for process in processes
        if psutil.pid_exists(process.pid)
    )
