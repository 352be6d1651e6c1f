"""The workspace's server as its user's browser meets it: settings, files, copies, submissions."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import language
from sandbox.settings import notebooks_folder, templates_folder
from sandbox.workspace import texts
from sandbox.workspace.places import Places
from sandbox.workspace.tree import OutsideError, Tree
from tests.processes import PATIENCE_S, until
from tests.sandbox import notebooks
from tests.sandbox.commands import python
from tests.sandbox.conftest import user_folder
from tests.sandbox.working import TOKEN, begin, working

SECRET = "a secret of the machine"
EXTENSION = Path(texts.__file__).parent / "labextension/@vietnam-data-sandbox/workspace"


@pytest.fixture(scope="module")
def base(tmp_path_factory, replicas):
    """A folder with a home that has both replicas, and a secret that lies outside of the root."""
    base = tmp_path_factory.mktemp("workspace")
    (base / "home").mkdir()
    (base / "home" / "replicas").symlink_to(replicas / "replicas")
    (base / "outside").mkdir()
    (base / "outside" / "secret.txt").write_text(SECRET)
    return base


@pytest.fixture(scope="module")
def workspace(base):
    pages = {"url": "http://127.0.0.1:8600", "token": "pages-token"}
    with working(base / "home", base / "root", pages=pages) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def client(workspace):
    return workspace.client()


def page_config(client):
    """What JupyterLab's page is told."""
    text = client.get("/lab").text
    return json.loads(re.search(r'type="application/json">(.*?)</script>', text, re.S)[1])


def setting(client, name):
    """One plugin's settings, defaults included."""
    told = client.get(f"/lab/api/settings/{name}").json()
    return {key: one.get("default") for key, one in told["schema"]["properties"].items()}


# --- Start and end -----------------------------------------------------------------------------


def test_it_says_where_it_answers(workspace):
    port = workspace.told["url"].split(":")[2].split("/")[0]
    assert workspace.told == {"ready": True, "url": f"http://127.0.0.1:{port}/?token={TOKEN}"}


@pytest.mark.parametrize("end", [pytest.param("input", marks=pytest.mark.slow), "term"])
def test_it_ends_when_let_go_and_leaves_no_process(tmp_path, end):
    workspace = begin(tmp_path / "home", tmp_path / "root")
    try:
        assert workspace.told["ready"]
        os.kill(workspace.process.pid, signal.SIGINT)  # the terminal's; whoever started us decides
        assert workspace.client().get("/api/status").ok
        if end == "term":
            workspace.process.send_signal(signal.SIGTERM)
            assert workspace.process.wait(20) == 0
        else:
            assert workspace.stop() == 0
    finally:
        workspace.process.kill()
        workspace.process.stdin.close()
        workspace.process.stdout.close()


def test_a_taken_port_is_a_clear_fault(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check_fault(tmp_path, rf"port {port} cannot be used .*; choose another one", port=port)


def test_a_work_folder_that_is_a_file_is_a_clear_fault(tmp_path):
    (tmp_path / "file").write_text("")
    check_fault(tmp_path, "cannot make the folder", root=str(tmp_path / "file" / "inside"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"root": "relative"}, "must be an absolute path"),
        ({"token": "short"}, "token"),
        ({"surprise": 1}, "surprise"),
        ({"limits": {"memory": 1}}, "no such limit"),
    ],
)
def test_a_wrong_order_is_a_clear_fault(tmp_path, wrong, words):
    check_fault(tmp_path, words, **wrong)


def check_fault(tmp_path, words, **told):
    workspace = begin(tmp_path / "home", tmp_path / "root", **told)
    try:
        assert workspace.process.wait(20) == 2
        assert workspace.told["ready"] is False
        assert re.search(words, workspace.told["message"])
    finally:
        workspace.process.kill()
        workspace.process.stdin.close()
        workspace.process.stdout.close()


# --- Our settings only -------------------------------------------------------------------------

HOSTILE = """
import pathlib
pathlib.Path({marker!r}).write_text("read")
c.ServerApp.terminals_enabled = True
c.ServerApp.allow_origin = "*"
"""


