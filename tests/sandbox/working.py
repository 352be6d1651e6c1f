"""The workspace's real process for tests, and a client that speaks to it as a browser would."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import websocket

from tests.processes import PATIENCE_S, free_port

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Workspace:
    """A running workspace."""

    process: subprocess.Popen
    told: dict[str, Any]
    root: Path
    home: Path
    log: Path
    seconds: float  # from the process's start to its line

    @property
    def url(self):
        """The address without the token."""
        return self.told["url"].partition("/?")[0]

    def client(self):
        """Give a client that has logged in with the token's address."""
        return Client(self.url, self.told["url"])

    def stop(self):
        """Let go of its standard input and wait for the end; gives the exit code."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(PATIENCE_S)


def begin(home, root, /, *, environ=None, lang="en", log=None, **told):
    """Start the process and give it with its first line, whatever that says."""
    root.mkdir(parents=True, exist_ok=True)
    log = log or home.parent / "workspace.log"
    given = {"port": free_port(), "token": TOKEN, "root": str(root), "pages": None, **told}
    began = time.monotonic()
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sandbox.workspace"],
            env={**os.environ, "SANDBOX_HOME": str(home), "SANDBOX_LANG": lang, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            cwd=root,
        )
    process.stdin.write(json.dumps(given).encode() + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    said = json.loads(line) if line else {"ready": False, "message": log.read_text()}
    return Workspace(process, said, root, home, log, time.monotonic() - began)


@contextmanager
def working(home, root, /, **options):
    """Serve a workspace while the block lasts."""
    workspace = begin(home, root, **options)
    try:
        assert workspace.told["ready"], workspace.told
        yield workspace
    finally:
        try:
            workspace.stop()
        finally:
            workspace.process.kill()
            workspace.process.stdout.close()


@dataclass
class Client:
    """A browser's session: cookie, token against forged requests, web sockets."""

    url: str
    login: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self):
        self.session.trust_env = False
        answer = self.session.get(self.login, timeout=PATIENCE_S)
        assert answer.ok, answer.text
        self.session.headers["X-XSRFToken"] = self.session.cookies["_xsrf"]

    def ask(self, method, path, **options):
        """Send one request."""
        options.setdefault("timeout", PATIENCE_S)
        return self.session.request(method, f"{self.url}{path}", **options)

    def get(self, path, **options):
        """Get an address."""
        return self.ask("GET", path, **options)

    def post(self, path, told=None, **options):
        """Post JSON to an address."""
        return self.ask("POST", path, json={} if told is None else told, **options)

    def save(self, path, content):
        """Save a notebook as JupyterLab does."""
        told = {"type": "notebook", "format": "json", "content": content}
        answer = self.ask("PUT", f"/api/contents/{path}", json=told)
        assert answer.ok, answer.text
        return answer.json()

    def open(self, path, *, kind="notebook", name="python3"):
        """Start a session for a document; gives the answer as it is."""
        return self.post(
            "/api/sessions",
            {"path": path, "name": path, "type": kind, "kernel": {"name": name}},
        )

    @contextmanager
    def kernel(self, path, **options):
        """A session's kernel with its web socket, ended afterwards."""
        answer = self.open(path, **options)
        assert answer.status_code == 201, answer.text
        session = answer.json()
        channel = Channel(self, session["kernel"]["id"], session["id"])
        try:
            yield channel
        finally:
            channel.socket.close()
            self.ask("DELETE", f"/api/sessions/{session['id']}")


class Channel:
    """The web socket of one kernel."""

    def __init__(self, client, kernel_id, session_id):
        self.client, self.id, self.session_id = client, kernel_id, session_id
        self.name = uuid.uuid4().hex
        cookies = "; ".join(f"{one.name}={one.value}" for one in client.session.cookies)
        self.socket = websocket.create_connection(
            f"{client.url.replace('http', 'ws', 1)}/api/kernels/{kernel_id}/channels"
            f"?session_id={self.name}",
            cookie=cookies,
            origin=client.url,
            timeout=PATIENCE_S,
        )

    def send(self, code):
        """Ask the kernel to run something; gives the request's name."""
        name = secrets.token_hex(8)
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        header = {
            "msg_id": name,
            "msg_type": "execute_request",
            "username": "test",
            "session": self.name,
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return name

    def messages(self, *, seconds=PATIENCE_S):
        """Give what arrives, until the time is over."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(min(left, 1))
            try:
                yield json.loads(self.socket.recv())
            except websocket.WebSocketTimeoutException:
                continue

    def run(self, code, *, seconds=PATIENCE_S):
        """Run something and give what it printed, errors and other words of its cell included."""
        name, said = self.send(code), []
        for message in self.messages(seconds=seconds):
            if message["parent_header"].get("msg_id") != name:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")
            elif message["msg_type"] == "execute_result":
                said.append(content["data"]["text/plain"])
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(said)
        raise AssertionError(f"no end within {seconds} s; so far: {''.join(said)!r}")
