"""One server as a process of its own: started, waited for, started again, stopped."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import ServerError
from sandbox.kernels.processes import kill_tree
from sandbox.language import _
from synthetic.errors import StorageError

READY_S = 120  # on a loaded machine with nothing in its caches
STOP_S = 15
LINES = 3  # of the log, when a server cannot start


@dataclass(kw_only=True, eq=False)
class Server:
    """A child that listens on one port; `order` is what it is told on its standard input."""

    title: str
    module: str
    order: Mapping[str, Any]
    log_file: Path
    environment: Mapping[str, str]
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)  # moments on the monotonic clock

    def start(self) -> None:
        """Start the process and tell it what to do; it is not ready yet."""
        self.starts.append(time.monotonic())
        try:
            with self.log_file.open("ab") as log:
                self.process = subprocess.Popen(
                    # -P: a file in the present folder must not be taken for one of our modules.
                    [sys.executable, "-P", "-m", self.module],
                    env=dict(self.environment),
                    cwd="/",
                    start_new_session=True,  # Ctrl-C in the terminal is for us alone
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
        except OSError as error:
            raise StorageError(f"{self.title}: {error}") from error
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it died at once; `wait` says of what
            self.process.stdin.write(json.dumps(self.order).encode() + b"\n")
            self.process.stdin.flush()

    def wait(self, is_over: Callable[[], bool]) -> str:
        """Give the address once the server answers; the one it had if `is_over` says stop.

        Raises
        ------
        ServerError
            If it ends before, or is not ready in time.
        """
        line = self._first_line(time.monotonic() + READY_S, is_over)
        if is_over():
            return self.url
        try:
            told = json.loads(line)
            ready = bool(told["ready"])
        except (ValueError, KeyError, TypeError):
            told, ready = {}, False
        if not ready:
            self.stop()
            raise ServerError(
                _("{server} could not start: {why}; its log is {log}").format(
                    server=self.title,
                    why=told.get("message") or self._last_words(),
                    log=self.log_file,
                )
            )
        self.url = told["url"]
        return self.url

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def how_it_ended(self) -> str:
        """Say how the process ended."""
        code = None if self.process is None else self.process.returncode
        if code is not None and code < 0:
            return _("killed by signal {number}").format(number=-code)
        return _("exit code {code}").format(code=code)

    def let_go(self) -> None:
        """Close the lifeline: the server stops by itself, and ends its kernels."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def stop(self) -> None:
        """Stop the server and everything below it, gently first."""
        process = self.process
        if process is None:
            return
        self.let_go()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            kill_tree(process.pid)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _first_line(self, deadline: float, is_over: Callable[[], bool]) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not (said.endswith(b"\n") or is_over() or time.monotonic() > deadline):
                if selector.select(timeout=0.2):
                    piece = os.read(self.process.stdout.fileno(), 65536)
                    if not piece:
                        break
                    said += piece
        return said

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.log_file.read_text(errors="replace").strip().splitlines()[-LINES:]
            if lines:
                return " / ".join(line.strip() for line in lines)
        return _("it was not ready within {seconds} s").format(seconds=READY_S)