@pytest.mark.slow
def test_no_configuration_but_ours_is_read(tmp_path, client):
    marker = tmp_path / "marker"
    odd = tmp_path / "odd"
    for folder in (odd / ".jupyter", odd / "config", odd / "path", odd / "lab", odd / ".ipython"):
        (folder / "labconfig").mkdir(parents=True)
        for name in ("jupyter_config", "jupyter_server_config", "jupyter_lab_config"):
            (folder / f"{name}.py").write_text(HOSTILE.format(marker=str(marker)))
        (folder / "jupyter_server_config.json").write_text(
            json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_lsp": True}}})
        )
        (folder / "labconfig" / "page_config.json").write_text('{"hostile": "yes"}')
    environ = {
        "HOME": str(odd),
        "JUPYTER_CONFIG_DIR": str(odd / "config"),
        "JUPYTER_CONFIG_PATH": str(odd / "path"),
        "JUPYTERLAB_DIR": str(odd / "lab"),
        "JUPYTERLAB_SETTINGS_DIR": str(odd / "lab"),
        "JUPYTER_PATH": str(odd / "path"),
        "JUPYTER_TOKEN": "another",
        "JUPYTER_GATEWAY_URL": "http://127.0.0.1:9",
        "IPYTHONDIR": str(odd / ".ipython"),
        "SANDBOX_UP": "kept",
    }
    with working(tmp_path / "home", tmp_path / "root", environ=environ) as workspace:
        other = workspace.client()
        assert not marker.exists()
        told, usual = page_config(other), page_config(client)
        differ = {key for key in {*told, *usual} if told.get(key) != usual.get(key)}
        assert differ <= {
            *("sandbox", "serverRoot", "wsUrl", "appSettingsDir", "userSettingsDir"),
            *("workspacesDir", "store_id", "treePath"),
        }
        assert other.get("/api/terminals").status_code == 404
        assert other.get("/lsp/status").status_code == 404
        assert "Access-Control-Allow-Origin" not in other.get("/api/status").headers
        variables = Path(f"/proc/{workspace.process.pid}/environ").read_bytes()
        assert b"SANDBOX_UP=kept" in variables
    assert not marker.exists()


def test_jupyter_finds_one_folder_of_configuration(tmp_path):
    code = """if True:
        import os, pathlib, sys
        from sandbox.settings import Settings
        from sandbox.workspace import surroundings
        from sandbox.workspace.places import Places
        places = Places.prepare(Settings(home=pathlib.Path(sys.argv[1])))
        surroundings.close(places)
        from sandbox.runs.imports import quick
        with quick():
            from jupyter_core import paths
            import jupyterlab_server.config as config
        assert set(paths.jupyter_config_path()) == {str(places.config)}
        assert config.get_static_page_config() == {}
        assert os.environ["SANDBOX_UP"] == "kept"
    """
    subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path)],
        env={**os.environ, "JUPYTER_CONFIG_PATH": "/etc", "SANDBOX_UP": "kept"},
        check=True,
    )


def test_the_page_is_told_what_the_workspace_has(client):
    told = page_config(client)
    assert json.loads(told["sandbox"]) == {
        "language": "en",
        "pages": "http://127.0.0.1:8600/?token=pages-token&next=%2F",
        "start": "/sandbox/start",
    }
    assert told["terminalsAvailable"] is False
    assert told["buildAvailable"] is False
    assert told["news"] == {"disabled": True} or told["news"] == ["disabled"]
    assert {one["name"] for one in told["federated_extensions"]} == {
        "@vietnam-data-sandbox/workspace"
    }
    assert "@jupyterlab/extensionmanager-extension" in told["disabledExtensions"]
    assert TOKEN not in json.dumps({**told, "sandbox": ""})


def test_the_news_prompt_is_off_and_the_language_is_chosen(client):
    news = setting(client, "@jupyterlab/apputils-extension:notification")
    assert news["fetchNews"] == "false"
    assert news["checkForUpdates"] is False
    assert setting(client, "@jupyterlab/translation-extension:plugin")["locale"] == "en"


