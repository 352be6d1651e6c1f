"""The pages' real process, and a plain way to ask it, for tests."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.processes import PATIENCE_S, free_port

TOKEN = "a-token-for-tests-0123"
KEY = secrets.token_hex(32)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()


@dataclass
class Pages:
    """A process that serves a home."""

    process: subprocess.Popen
    port: int
    url: str
    cookie: str = field(default="", repr=False)

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, *, method="GET", host=None, cookie=None, body=None, **headers):
        """Send one request as it is; the session's cookie goes along unless told otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {"Host": host or f"127.0.0.1:{self.port}"}
        cookie = self.cookie if cookie is None else cookie
        if cookie:
            sent["Cookie"] = cookie
        if body is not None:
            body = urlencode(body)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body.encode() if body is not None else None)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def enter(self):
        """Trade the token for the cookie."""
        answer = self.ask(f"/?token={TOKEN}", cookie="")
        assert answer.status == 303, answer.text
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return self


def started(home, *, language="vi", port=None, order=None):
    """Start the process and give it its order; what it says is still to be read."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sandbox.pages"],
        env={**os.environ, "SANDBOX_HOME": str(home), "SANDBOX_LANG": language},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    told = {"port": port, "token": TOKEN, "key": KEY, "workspace": None} | (order or {})
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    return process, port


@contextmanager
def serving(home, *, language="vi", workspace=None):
    """Serve a home until the block ends, then let go of the lifeline."""
    process, port = started(home, language=language, order={"workspace": workspace})
    try:
        told = json.loads(process.stdout.readline())
        assert told["ready"], told
        yield Pages(process, port, told["url"]).enter()
    finally:
        ended(process)


def ended(process):
    """Let go of the lifeline and give (exit code, what was logged)."""
    try:
        _said, logged = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, logged
