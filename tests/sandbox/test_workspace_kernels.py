"""Interactive kernels: the same isolation and data as runs, and every end leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from sandbox import runs
from sandbox.kernels.policy import MIB
from sandbox.kernels.processes import tree
from sandbox.settings import Settings
from tests.processes import until
from tests.sandbox import notebooks
from tests.sandbox.working import begin, working

LIMITS = {"memory_bytes": 700 * MIB, "output_bytes": 2 * MIB, "disk_bytes": 20 * MIB}
PERSONS = "population.persons"
SEEN = """
import json, os, sys, socket
from pathlib import Path
print(json.dumps({
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "uid": os.getuid(),
    "host": socket.gethostname(),
    "path": sys.path,
    "data": sorted(str(p.relative_to("/sandbox/data")) for p in Path("/sandbox/data").glob("*/*")),
    "catalog": json.loads(Path("/sandbox/catalog.json").read_text()),
}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, replicas):
    home = tmp_path_factory.mktemp("kernels") / "home"
    home.mkdir()
    (home / "replicas").symlink_to(replicas / "replicas")
    return home


@pytest.fixture(scope="module")
def workspace(home, bubblewrap):
    with working(home, home.parent / "root", limits=LIMITS) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def client(workspace):
    return workspace.client()


def staged(workspace):
    return list((workspace.home / "workspace" / "kernels").iterdir())


def below(workspace):
    """The processes below the server, the compilation of modules left out."""
    return [one.pid for one in tree(workspace.process.pid)[1:] if "bwrap" in command(one.pid)]


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_a_kernel_sees_what_a_run_of_its_notebook_sees(client, workspace, home):
    reads = {PERSONS: ["age", "sex"], "published.population_province_34": []}
    client.save("same.ipynb", notebooks.content(SEEN, reads=reads))
    with client.kernel("same.ipynb") as kernel:
        here = json.loads(kernel.run(SEEN))
    settings = Settings(home=home)
    run_id = runs.submit(settings, workspace.root / "same.ipynb")
    assert runs.execute(settings, run_id).succeeded
    executed = json.loads(Path(runs.show(settings, run_id)["executed_notebook"]).read_text())
    there = json.loads(notebooks.text_of(executed, 0))
    # A run is told no language: its results must not depend on who submits it.
    assert here["environment"].pop("SANDBOX_LANG") == "en"
    # What lies beside a notebook is in sight here; of that a run has only what was attached.
    assert here["catalog"].pop("attached") == "/sandbox/attached"
    # Nor is it told the figures of fidelity, which differ from draw to draw.
    for column in here["catalog"]["datasets"][0]["tables"][0]["columns"]:
        assert column["fidelity"].pop("distance") < 1
        assert column["fidelity"].pop("sampling") < 1
    assert here == there
    assert here["data"] == ["population/persons"]
    (persons,) = here["catalog"]["datasets"][0]["tables"]
    assert [column["name"] for column in persons["columns"]] == ["sex", "age"]


def test_a_notebook_without_a_declaration_reads_all_of_one_recipe(client):
    content = notebooks.content("1")
    del content["metadata"]["sandbox"]
    client.save("free.ipynb", content)
    with client.kernel("free.ipynb") as kernel:
        code = "from sandbox import lab; print(lab.table('population.persons').count('*'))"
        assert "Error" not in kernel.run(code)
        here = json.loads(kernel.run(SEEN))
        assert {one["dataset"] for one in here["catalog"]["datasets"]} == {
            "population",
            "enterprise",
        }


def test_a_restart_reads_the_declaration_as_it_is_saved_now(client, workspace):
    client.save("later.ipynb", notebooks.content("1"))
    with client.kernel("later.ipynb") as kernel:
        assert json.loads(kernel.run(SEEN))["data"] == []
        assert kernel.run("x = 1") == ""
        client.save("later.ipynb", notebooks.content("1", reads={PERSONS: ["age"]}))
        client.ask("PATCH", "/api/contents/later.ipynb", json={"path": "renamed.ipynb"})
        session = f"/api/sessions/{kernel.session_id}"
        assert client.ask("PATCH", session, json={"path": "renamed.ipynb"}).ok
        assert client.post(f"/api/kernels/{kernel.id}/restart").ok
        assert json.loads(kernel.run(SEEN))["data"] == ["population/persons"]
        assert "NameError" in kernel.run("x")
        assert len(staged(workspace)) == 1
        client.save("renamed.ipynb", notebooks.content("1", reads={PERSONS: ["ages"]}))
        refused = client.post(f"/api/kernels/{kernel.id}/restart")
        assert refused.status_code == 500
        assert "population.persons has no column 'ages'" in refused.json()["message"]
    assert staged(workspace) == []


def test_an_untouched_kernel_begins_again_once_its_notebook_is_told(client, workspace):
    client.save("told.ipynb", notebooks.content("1", reads={PERSONS: ["age"]}))
    with client.kernel("0b0c5f3e-a-random-name") as kernel:
        session = f"/api/sessions/{kernel.session_id}"
        assert client.ask("PATCH", session, json={"path": "told.ipynb"}).ok
        seen = json.loads(kernel.run(SEEN))
        assert seen["data"] == ["population/persons"]
        assert seen["catalog"]["datasets"][0]["tables"][0]["columns"][0]["name"] == "age"
        assert kernel.run("open('made here', 'w').close(); x = 1") == ""
        assert (workspace.root / "files" / "told" / "made here").is_file()
        client.save("other.ipynb", notebooks.content("1"))
        assert client.ask("PATCH", session, json={"path": "other.ipynb"}).ok
        assert kernel.run("print(x)").strip() == "1"  # whoever works in it loses nothing
        assert len(staged(workspace)) == 1
    assert staged(workspace) == []


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        ({PERSONS: ["agee"]}, "population.persons has no column 'agee'"),
        ({"population.person": []}, "did you mean"),
        ({"tax.returns": []}, "there is no dataset 'tax'"),
        ("wrong", "must map tables"),
    ],
)
def test_a_declaration_that_cannot_be_is_told(client, workspace, reads, words):
    client.save("wrong.ipynb", notebooks.content("1", reads=reads))
    answer = client.open("wrong.ipynb")
    assert answer.status_code == 500
    assert words in answer.json()["message"]
    assert staged(workspace) == []
    assert below(workspace) == []