@pytest.mark.slow
def test_vietnamese_is_one_switch(tmp_path):
    with working(tmp_path / "home", tmp_path / "root", lang="vi") as workspace:
        client = workspace.client()
        assert setting(client, "@jupyterlab/translation-extension:plugin")["locale"] == "vi_VN"
        assert client.get("/lab/api/translations/vi_VN").json()["data"]
        assert '<html lang="vi">' in client.get("/sandbox/start").text
        templates = client.get("/sandbox/api/templates").json()
        assert templates["domains"][0]["templates"][0]["title"] == "Khách hàng của bạn ở đâu?"


@pytest.mark.parametrize(
    "path",
    [
        *("/api/terminals", "/terminals/1", "/api/config/notebook", "/api/shutdown"),
        *("/lab/api/extensions", "/lab/api/plugins", "/lab/api/build", "/lab/api/news"),
        *("/lab/api/update", "/lsp/status", "/proxy/8000", "/view/x.html", "/nbextensions/x"),
    ],
)
def test_what_nobody_needs_has_no_address(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path).status_code in (404, 405)


def test_nothing_from_outside_may_be_fetched(client, workspace):
    port = workspace.url.rpartition(":")[2]
    policy = client.get("/lab").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["connect-src"] == f"'self' ws://127.0.0.1:{port} data: blob:"
    assert rules["frame-src"] == "'self' blob: http://127.0.0.1:8600 http://localhost:8600"
    assert rules["frame-ancestors"] == rules["form-action"] == "'self'"
    sources = " ".join(rules.values()).replace(f"ws://127.0.0.1:{port}", "")
    assert set(re.findall(r"https?://[^ ]+", sources)) == {
        "http://127.0.0.1:8600",
        "http://localhost:8600",
    }
    assert "*" not in policy


def test_nobody_comes_in_without_the_token_or_by_another_name(workspace, client):
    import requests

    for path in ("/api/contents", "/sandbox/start", "/sandbox/api/texts", "/files/x"):
        answer = requests.get(f"{workspace.url}{path}", allow_redirects=False, timeout=PATIENCE_S)
        assert answer.status_code in (302, 403)
        assert "/login" in answer.headers.get("Location", "/login")
    for host in ("localhost", "example.org"):
        answer = client.get("/api/status", headers={"Host": f"{host}:1"})
        assert answer.status_code == 403


def test_what_the_workspace_keeps_is_closed_to_others(workspace):
    places = Places(workspace.home / "workspace")
    kept = [path for path in places.base.rglob("*") if path.is_dir()]
    assert len(kept) >= 8
    assert {oct(path.stat().st_mode & 0o777) for path in (places.base, *kept[:8])} == {"0o700"}
    written = b"".join(path.read_bytes() for path in places.base.rglob("*") if path.is_file())
    assert TOKEN.encode() not in written


# --- Files -------------------------------------------------------------------------------------


@pytest.fixture
def linked(workspace, base):
    """A folder of the work folder with links out of it, as a kernel could make them."""
    folder = workspace.root / "links"
    folder.mkdir(exist_ok=True)
    for name, target in {
        "file.txt": base / "outside" / "secret.txt",
        "folder": base / "outside",
        "notebook.ipynb": base / "outside" / "secret.txt",
        "up": Path(".."),
        "root": Path("/"),
    }.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    (folder / "real.txt").write_text("mine")
    return folder


OUT = (
    *("links/file.txt", "links/folder/secret.txt", "links/notebook.ipynb", "links/folder"),
    *("links/up/links/real.txt", "links/root/etc/passwd", "../outside/secret.txt", "..%2Foutside"),
    *("links/../../outside/secret.txt", ".ssh/id", "links/.hidden", "%2e%2e/outside/secret.txt"),
    *("/etc/passwd", "//etc/passwd"),
)


@pytest.mark.parametrize("path", OUT)
def test_no_link_and_no_way_up_is_followed(client, workspace, linked, base, path):
    for address in ("/api/contents/", "/files/", "/nbconvert/html/"):
        for words in ("", "?content=1&type=file", "?download=1", "?content=0"):
            answer = client.get(f"{address}{path}{words}")
            assert answer.status_code >= 400
            assert SECRET not in answer.text
            assert "root:" not in answer.text
    told = {"type": "file", "format": "text", "content": "overwritten"}
    for chunk in ({}, {"chunk": 1}, {"chunk": 2}):
        client.ask("PUT", f"/api/contents/{path}", json={**told, **chunk})
    client.ask("PATCH", f"/api/contents/{path}", json={"path": "links/moved"})
    client.ask("PATCH", "/api/contents/links/real.txt", json={"path": path})
    client.post("/api/contents/", {"copy_from": path})
    client.post(f"/api/contents/{path}/checkpoints")
    client.ask("DELETE", f"/api/contents/{path}")
    assert (base / "outside" / "secret.txt").read_text() == SECRET
    assert sorted(one.name for one in (base / "outside").iterdir()) == ["secret.txt"]
    assert not (base / "outside" / "real.txt").exists()
    (linked / "moved").unlink(missing_ok=True)


def test_links_are_not_listed_and_can_be_removed(client, linked, base):
    names = {one["name"] for one in client.get("/api/contents/links").json()["content"]}
    assert names == {"real.txt"}
    assert client.ask("DELETE", "/api/contents/links").status_code == 204
    assert not linked.exists()
    assert (base / "outside" / "secret.txt").read_text() == SECRET


def test_a_pipe_does_not_hold_the_server(client, workspace):
    os.mkfifo(workspace.root / "pipe.txt")
    try:
        assert client.get("/api/contents/pipe.txt", timeout=30).status_code == 404
        assert client.get("/files/pipe.txt", timeout=30).status_code >= 400
    finally:
        (workspace.root / "pipe.txt").unlink()


def test_files_are_saved_moved_copied_and_removed(client, workspace):
    folder = client.post("/api/contents", {"type": "directory"}).json()["path"]
    made = client.post(f"/api/contents/{folder}", {"type": "notebook"}).json()
    assert made["path"] == f"{folder}/Untitled.ipynb"
    content = client.get(f"/api/contents/{made['path']}").json()["content"]
    assert client.save(made["path"], content)["type"] == "notebook"
    moved = client.ask("PATCH", f"/api/contents/{made['path']}", json={"path": f"{folder}/b.ipynb"})
    assert moved.json()["path"] == f"{folder}/b.ipynb"
    copied = client.post(f"/api/contents/{folder}", {"copy_from": f"{folder}/b.ipynb"})
    assert copied.json()["name"] == "b-Copy1.ipynb"
    taken = client.ask(
        "PATCH", f"/api/contents/{folder}/b.ipynb", json={"path": f"{folder}/b-Copy1.ipynb"}
    )
    assert taken.status_code == 409
    assert sorted(path.name for path in (workspace.root / folder).iterdir()) == [
        "b-Copy1.ipynb",
        "b.ipynb",
    ]
    assert client.ask("DELETE", f"/api/contents/{folder}").status_code == 204
    assert not (workspace.root / folder).exists()


def test_a_large_file_comes_in_pieces(client, workspace):
    told = {"type": "file", "format": "text"}
    for chunk, content in ((1, "a" * 10), (2, "b" * 10), (-1, "c")):
        answer = client.ask(
            "PUT", "/api/contents/large.txt", json={**told, "chunk": chunk, "content": content}
        )
        assert answer.ok
    assert (workspace.root / "large.txt").read_text() == "a" * 10 + "b" * 10 + "c"


def test_checkpoints_lie_out_of_sight(client, workspace):
    client.save("kept.ipynb", notebooks.content("1"))
    made = client.post("/api/contents/kept.ipynb/checkpoints")
    assert made.status_code == 201
    client.save("kept.ipynb", notebooks.content("2"))
    identity = made.json()["id"]
    assert client.post(f"/api/contents/kept.ipynb/checkpoints/{identity}").status_code == 204
    assert json.loads((workspace.root / "kept.ipynb").read_text())["cells"][0]["source"] == ["1"]
    assert not list(workspace.root.rglob("*checkpoint*"))
    assert list((workspace.home / "workspace" / "checkpoints").rglob("*.ipynb"))