@pytest.mark.slow
def test_nothing_built_leaves_the_published_tables(bubblewrap, tmp_path):
    with working(tmp_path / "home", tmp_path / "root") as workspace:
        client = workspace.client()
        client.save("a.ipynb", notebooks.content("1", reads={PERSONS: ["age"]}))
        with client.kernel("a.ipynb") as kernel:
            published = "from sandbox import lab; lab.table('published.population_province_34')"
            assert "Error" not in kernel.run(published)
            said = kernel.run("lab.table('population.persons')")
            assert "synthetic build population" in said


def test_files_stay_and_lie_where_the_browser_sees_them(client, workspace):
    client.save("keeps.ipynb", notebooks.content("1"))
    with client.kernel("keeps.ipynb") as kernel:
        kernel.run("open('result.csv', 'w').write('a,b'); __import__('os').symlink('/etc', 'out')")
        assert kernel.run("open('/sandbox/other', 'w')").startswith("OSError")
        assert client.get("/api/contents/files/keeps/result.csv").json()["content"] == "a,b"
        assert client.get("/api/contents/files/keeps/out").status_code == 404
        # What the browser saves, the kernel can read and change.
        told = {"type": "file", "format": "text", "content": "c"}
        assert client.ask("PUT", "/api/contents/files/keeps/mine.txt", json=told).ok
        assert kernel.run("open('mine.txt', 'a').write('d'); print(open('mine.txt').read())") == (
            "cd\n"
        )
    work = workspace.root / "files" / "keeps"
    assert sorted(path.name for path in work.iterdir()) == ["mine.txt", "result.csv"]
    with client.kernel("keeps.ipynb") as kernel:
        assert kernel.run("print(open('result.csv').read())") == "a,b\n"


def test_a_console_has_a_folder_of_its_own(client):
    with client.kernel("console-1-abc", kind="console") as kernel:
        kernel.run("open('x', 'w').close()")
    assert client.get("/api/contents/files/console/x").ok


@pytest.mark.slow
@pytest.mark.parametrize("path", ["../x.ipynb", "/etc/x.ipynb", "a/../../b.ipynb", ".h.ipynb"])
def test_an_odd_path_of_a_session_leads_nowhere(client, workspace, path):
    with client.kernel(path) as kernel:
        assert kernel.run("print(1)") == "1\n"
    assert {one.name for one in workspace.root.parent.iterdir()} <= {
        *("home", "root", "workspace.log"),
    }


def test_a_link_in_the_place_of_a_kernels_folder_is_refused(client, workspace, tmp_path):
    (workspace.root / "files").mkdir(exist_ok=True)
    (workspace.root / "files" / "trap").symlink_to(tmp_path)
    client.save("trap.ipynb", notebooks.content("1"))
    answer = client.open("trap.ipynb")
    assert answer.status_code == 500
    assert "cannot be made" in answer.json()["message"]


def test_a_kernel_is_interrupted_by_message(client):
    client.save("long.ipynb", notebooks.content("1"))
    with client.kernel("long.ipynb") as kernel:
        name = kernel.send("import time; time.sleep(300)")
        for message in kernel.messages(seconds=20):
            if message["msg_type"] == "execute_input":
                break
        assert client.post(f"/api/kernels/{kernel.id}/interrupt").status_code == 204
        said = [
            message["content"]["ename"]
            for message in until_idle(kernel, name)
            if message["msg_type"] == "error"
        ]
        assert said == ["KeyboardInterrupt"]
        assert kernel.run("1 + 1") == "2"


def until_idle(kernel, name):
    for message in kernel.messages():
        if message["parent_header"].get("msg_id") == name:
            yield message
            if message["content"].get("execution_state") == "idle":
                return