@pytest.mark.parametrize("name", ["page.html", "page.svg", "page.xhtml"])
def test_a_download_gets_no_rights(client, workspace, name):
    (workspace.root / name).write_text("<script>alert(1)</script>")
    answer = client.get(f"/files/{name}")
    rules = answer.headers["Content-Security-Policy"].split("; ")
    assert "sandbox" in rules
    assert "default-src 'none'" in rules
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in client.get(f"/files/{name}?download=1").headers["Content-Disposition"]


def test_an_exchanged_folder_is_never_followed(tmp_path):
    """A kernel exchanges a folder for a link again and again, while the server reads and writes."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text(SECRET)
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "a.txt").write_text("mine")
    (root / "link").symlink_to(tmp_path / "outside")
    tree, stop = Tree(root), threading.Event()

    def exchange():
        while not stop.is_set():
            for name in ("real", "link"):
                (root / name).rename(root / "now")
                (root / "now").rename(root / name)

    thread = threading.Thread(target=exchange)
    thread.start()
    seen = set()
    try:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                seen.add(tree.read("now/a.txt", most=100))
                tree.write("now/a.txt", b"mine")
            except OSError:
                continue
    finally:
        stop.set()
        thread.join()
        tree.close()
    assert seen <= {b"mine"}
    assert (tmp_path / "outside" / "a.txt").read_text() == SECRET


@pytest.mark.parametrize("path", ["..", "a/../b", ".", ".a", "a/.b", "a\0", "x" * 256, "\udc80"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path, path):
    tree = Tree(tmp_path)
    with pytest.raises(OutsideError):
        tree.facts(path)
    tree.close()


# --- Start page, copies ------------------------------------------------------------------------


def test_the_start_page_shows_what_is_here(client):
    answer = client.get("/sandbox/start")
    assert answer.ok
    assert "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for words in (
        *("Where are your customers?", "about 5 minutes", "population", "Three things"),
        *("Ready", "http://127.0.0.1:8600/?token=pages-token&amp;next=%2Fdata"),
    ):
        assert words in answer.text
    assert client.get("/sandbox/static/sandbox.css").headers["Content-Type"] == "text/css"


DRAWN = """
import sys
from pathlib import Path
from sandbox.settings import Settings
from sandbox.workspace import start
from sandbox.workspace.order import INTERACTIVE, Order
from sandbox.workspace.places import Places

home = Path(sys.argv[1])
order = Order(port=1, token="t", root=home, pages=None, settings=Settings(home=home),
              places=Places(home), limits=INTERACTIVE)
print(start.page(order, "token"))
"""


@pytest.mark.usefixtures("bubblewrap")
def test_the_start_page_comes_up_and_tells_what_cannot_be_read():
    with user_folder("as a user") as (folder, words):
        closed = folder / "closed"
        for name in ("replicas", "runs"):
            (closed / name).mkdir(parents=True, mode=0o000)
        done = python("-c", DRAWN, closed, before=words, SANDBOX_LANG="en")
        for name in ("replicas", "runs"):
            (closed / name).chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "cannot list the replicas in" in done.stdout
    assert re.search("cannot read .*runs.*: no permission", done.stdout)
    assert "There are no runs yet" not in done.stdout
    assert "Three things to do first" in done.stdout


def test_a_button_of_the_start_page_copies_and_opens(client, workspace):
    token = re.search(r'name="_xsrf" value="([^"]+)"', client.get("/sandbox/start").text)[1]
    form = {"kind": "template", "name": "market_sizing", "_xsrf": token}
    answer = client.ask(
        "POST",
        "/sandbox/open",
        data=form,
        allow_redirects=False,
        headers={"X-XSRFToken": None},
    )
    assert answer.status_code == 303
    path = answer.headers["Location"].removeprefix("/lab/tree/")
    shipped = (templates_folder() / "market_sizing.ipynb").read_bytes()
    assert (workspace.root / path).read_bytes() == shipped
    forged = client.ask(
        "POST", "/sandbox/open", data={**form, "_xsrf": "x"}, headers={"X-XSRFToken": None}
    )
    assert forged.status_code == 403
    unknown = client.ask("POST", "/sandbox/open", data={**form, "name": "<b>"})
    assert unknown.status_code == 422
    assert "&lt;b&gt;" in unknown.text


def test_a_copy_never_replaces_what_is_there(client, workspace):
    (workspace.root / "market_sizing.ipynb").write_text("mine")
    told = {"kind": "template", "name": "market_sizing"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/sandbox/api/copies", told), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    paths = [answer.json()["path"] for answer in answers]
    assert len(set(paths)) == 8
    assert (workspace.root / "market_sizing.ipynb").read_text() == "mine"
    shipped = (templates_folder() / "market_sizing.ipynb").read_bytes()
    assert {(workspace.root / path).read_bytes() for path in paths} == {shipped}


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "template", "name": "../../etc/passwd"},
        {"kind": "nothing", "name": "market_sizing"},
        {"kind": ["template"], "name": 1},
        {},
    ],
)
def test_only_what_ships_is_copied(client, told):
    answer = client.post("/sandbox/api/copies", told)
    assert answer.status_code == 422
    assert "there is no" in answer.json()["message"]


def test_templates_and_guided_notebooks_are_told(client):
    told = client.get("/sandbox/api/templates").json()
    (market,) = [one for one in told["domains"] if one["domain"] == "market"]
    assert market["templates"][0] == {
        "name": "market_sizing",
        "title": "Where are your customers?",
        "purpose": "Size a market by province before asking for real data.",
        "minutes": 5,
        "datasets": ["population", "enterprise"],
    }
    names = [path.stem for path in sorted(notebooks_folder().glob("*.ipynb"))]
    assert [one["name"] for one in told["notebooks"]] == names


def test_the_extension_and_the_server_know_the_same_texts(client):
    script = (EXTENSION / "static" / "texts.js").read_text()
    body = script[script.index("const ENGLISH = {") : script.index("\n};")]
    parts = re.findall(r'(\w+):\s*((?:"(?:[^"\\]|\\.)*"\s*\+?\s*)+),', body)
    english = {
        key: "".join(map(json.loads, re.findall(r'"(?:[^"\\]|\\.)*"', words)))
        for key, words in parts
    }
    assert client.get("/sandbox/api/texts").json() == english
    with language.speaking("vi"):
        assert set(texts.texts()) == set(english)


# --- Submissions -------------------------------------------------------------------------------


def test_the_form_shows_the_declared_parameters(client):
    client.save(
        "asked.ipynb",
        notebooks.content(
            "n",
            parameters='n: int = 3  # how many\nkind: Literal["a", "b"] | None = None\n',
            title={"vi": "Hỏi", "en": "Asked"},
        ),
    )
    told = client.get("/sandbox/api/parameters?path=asked.ipynb").json()
    assert {key: told[key] for key in ("path", "title", "parameters")} == {
        "path": "asked.ipynb",
        "title": "Asked",
        "parameters": [
            {
                "name": "n",
                "type": "int",
                "optional": False,
                "choices": None,
                "default": 3,
                "comment": "how many",
            },
            {
                "name": "kind",
                "type": "Literal",
                "optional": True,
                "choices": ["a", "b"],
                "default": None,
                "comment": "",
            },
        ],
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone.ipynb", "cannot read the notebook"),
        ("../home/x.ipynb", "cannot read the notebook"),
        ("notes.txt", "is no notebook"),
        ("empty.ipynb", "no cell with code"),
    ],
)
def test_what_cannot_be_submitted_is_told(client, path, words):
    client.save("empty.ipynb", notebooks.content())
    answer = client.get("/sandbox/api/parameters", params={"path": path})
    assert answer.status_code == 422
    assert words in answer.json()["message"]


def test_the_form_shows_what_the_check_finds_and_errors_stop_it(client):
    client.save(
        "checked.ipynb",
        notebooks.content(
            "import numpy as np\nnp.random.rand()", "print(gone)", parameters="n: int = 1"
        ),
    )
    told = client.get("/sandbox/api/parameters?path=checked.ipynb").json()
    assert [one["name"] for one in told["parameters"]] == ["n"]
    warning, error = told["findings"]
    assert (warning["severity"], warning["cell"], warning["line"]) == ("warning", 2, 2)
    assert error == {
        "code": "undefined_name",
        "severity": "error",
        "cell": 3,
        "line": 1,
        "place": "cell 3, line 1",
        "why": "no cell makes the name 'gone'; in the Lab it may be left over from a cell that is gone",
        "remedy": "make 'gone' in a cell above, or mend its spelling",
    }
    asked = {"path": "checked.ipynb", "parameters": {}, "team": "", "why": ""}
    answer = client.post("/sandbox/api/runs", asked)
    assert answer.status_code == 422
    assert "no cell makes the name 'gone'" in answer.json()["message"]


def test_the_form_knows_the_files_beside_the_notebook(client, workspace):
    (workspace.root / "beside").mkdir()
    (workspace.root / "beside" / "helper.py").touch()
    client.save("beside/mine.ipynb", notebooks.content("import helper", parameters="n = len([])"))
    told = client.get("/sandbox/api/parameters?path=beside/mine.ipynb").json()
    assert [one["code"] for one in told["findings"]] == ["parameters", "local_module"]
    assert told["parameters"] == []


def wait_for_end(client, run_id):
    def ended():
        told = client.get(f"/sandbox/api/runs/{run_id}").json()
        return told if told["is_final"] else None

    return until(ended)


def test_a_wrong_value_is_told_and_a_right_one_runs_to_its_end(bubblewrap, client, workspace):
    client.save("sum.ipynb", notebooks.content("print(n + 1)", "n", parameters="n: int = 1"))
    told = {"path": "sum.ipynb", "parameters": {"n": "many"}, "team": " Đội A ", "why": "to see"}
    wrong = client.post("/sandbox/api/runs", told)
    assert wrong.status_code == 422
    assert wrong.json()["parameter"] == "n"
    assert "whole number" in wrong.json()["message"]
    told["parameters"] = {"n": "41"}
    once = {"X-Sandbox-Once": "one-form"}
    started = client.post("/sandbox/api/runs", told, headers=once)
    assert started.status_code == 201
    assert client.post("/sandbox/api/runs", told, headers=once).json() == started.json()
    run_id = started.json()["id"]
    assert started.json()["url"] == (
        f"http://127.0.0.1:8600/?token=pages-token&next=%2Fruns%2F{run_id}"
    )
    end = wait_for_end(client, run_id)
    assert {key: end[key] for key in ("status", "status_title", "cell", "n_cells")} == {
        "status": "succeeded",
        "status_title": "Succeeded",
        "cell": 4,  # with those of the declared and the chosen values
        "n_cells": 4,
    }
    form = client.get("/sandbox/api/parameters?path=sum.ipynb").json()
    assert form["team"] == "Đội A"
    assert "Đội A" in client.get("/sandbox/start").text
    again = client.post(f"/sandbox/api/runs/{run_id}/cancel")
    assert again.json()["status"] == "succeeded"


def test_a_run_is_cancelled(bubblewrap, client):
    client.save("long.ipynb", notebooks.content("import time; time.sleep(300)"))
    told = {"path": "long.ipynb", "parameters": {}, "team": "", "why": ""}
    run_id = client.post("/sandbox/api/runs", told).json()["id"]
    answer = client.post(f"/sandbox/api/runs/{run_id}/cancel")
    assert answer.ok, answer.text
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["is_final"]


@pytest.mark.parametrize("run_id", ["20260101-000000-abcdef", "abc"])
def test_an_unknown_run_is_told(client, run_id):
    assert client.get(f"/sandbox/api/runs/{run_id}").status_code == 422
    assert client.post(f"/sandbox/api/runs/{run_id}/cancel").status_code == 422


def test_a_request_that_another_site_forged_is_refused(client, workspace):
    told = {"kind": "template", "name": "market_sizing"}
    headers = {"X-XSRFToken": None}
    assert client.post("/sandbox/api/copies", told, headers=headers).status_code == 403
    assert client.post("/sandbox/api/runs", {}, headers=headers).status_code == 403