@pytest.mark.slow
def test_a_restart_loses_no_output(client):
    client.save("again.ipynb", notebooks.content("1"))
    with client.kernel("again.ipynb") as kernel:
        for _ in range(3):
            assert client.post(f"/api/kernels/{kernel.id}/restart").ok
            assert kernel.run("print('here')", seconds=10) == "here\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            # Killed within a blink, it would not even have said which cell it runs.
            "import time; time.sleep(1)\nx = bytearray(900 * 2**20); time.sleep(60)",
            "MiB of memory; the limit is",
        ),
        pytest.param(
            "for _ in range(100): print('x' * 100_000)\nimport time; time.sleep(60)",
            "of output",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "open('big', 'wb').write(bytes(40 * 2**20))\nimport time; time.sleep(60)",
            "the work folder grew to",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_kernel_that_goes_too_far_says_why_and_comes_back(client, workspace, code, words):
    client.save("far.ipynb", notebooks.content("1"))
    with client.kernel("far.ipynb") as kernel:
        name, said = kernel.send(code), ""
        for message in kernel.messages():
            if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
                assert message["parent_header"]["msg_id"] == name
                said = message["content"]["text"]
                break
        assert said.startswith("The kernel was ended: ")
        assert words in said
        (workspace.root / "files" / "far" / "big").unlink(missing_ok=True)
        until(lambda: restarted(client, kernel))
        assert kernel.run("1 + 1") == "2"


def restarted(client, kernel):
    for message in kernel.messages(seconds=0.5):
        if message["content"].get("execution_state") == "restarting":
            return True
    return False


def test_a_folder_that_is_full_already_is_told(client, workspace):
    client.save("full.ipynb", notebooks.content("1"))
    work = workspace.root / "files" / "full"
    work.mkdir(parents=True, exist_ok=True)
    (work / "big").write_bytes(bytes(30 * MIB))
    answer = client.open("full.ipynb")
    assert answer.status_code == 500
    assert "remove some of them in the file browser" in answer.json()["message"]


def test_a_kernels_end_leaves_no_process_and_no_staging(client, workspace):
    client.save("ends.ipynb", notebooks.content("1", reads={PERSONS: ["age"]}))
    with client.kernel("ends.ipynb") as kernel:
        kernel.run("import subprocess; subprocess.Popen(['sleep', '1000'])")
        assert below(workspace)
        assert len(staged(workspace)) == 1
    until(lambda: not below(workspace))
    assert staged(workspace) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["input", "kill"])
def test_the_servers_end_leaves_no_process_and_no_staging(bubblewrap, tmp_path, replicas, way):
    home = tmp_path / "home"
    home.mkdir()
    (home / "replicas").symlink_to(replicas / "replicas")
    workspace = begin(home, tmp_path / "root")
    try:
        client = workspace.client()
        client.save("a.ipynb", notebooks.content("1", reads={PERSONS: ["age"]}))
        assert client.open("a.ipynb").status_code == 201
        pids = below(workspace)
        assert pids
        if way == "kill":
            workspace.process.kill()
            workspace.process.wait()
        else:
            assert workspace.stop() == 0
            assert staged(workspace) == []
        until(lambda: not any("bwrap" in command(pid) for pid in pids))
    finally:
        workspace.process.kill()
        workspace.process.stdin.close()
        workspace.process.stdout.close()
    if way == "kill":  # the next server finds what is left of the one before
        with working(home, tmp_path / "root") as again:
            client = again.client()
            with client.kernel("a.ipynb"):
                assert len(staged(again)) == 1


def test_without_bubblewrap_the_server_opens_and_a_kernel_is_refused(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("prlimit", "setpriv"):
        if path := shutil.which(name):
            (tools / name).symlink_to(path)
    with working(tmp_path / "home", tmp_path / "root", environ={"PATH": str(tools)}) as workspace:
        client = workspace.client()
        assert client.get("/lab").ok
        assert "cannot isolate them" in client.get("/sandbox/start").text
        client.save("a.ipynb", notebooks.content("1"))
        for answer in (client.open("a.ipynb"), client.post("/api/kernels", {"name": "python3"})):
            assert answer.status_code == 500
            assert "the program bwrap is not installed" in answer.json()["message"]
            assert "apt-get install bubblewrap" in answer.json()["message"]
        assert client.get("/api/kernels").json() == []
        assert not any("zmq" in command(one.pid) for one in tree(workspace.process.pid))


@pytest.mark.slow
def test_the_homes_place_is_told_when_every_notebook_could_read_it(bubblewrap, tmp_path):
    import sandbox

    home = Path(next(iter(sandbox.__path__))) / f"home-of-a-test-{os.getpid()}"
    try:
        with working(home, tmp_path / "root", log=tmp_path / "log") as workspace:
            client = workspace.client()
            answer = client.open("x.ipynb")
            assert answer.status_code == 500
            assert "set SANDBOX_HOME to a folder outside of it" in answer.json()["message"]
    finally:
        shutil.rmtree(home, ignore_errors=True)
